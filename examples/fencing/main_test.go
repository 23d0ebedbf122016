package main

import (
	"strings"
	"testing"
)

// TestStory runs the program: it fails unless both stores refuse the late
// writes, and nothing else does.
func TestStory(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := run(t.Context(), &out)
	t.Logf("\n%s", &out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Guard by now: refused", "object: refused", "SQL: refused", "SQL unguarded: done"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the timeline does not say %q", want)
		}
	}
}
