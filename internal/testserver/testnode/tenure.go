package testnode

import (
	"fmt"
	"time"
)

// Tenure is what is certain of one node's time as Primary in one term.
type Tenure struct {
	Node string
	Term uint64
	// From and To bound what is certain: from the first answer to the last
	// question. The times beyond, back to Asked and on to Answered, are not.
	Asked, From, To, Answered time.Time
}

// String has all of it.
func (x Tenure) String() string {
	const clock = "15:04:05.000000"
	return fmt.Sprintf("%s in term %d from %s (asked %s) to %s (answered %s)", x.Node, x.Term,
		x.From.Format(clock), x.Asked.Format(clock), x.To.Format(clock), x.Answered.Format(clock))
}

// Rivals tells why two tenures cannot both be right; empty if they can.
func Rivals(a, b Tenure) string {
	if a.Node == b.Node {
		return ""
	}
	if a.Term == b.Term {
		return fmt.Sprintf("both in term %d", a.Term)
	}
	from, to := later(a.From, b.From), earlier(a.To, b.To)
	switch {
	case from.Before(to):
		return fmt.Sprintf("for %v at least", to.Sub(from))
	case a.within(b.Asked, b.From), a.within(b.To, b.Answered), b.within(a.Asked, a.From), b.within(a.To, a.Answered):
		return "at one instant at least"
	}
	return ""
}

// within tells whether the node was certainly Primary all that time.
func (x Tenure) within(from, to time.Time) bool { return !from.Before(x.From) && !to.After(x.To) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
