package mutant

import (
	"fmt"
	"strings"
)

// Parse reads the text of one table. It returns an error that wraps [ErrTable].
func Parse(text string) ([]Mutant, error) {
	p := &reader{}
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	p.end()
	return p.all, nil
}

// reader reads a table.
type reader struct {
	folder string
	now    Mutant
	all    []Mutant
}

func (p *reader) line(line string) error {
	if strings.HasPrefix(line, "#") {
		return nil
	}
	if strings.TrimSpace(line) == "" {
		p.end()
		return nil
	}
	name, value, _ := strings.Cut(line, " ")
	value = strings.TrimSpace(value)
	if name == "package" {
		p.folder = value
		return nil
	}
	if name != "mutant" && p.now.ID == "" {
		return fmt.Errorf("%w: an entry begins with mutant, not with %q", ErrTable, name)
	}
	return p.field(name, value)
}

func (p *reader) field(name, value string) error {
	m := &p.now
	switch name {
	case "mutant":
		p.end()
		*m = Mutant{ID: value, Package: p.folder}
	case "rule":
		m.Rule = value
	case "in":
		m.File, m.Func, _ = strings.Cut(value, " ")
	case "old":
		m.Old = value
	case "new":
		m.New = value
	case "kill":
		m.Killer = value
	case "with":
		m.With = value
	case "equivalent":
		m.Equivalent = value
	default:
		return fmt.Errorf("%w: no field is called %q", ErrTable, name)
	}
	return nil
}

func (p *reader) end() {
	if p.now.ID != "" {
		p.all = append(p.all, p.now)
	}
	p.now = Mutant{}
}
