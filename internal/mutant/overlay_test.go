package mutant_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/internal/mutant"
)

const source = `package x

func f(a, b int) (int, bool) {
	if a < b && ready() {
		a = b
		b++
	}
	switch {
	case ready():
		b = max(a, b)
	}
	return a, ready()
}
`

// one is a mutant of f.
func one(number int, was, is string) mutant.Mutant {
	return mutant.Mutant{ID: was, Number: number, File: "x.go", Func: "f", Old: was, New: is}
}

func TestMutate(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		all  []mutant.Mutant
		want []string
	}{
		"a comparison": {
			[]mutant.Mutant{one(1, "a < b", "a <= b")},
			[]string{"if (mutated(1) && (a <= b) || !mutated(1) && (a < b)) && ready()"},
		},
		"a value": {
			[]mutant.Mutant{one(2, "max(a, b)", "min(a, b)")},
			[]string{"b = pickMutated(2, max(a, b), min(a, b))"},
		},
		"statements that are left out": {
			[]mutant.Mutant{one(3, "a = b; b++", "")},
			[]string{"if mutated(3) {\n\n} else {\na = b\n\t\tb++\n}"},
		},
		"a part of the text": {
			[]mutant.Mutant{one(4, "max(«a», b)", "b")},
			[]string{"max(pickMutated(4, a, b), b)"},
		},
		"a call that is true or false, by its place": {
			[]mutant.Mutant{one(5, "case «ready()»", "late()"), one(6, "return a, «ready()»", "late()"), one(7, "&& «ready()»", "late()")},
			[]string{
				"case (mutated(5) && (late()) || !mutated(5) && (ready())):",
				"return a, (mutated(6) && (late()) || !mutated(6) && (ready()))",
				"&& (mutated(7) && (late()) || !mutated(7) && (ready()))",
			},
		},
		"two at a place": {
			[]mutant.Mutant{one(8, "a < b", "a <= b"), one(9, "a < b", "a > b")},
			[]string{"(mutated(9) && (a > b) || !mutated(9) && ((mutated(8) && (a <= b) || !mutated(8) && (a < b))))"},
		},
		"one inside of another": {
			[]mutant.Mutant{one(10, "a < b && ready()", "false"), one(11, "«a» < b", "b")},
			[]string{"(mutated(10) && (false) || !mutated(10) && (pickMutated(11, a, b) < b && ready()))"},
		},
	} {
		got, err := mutant.Mutate("x.go", source, tt.all)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
		}
	}
}

func TestMutate_Mistakes(t *testing.T) {
	t.Parallel()
	elsewhere := one(1, "a < b", "true")
	elsewhere.Func = "g"
	for name, all := range map[string][]mutant.Mutant{
		"no such text":     {one(1, "a > b", "true")},
		"twice":            {one(1, "ready()", "true")},
		"half a thing":     {one(1, "< b &&", "true")},
		"a whole clause":   {one(1, "case ready(): b = max(a, b)", "")},
		"no such function": {elsewhere},
	} {
		if _, err := mutant.Mutate("x.go", source, all); !errors.Is(err, mutant.ErrTable) {
			t.Errorf("%s: %v, want ErrTable", name, err)
		}
	}
}
