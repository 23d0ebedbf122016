package zone

import (
	"fmt"
	"strings"
)

// Text returns all records of the zone in presentation form, in a fixed order.
func (z *Zone) Text() []string {
	var lines []string
	for _, c := range z.All() {
		for _, rr := range c.Set.answer(c.Name) {
			lines = append(lines, strings.ReplaceAll(rr.String(), "\t", " "))
		}
	}
	return lines
}

// CheckNodes compares the tree of names with one that is made anew.
func (z *Zone) CheckNodes() error {
	fresh := Empty(z.apex).With(z.All())
	if len(fresh.nodes) != len(z.nodes) {
		return fmt.Errorf("%d names, want %d", len(z.nodes), len(fresh.nodes))
	}
	for name, n := range fresh.nodes {
		got := z.nodes[name]
		if got == nil || got.children != n.children || len(got.sets) != len(n.sets) {
			return fmt.Errorf("name %s: got %+v, want %+v", name, got, n)
		}
	}
	return nil
}
