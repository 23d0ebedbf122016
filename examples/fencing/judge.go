package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/availability"

	"github.com/availabilitygroup/ag/examples/fencing/objectfence"
	"github.com/availabilitygroup/ag/examples/fencing/sqlfence"
)

// counts waits until a few counts of the term, besides those before, are in
// both stores.
func (s *story) counts(ctx context.Context, term uint64, before int) error {
	for {
		inSQL, err := s.terms(ctx, "counted")
		if err != nil {
			return err
		}
		if want := few + before; times(inSQL, term) >= want && times(s.objectTerms(), term) > want {
			s.screen.line("", "term %d counts in SQL and in the object", term)
			return nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("wait for counts of term %d: %w", term, context.Cause(ctx))
		}
	}
}

// judge shows how a's late writes ended, and checks it.
func (s *story) judge(ctx context.Context, end late, first, second uint64) error {
	for _, e := range []struct {
		to   string
		err  error
		want error
	}{
		{"Guard by now", end.guard, availability.ErrNotPrimary},
		{"object", end.object, objectfence.ErrFenced},
		{"SQL", end.sql, sqlfence.ErrFenced},
		{"SQL unguarded", end.plain, nil},
	} {
		s.screen.line("a", "%s: %s", e.to, verdict(e.err))
		if !errors.Is(e.err, e.want) {
			return fmt.Errorf("%s: %s, want %s", e.to, verdict(e.err), verdict(e.want))
		}
	}
	if end.term != first || second <= first {
		return fmt.Errorf("a wrote late in term %d, after %d and %d", end.term, first, second)
	}
	if s.server.Refused() == 0 {
		return errors.New("the object store has refused nothing by 412")
	}
	return s.inOrder(ctx)
}

func verdict(err error) string {
	if err == nil {
		return "done"
	}
	return "refused: " + err.Error()
}

// inOrder checks that the terms in the guarded stores never go down, and that
// those in the unguarded table do: the late write came late indeed.
func (s *story) inOrder(ctx context.Context) error {
	counted, err := s.terms(ctx, "counted")
	if err != nil {
		return err
	}
	unguarded, err := s.terms(ctx, "unguarded")
	if err != nil {
		return err
	}
	for _, c := range []struct {
		where string
		terms []uint64
		want  bool
	}{{"SQL", counted, true}, {"object", s.objectTerms(), true}, {"SQL unguarded", unguarded, false}} {
		sorted := slices.IsSorted(c.terms)
		s.screen.line("", "%-13s %d writes, terms in order: %t", c.where, len(c.terms), sorted)
		if sorted != c.want {
			return fmt.Errorf("%s: the terms are %d", c.where, c.terms)
		}
	}
	return nil
}

// terms returns the term of each row, in the order of the writes.
func (s *story) terms(ctx context.Context, table string) ([]uint64, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT term FROM "+table+" ORDER BY n")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var terms []uint64
	for rows.Next() {
		var term uint64
		if err := rows.Scan(&term); err != nil {
			return nil, err
		}
		terms = append(terms, term)
	}
	return terms, rows.Err()
}

// objectTerms returns the term of each version of the object.
func (s *story) objectTerms() []uint64 {
	var terms []uint64
	for _, version := range s.server.Versions(path) {
		var c objectfence.Content
		if json.Unmarshal(version, &c) == nil {
			terms = append(terms, c.Term)
		}
	}
	return terms
}

func times(terms []uint64, term uint64) (n int) {
	for _, t := range terms {
		if t == term {
			n++
		}
	}
	return n
}
