package record_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/internal/record"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	strs := []string{"ag=1", `a "b" \`, "", "\x00\x7f\xff~ "}
	want := `"ag=1" "a \"b\" \\" "" "\000\127\255~ "`
	if diff := cmp.Diff(want, record.Quote(strs)); diff != "" {
		t.Errorf("Quote mismatch (-want +got):\n%s", diff)
	}
	back, err := record.Unquote(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strs, back); diff != "" {
		t.Errorf("Unquote mismatch (-want +got):\n%s", diff)
	}
}

func TestUnquote_Invalid(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`bare`, `"open`, `"a"b`, `"a""b"`, `"\`, `"\25"`, `"\25x"`, `"\256"`, `"a" b`} {
		if strs, err := record.Unquote(text); !errors.Is(err, record.ErrInvalid) {
			t.Errorf("Unquote(%s) = %q, %v, want ErrInvalid", text, strs, err)
		}
	}
}

func TestUnquote_Blanks(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "  "} {
		if strs, err := record.Unquote(text); err != nil || len(strs) != 0 {
			t.Errorf("Unquote(%q) = %q, %v, want nothing", text, strs, err)
		}
	}
	strs, err := record.Unquote(`  "a"   "b" `)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, strs); diff != "" {
		t.Errorf("Unquote mismatch (-want +got):\n%s", diff)
	}
}
