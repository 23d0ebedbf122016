package mutant

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

//go:embed table/*.txt
var tables embed.FS

// ErrTable marks a mistake in the table of mutants, as opposed to a mutant that
// survives.
var ErrTable = errors.New("mutant: mistake in the table")

// Mutant is one deliberate fault.
type Mutant struct {
	// ID names the fault, in words with dashes.
	ID string
	// Number selects the mutant at run time; it counts from 1.
	Number int
	// Rule is the rule, the law or the invariant that it breaks: "3", "A2", "I8".
	Rule string
	// Package is the folder of the source, from the root of the module, File the
	// name of the file in it, and Func the function in that.
	Package, File, Func string
	// Old is source text that occurs exactly once in the function. White space
	// is as good as any other. What is between « and » is replaced, or all of it:
	// an expression, or one or more statements.
	Old string
	// New stands in its stead; empty for statements that are left out.
	New string
	// Killer is the test that has to fail, with a slash before a subtest.
	Killer string
	// With is the ID of another mutant that is active as well: the first line of
	// defence, behind which this one is the second.
	With string
	// Equivalent says why nothing can notice this one. It has no killer.
	Equivalent string

	partner int // the number of With
}

// Table returns the mutants, in the order of the files of the folder table.
//
// A file begins with a line "package" and the folder that the source is in.
// Entries are separated by blank lines; each line of an entry is a field: its
// name, a blank, its value.
//
//	mutant from-the-answer
//	rule 2
//	in store.go confirmed
//	old m.extend(«a.sent», t.Lease())
//	new m.now.Hold
//	kill TestRule2_FromTheSendOfTheWrite
//
// "with" and "equivalent" are the other fields. Lines that begin with # are
// comments. It returns an error that wraps [ErrTable].
func Table() ([]Mutant, error) { return tableOf(tables) }

func tableOf(files fs.FS) ([]Mutant, error) {
	names, err := fs.Glob(files, "table/*.txt")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTable, err)
	}
	var all []Mutant
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTable, err)
		}
		some, err := Parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(name), err)
		}
		all = append(all, some...)
	}
	return numbered(all)
}

// Number parses one table and numbers its entries, as [Table] does with all of
// them. It returns an error that wraps [ErrTable].
func Number(text string) ([]Mutant, error) {
	all, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return numbered(all)
}

func numbered(all []Mutant) ([]Mutant, error) {
	if err := check(all); err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Number = i + 1
	}
	for i, m := range all {
		with, _ := Find(all, m.With)
		all[i].partner = with.Number
	}
	return all, nil
}

// check finds what is wrong with the entries as such.
func check(all []Mutant) error {
	var problems []error
	ids := make(map[string]bool, len(all))
	bad := func(m Mutant, what string) {
		problems = append(problems, fmt.Errorf("%w: %s: %s", ErrTable, m.ID, what))
	}
	for _, m := range all {
		if ids[m.ID] {
			bad(m, "the ID is used twice")
		}
		ids[m.ID] = true
		if m.Rule == "" || m.File == "" || m.Func == "" || m.Old == "" {
			bad(m, "rule, in or old is missing")
		}
		if (m.Killer == "") == (m.Equivalent == "") {
			bad(m, "there must be a killer, or a reason why there is none")
		}
	}
	for _, m := range all {
		if m.With != "" && !ids[m.With] {
			bad(m, "there is no "+m.With)
		}
	}
	return errors.Join(problems...)
}

// Packages are the folders that the mutants are in.
func Packages(all []Mutant) []string {
	var folders []string
	for _, m := range all {
		if !slices.Contains(folders, m.Package) {
			folders = append(folders, m.Package)
		}
	}
	slices.Sort(folders)
	return folders
}

// Find returns the mutant of that ID.
func Find(all []Mutant, id string) (Mutant, bool) {
	i := slices.IndexFunc(all, func(m Mutant) bool { return m.ID == id })
	if i < 0 {
		return Mutant{}, false
	}
	return all[i], true
}

// byNumber orders mutants.
func byNumber(a, b Mutant) int { return cmp.Compare(a.Number, b.Number) }
