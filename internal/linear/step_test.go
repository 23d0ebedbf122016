package linear_test

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// happened makes a history of one register: each call with the times at which
// it was made and at which it returned.
type happened struct {
	call, returned int64
	in             input
	out            output
}

func read(call, returned int64, p part) happened {
	return happened{call, returned, input{read: p.kind}, output{data: p.data}}
}

func write(call, returned int64, from, to string, end ending) happened {
	in := input{ifs: []part{{"TXT", from}}, set: []part{{"TXT", to}, {"A", "address of " + to}}}
	return happened{call, returned, in, output{end: end}}
}

func txt(data string) part { return part{"TXT", data} }

func address(of string) part { return part{"A", "address of " + of} }

// TestModel has histories of which a person can tell whether they can be.
func TestModel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		history []happened
		want    bool
	}{
		"absent at first":                  {[]happened{read(1, 2, txt(""))}, true},
		"there at first":                   {[]happened{read(1, 2, txt("x"))}, false},
		"read after write":                 {[]happened{write(1, 2, "", "x", applied), read(3, 4, txt("x")), read(5, 6, address("x"))}, true},
		"old read after write":             {[]happened{write(1, 2, "", "x", applied), read(3, 4, txt(""))}, false},
		"old read beside a write":          {[]happened{write(1, 4, "", "x", applied), read(2, 3, txt(""))}, true},
		"new, then old beside a write":     {[]happened{write(1, 9, "", "x", applied), read(2, 3, txt("x")), read(4, 5, txt(""))}, false},
		"half of a write":                  {[]happened{write(1, 2, "", "x", applied), read(3, 4, txt("x")), read(5, 6, part{kind: "A"})}, false},
		"half beside a write":              {[]happened{write(1, 9, "", "x", applied), read(2, 3, txt("x")), read(4, 5, part{kind: "A"})}, false},
		"two winners":                      {[]happened{write(1, 4, "", "x", applied), write(2, 3, "", "y", applied)}, false},
		"one winner":                       {[]happened{write(1, 4, "", "x", applied), write(2, 3, "", "y", conflict)}, true},
		"no winner":                        {[]happened{write(1, 4, "", "x", conflict), write(2, 3, "", "y", conflict)}, false},
		"a conflict that is seen":          {[]happened{write(1, 2, "", "x", applied), write(3, 4, "", "y", conflict), read(5, 6, txt("y"))}, false},
		"a refusal that is seen":           {[]happened{write(1, 2, "", "x", refused), read(3, 4, txt("x"))}, false},
		"a refusal that had no reason":     {[]happened{write(1, 2, "", "x", refused), read(3, 4, txt(""))}, true},
		"outdone, never applied":           {[]happened{write(1, 2, "", "x", applied), write(3, 4, "", "y", outdone), read(5, 6, txt("x"))}, true},
		"outdone, applied and replaced":    {[]happened{write(1, 4, "", "x", outdone), read(2, 3, txt("x")), write(2, 4, "x", "y", applied), read(6, 7, txt("y"))}, true},
		"outdone, but still there":         {[]happened{write(1, 4, "", "x", outdone), read(2, 3, txt("x")), read(6, 7, txt("x"))}, false},
		"outdone, and replaced too late":   {[]happened{write(1, 4, "", "x", outdone), read(2, 3, txt("x")), write(6, 7, "x", "y", applied)}, false},
		"outdone without a reason":         {[]happened{write(1, 4, "", "x", outdone), read(6, 7, txt(""))}, false},
		"unknown, never applied":           {[]happened{write(1, 2, "", "x", unknown), read(3, 4, txt("")), read(5, 6, txt(""))}, true},
		"unknown, applied at once":         {[]happened{write(1, 2, "", "x", unknown), read(3, 4, txt("x"))}, true},
		"unknown, applied late":            {[]happened{write(1, 2, "", "x", unknown), read(3, 4, txt("")), read(5, 6, txt("x"))}, true},
		"unknown, applied and undone":      {[]happened{write(1, 2, "", "x", unknown), read(3, 4, txt("x")), read(5, 6, txt(""))}, false},
		"unknown, applied before its call": {[]happened{read(1, 2, txt("x")), write(3, 4, "", "x", unknown)}, false},
		"unknown, its condition gone":      {[]happened{write(1, 2, "", "x", unknown), write(3, 4, "", "y", applied), read(5, 6, txt("x"))}, false},
		"unknown, in the way of another":   {[]happened{write(1, 2, "", "x", unknown), write(3, 4, "", "y", conflict), read(5, 6, txt("x"))}, true},
		"unknown, applied twice": {[]happened{
			write(1, 2, "", "x", unknown), read(3, 4, txt("x")), write(5, 6, "x", "", applied), read(7, 8, txt("x")),
		}, false},
		"several unknown, one after the other": {[]happened{
			write(1, 2, "", "x", unknown), write(3, 4, "x", "y", unknown), write(5, 6, "y", "z", unknown), read(7, 8, txt("")), read(9, 10, txt("z")),
		}, true},
	} {
		h := newHistory()
		for i, op := range c.history {
			if op.in.read == "" {
				h.noteLocked(porcupine.Operation{ClientId: i, Input: op.in, Call: op.call, Output: op.out, Return: op.returned})
				continue
			}
			h.calls = append(h.calls, porcupine.Operation{ClientId: i, Input: op.in, Call: op.call, Output: op.out, Return: op.returned})
		}
		if got := len(judge(h)) == 0; got != c.want {
			t.Errorf("%s: linearizable = %t, want %t", name, got, c.want)
		}
	}
}
