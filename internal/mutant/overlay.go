package mutant

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Selector is the environment variable that holds the numbers of the mutants
// that are active, with a comma between them.
const Selector = "AG_MUTANT"

// Overlay writes copies of the mutated sources, and the overlay that has the
// compiler use them, into dir. root is the folder of the module. It returns the
// path of the overlay, and one error that wraps [ErrTable] for all mistakes.
func Overlay(root, dir string, all []Mutant) (string, error) {
	byFile := make(map[string][]Mutant)
	for _, m := range all {
		name := filepath.Join(root, filepath.FromSlash(m.Package), m.File)
		byFile[name] = append(byFile[name], m)
	}
	replace := make(map[string]string)
	keep := func(name, text string) error {
		path := filepath.Join(dir, fmt.Sprintf("%d_%s", len(replace), filepath.Base(name)))
		replace[name] = path
		return os.WriteFile(path, []byte(text), 0o600)
	}
	var problems []error
	for name, mutants := range byFile {
		text, err := os.ReadFile(name)
		if err != nil {
			problems = append(problems, fmt.Errorf("%w: %w", ErrTable, err))
			continue
		}
		mutated, err := Mutate(filepath.Base(name), string(text), mutants)
		problems = append(problems, err, keep(name, mutated))
	}
	for _, folder := range Packages(all) {
		name := filepath.Join(root, filepath.FromSlash(folder), "mutated_by_overlay.go")
		problems = append(problems, keep(name, switches(filepath.Base(folder))))
	}
	if err := errors.Join(problems...); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	path := filepath.Join(dir, "overlay.json")
	return path, errors.Join(err, os.WriteFile(path, text, 0o600))
}

// switches is the file that tells the copies which mutants are active.
func switches(pkg string) string {
	return "package " + pkg + `

import (
	"os"
	"strconv"
	"strings"
)

var activeMutants = func() [2]int {
	var active [2]int
	first, second, _ := strings.Cut(os.Getenv("` + Selector + `"), ",")
	active[0], _ = strconv.Atoi(first)
	active[1], _ = strconv.Atoi(second)
	return active
}()

func mutated(n int) bool { return n == activeMutants[0] || n == activeMutants[1] }

func pickMutated[T any](n int, is, mutant T) T {
	if mutated(n) {
		return mutant
	}
	return is
}
`
}

// Mutate returns the text of a file in which each mutant can be switched on.
// Mutants may be at one place, or one inside of another. The error wraps
// [ErrTable] and tells of all mistakes.
func Mutate(name, text string, all []Mutant) (string, error) {
	f, err := parseFile(name, text)
	if err != nil {
		return "", err
	}
	var problems []error
	var cuts []cut
	for _, m := range slices.SortedFunc(slices.Values(all), byNumber) {
		p, err := f.find(m)
		problems = append(problems, err)
		cuts = add(cuts, p, m)
	}
	if err := errors.Join(problems...); err != nil {
		return "", err
	}
	// Outer places come before inner ones.
	slices.SortStableFunc(cuts, func(a, b cut) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
	})
	if err := overlap(cuts); err != nil {
		return "", err
	}
	out, _ := render(text, 0, len(text), cuts)
	return out, nil
}

// overlap finds places of which neither holds the other.
func overlap(sorted []cut) error {
	for i, outer := range sorted {
		for _, c := range sorted[i+1:] {
			if c.from < outer.to && c.to > outer.to {
				return fmt.Errorf("%w: %s and %s overlap", ErrTable, outer.mutants[0].ID, c.mutants[0].ID)
			}
		}
	}
	return nil
}

// cut is a place with all the mutants that are there.
type cut struct {
	place
	mutants []Mutant
}

func add(cuts []cut, p place, m Mutant) []cut {
	i := slices.IndexFunc(cuts, func(c cut) bool { return c.from == p.from && c.to == p.to })
	if i < 0 {
		return append(cuts, cut{place: p, mutants: []Mutant{m}})
	}
	if p.kind == condition {
		cuts[i].kind = condition // one replacement has told what the others did not
	}
	cuts[i].mutants = append(cuts[i].mutants, m)
	return cuts
}

// render writes text[from:to] with its cuts, the first ones of cuts, and
// returns the others.
func render(text string, from, to int, cuts []cut) (string, []cut) {
	var out strings.Builder
	for len(cuts) > 0 && cuts[0].from < to {
		c := cuts[0]
		out.WriteString(text[from:c.from])
		var inner string
		inner, cuts = render(text, c.from, c.to, cuts[1:])
		out.WriteString(c.wrap(inner))
		from = c.to
	}
	out.WriteString(text[from:to])
	return out.String(), cuts
}

// wrap writes code that is the given one, or one of the mutants in its stead.
func (c cut) wrap(is string) string {
	for _, m := range c.mutants {
		switch c.kind {
		case statement:
			is = fmt.Sprintf("if mutated(%d) {\n%s\n} else {\n%s\n}", m.Number, m.New, is)
		case condition:
			is = fmt.Sprintf("(mutated(%d) && (%s) || !mutated(%d) && (%s))", m.Number, m.New, m.Number, is)
		case value:
			is = fmt.Sprintf("pickMutated(%d, %s, %s)", m.Number, is, m.New)
		}
	}
	return is
}
