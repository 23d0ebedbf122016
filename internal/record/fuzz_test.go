package record_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/internal/record"
)

// FuzzParse takes the strings of a record one to a line. What parses has one
// text, which parses as the same record; nothing panics.
func FuzzParse(f *testing.F) {
	f.Add(strings.Join(sampleText(), "\n"))
	f.Add("ag=1")
	f.Add("ag=2\nanything")
	f.Add(strings.Join(sampleText(), "\n") + "\npaused=1\ndissolved=1\nx=1\nm=gw-c,http,80,0,,::1,joining,a,,b")
	f.Add(strings.Replace(strings.Join(sampleText(), "\n"), "w=60s", "w=60000ms", 1))
	f.Fuzz(func(t *testing.T, lines string) {
		strs := strings.Split(lines, "\n")
		r, err := record.Parse(strs)
		if err != nil {
			if !errors.Is(err, record.ErrInvalid) && !errors.Is(err, record.ErrVersion) {
				t.Fatalf("Parse: %v wraps neither sentinel", err)
			}
			return
		}
		text, err := r.Strings()
		if errors.Is(err, record.ErrTooLarge) {
			return
		}
		if err != nil {
			t.Fatalf("%q parses, but has no text: %v", strs, err)
		}
		// Nothing is lost or added: the text has the same strings, in its own
		// order, but for the place of "joining" among a member's further fields.
		if len(text) != len(strs) {
			t.Errorf("%d strings in, %d out:\n%s", len(strs), len(text), cmp.Diff(strs, text))
		}
		if !strings.Contains(lines, "joining") {
			a, b := slices.Sorted(slices.Values(strs)), slices.Sorted(slices.Values(text))
			if diff := cmp.Diff(a, b); diff != "" {
				t.Errorf("strings mismatch (-in +out):\n%s", diff)
			}
		}
		back, err := record.Parse(text)
		if err != nil {
			t.Fatalf("the text %q does not parse: %v", text, err)
		}
		if diff := cmp.Diff(r, back, equal()); diff != "" {
			t.Errorf("round trip mismatch (-want +got):\n%s", diff)
		}
	})
}
