package agclient

import (
	"testing"
)

// Who is believed, whatever the order of the replies; and when nobody else has
// to be waited for.
func TestSaid_Take(t *testing.T) {
	t.Parallel()
	yes := func(at place, term uint64) reply { return reply{member: member{place: at}, role: primary, term: term} }
	no := func(at place) reply { return reply{member: member{place: at}, role: other} }
	silent := func(at place) reply { return reply{member: member{place: at}} }
	for name, tt := range map[string]struct {
		replies []reply
		named   place
		want    place
		after   int // replies, that it was decided by
		denied  bool
	}{
		"nobody":                       {[]reply{no("a"), silent("b")}, "", "", 0, false},
		"denied":                       {[]reply{no("a"), no("b")}, "a", "", 0, true},
		"with a term":                  {[]reply{yes("b", 100), yes("a", 101)}, "a", "b", 1, false},
		"in an old term":               {[]reply{yes("b", 99), yes("a", 100)}, "", "a", 2, false},
		"the old one denies so":        {[]reply{yes("a", 99)}, "a", "", 0, true},
		"nobody is named":              {[]reply{yes("b", 0), yes("a", 0)}, "", "b", 1, false},
		"whom the record names":        {[]reply{yes("b", 0), yes("a", 0)}, "a", "a", 2, false},
		"at once":                      {[]reply{yes("a", 0), yes("b", 0)}, "a", "a", 1, false},
		"a term says more":             {[]reply{yes("b", 0), yes("c", 100)}, "a", "c", 2, false},
		"the record's is silent":       {[]reply{yes("b", 0), silent("a")}, "a", "b", 0, false},
		"the record's denies the role": {[]reply{yes("b", 0), no("a")}, "a", "b", 0, true},
		"the first of two strangers":   {[]reply{yes("b", 0), yes("c", 0), silent("a")}, "a", "b", 0, false},
	} {
		var s said
		after := 0
		for i, r := range tt.replies {
			if s.take(r, tt.named, 100) {
				after = i + 1
				break
			}
		}
		if s.best.place != tt.want || s.found != (tt.want != "") || after != tt.after || s.denied != tt.denied {
			t.Errorf("%s: %q, found %t, denied %t, decided by %d replies; want %q, denied %t, %d",
				name, s.best.place, s.found, s.denied, after, tt.want, tt.denied, tt.after)
		}
	}
}
