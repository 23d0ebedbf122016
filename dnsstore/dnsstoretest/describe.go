package dnsstoretest

import (
	"fmt"
	"strings"

	"github.com/availabilitygroup/ag/dnsstore"
)

// describe writes a change in one line.
func describe(c dnsstore.Change) string {
	var b strings.Builder
	list := func(word string, sets []dnsstore.RRSet) {
		for _, s := range sets {
			if b.Len() > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%s %s %s", word, s.Name, s.Type)
			switch {
			case len(s.Data) == 0:
				b.WriteString(" absent")
			default:
				fmt.Fprintf(&b, " = %s", shorten(strings.Join(s.Data, " | ")))
			}
		}
	}
	list("if", c.If)
	list("set", c.Set)
	return b.String()
}

func shorten(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// quoted shows an error, or that there is none.
func quoted(err error) string {
	if err == nil {
		return "nil"
	}
	return fmt.Sprintf("%q", err.Error())
}
