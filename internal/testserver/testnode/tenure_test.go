package testnode_test

import (
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

func TestRivals(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	span := func(node string, term uint64, from, to int) testnode.Tenure {
		return testnode.Tenure{Node: node, Term: term, Asked: at(from), From: at(from), To: at(to), Answered: at(to)}
	}
	for name, tt := range map[string]struct {
		a, b testnode.Tenure
		want bool
	}{
		"one after the other": {span("a", 1, 0, 5), span("b", 2, 6, 9), false},
		"overlap":             {span("a", 1, 0, 5), span("b", 2, 4, 9), true},
		"one slow answer":     {span("a", 1, 0, 9), testnode.Tenure{Node: "b", Term: 2, Asked: at(8), From: at(10), To: at(8), Answered: at(10)}, false},
		"within":              {span("a", 1, 0, 9), span("b", 2, 4, 5), true},
		"one answer":          {span("a", 1, 0, 9), testnode.Tenure{Node: "b", Term: 2, Asked: at(4), From: at(5), To: at(4), Answered: at(5)}, true},
		"one node":            {span("a", 1, 0, 9), span("a", 2, 4, 5), false},
		"one term":            {span("a", 1, 0, 5), span("b", 1, 6, 9), true},
	} {
		for _, pair := range [][2]testnode.Tenure{{tt.a, tt.b}, {tt.b, tt.a}} {
			if why := testnode.Rivals(pair[0], pair[1]); (why != "") != tt.want {
				t.Errorf("%s: Rivals = %q, want them: %t", name, why, tt.want)
			}
		}
	}
}
