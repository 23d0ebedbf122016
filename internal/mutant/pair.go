package mutant

import (
	"context"
	"errors"
	"fmt"
)

// partners finds pairs of which one half is not to be built.
func partners(all []Mutant) error {
	var problems []error
	for _, m := range all {
		if _, ok := Find(all, m.With); m.With != "" && !ok {
			problems = append(problems, fmt.Errorf("%w: %s is to be run without %s", ErrTable, m.ID, m.With))
		}
	}
	return errors.Join(problems...)
}

// tryPair runs a mutant of a second line of defence: alone, then with the first
// line off, where the other one may have to be in force, then both.
func (l *Lab) tryPair(ctx context.Context, m Mutant) (Outcome, string) {
	for _, alone := range []struct {
		number int
		name   string
	}{{m.Number, m.ID}, {m.partner, m.With}} {
		if out, text := l.kill(ctx, m.killer(), alone.number); out != Survived {
			return Mistaken, fmt.Sprintf("%s is killed alone (%s), so the pair shows nothing\n%s", alone.name, out, text)
		}
	}
	return l.kill(ctx, m.killer(), m.Number, m.partner)
}
