package rfc2136

import (
	"context"
	"fmt"
	"slices"

	"github.com/availabilitygroup/ag/dnsstore"
)

// VerifyWrite looks whether the server has done all of what Apply has returned
// nil for, and shows it. It is for the first writes to a server, at once after
// Apply and with the same change, whose contents must be such that nobody else
// writes them. It changes nothing.
//
// An error that wraps [ErrUnfit] says that the server cannot be relied on: it
// has made the change in part (as a policy of PowerDNS can bring about), or not
// at all, or answers with old data. One that wraps [dnsstore.ErrConflict] says
// that the contents have been changed since by somebody else. Every other
// error means that nothing is known.
func (s *Store) VerifyWrite(ctx context.Context, c dnsstore.Change) error {
	u, err := newUpdate(c)
	if err != nil {
		return invalid("verify", nameOf(c), err)
	}
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return &ServerError{Op: "verify", Name: nameOf(c), Rcode: NoAnswer, Err: because(ErrNotSent, err)}
	}
	defer end()
	if failed := s.verify(ctx, u.change); failed != nil {
		failed.Op, failed.Name = "verify", nameOf(c)
		return failed
	}
	return nil
}

// verify reads first and checks then: if the zone has the contents after the
// reads it has had them all along, and a read that shows others is old.
func (s *Store) verify(ctx context.Context, c dnsstore.Change) *ServerError {
	var old []string
	for _, want := range c.Set {
		is, failed := s.lookup(ctx, want.Key)
		if failed != nil {
			return failed
		}
		if isOld(is, want, c.If) {
			old = append(old, want.Name+" "+want.Type)
		}
	}
	failed := s.check(ctx, c.Set...)
	switch {
	case isConflict(failed):
		return s.blame(ctx, c)
	case failed != nil:
		return failed
	case len(old) > 0:
		return s.unfit(fmt.Sprintf("its answers are older than the change it has confirmed: %q", old),
			"switch off its caches, or BIND's inline-signing, for this zone")
	}
	return nil
}

// isOld tells whether a read shows other contents than the zone has. Where an
// RRset was deleted, a wildcard may be what shows: only the very data that was
// deleted is old for certain.
func isOld(is, want dnsstore.RRSet, conditions []dnsstore.RRSet) bool {
	if len(want.Data) > 0 {
		return !slices.Equal(is.Data, want.Data)
	}
	was, _ := find(conditions, want.Key)
	return len(was.Data) > 0 && slices.Equal(is.Data, was.Data)
}

// blame finds out why the zone does not have what was written. A part that is
// as the change has found it was left out; one that is neither so, nor as
// written, was changed by somebody else. Of a part that the change was not
// conditional on this cannot be told: it was left out if another part, whose
// data nobody else writes, is there.
func (s *Store) blame(ctx context.Context, c dnsstore.Change) *ServerError {
	var missing []string
	made, untouched := false, false
	for _, want := range c.Set {
		failed := s.check(ctx, want)
		if failed == nil {
			made = made || len(want.Data) > 0
			continue
		}
		if !isConflict(failed) {
			return failed
		}
		missing = append(missing, want.Name+" "+want.Type)
		if was, known := find(c.If, want.Key); known {
			failed = s.check(ctx, was)
			if isConflict(failed) {
				return s.overtaken()
			}
			if failed != nil {
				return failed
			}
			untouched = true
		}
	}
	switch {
	case len(missing) > 0 && made:
		return s.unfit(fmt.Sprintf("it has confirmed a change and left out %q", missing),
			"let its policy allow this key to change A, AAAA and TXT at the name, or refuse as a whole")
	case untouched:
		return s.unfit("it has confirmed a change and made nothing of it", "look into its policy and its log")
	}
	return s.overtaken()
}

// overtaken is the error for contents that somebody else has changed since.
func (s *Store) overtaken() *ServerError {
	failed := s.unfit("", "somebody else has changed it since")
	failed.Err = dnsstore.ErrConflict
	return failed
}
