package rfc2136

import (
	"context"
	"errors"
	"slices"

	"github.com/availabilitygroup/ag/dnsstore"
)

// clean removes what a probe has written, whatever has become of it. It first
// does so without reading, since the answers of the server may be old. ctx
// must not be one that the caller has ended.
func (s *Store) clean(ctx context.Context, was, now present) *ServerError {
	ctx, cancel := context.WithTimeout(ctx, cleanTime)
	defer cancel()
	written := []dnsstore.RRSet{now.txt}
	if !slices.Equal(was.a.Data, now.a.Data) {
		written = append(written, now.a)
	}
	_, failed := s.writeAndVerify(ctx, removal(written...))
	if !unsettled(failed) {
		return failed
	}
	for _, set := range written {
		if failed := s.cleanOne(ctx, set); failed != nil {
			return failed
		}
	}
	return nil
}

// unsettled tells whether to try again: somebody else may have changed what was
// to be removed, or it may have been removed and the answer lost.
func unsettled(failed *ServerError) bool {
	return isConflict(failed) || failed != nil && errors.Is(failed, dnsstore.ErrUnknown)
}

// removal deletes RRsets on condition that they are as they were written.
func removal(written ...dnsstore.RRSet) dnsstore.Change {
	c := dnsstore.Change{If: written}
	for _, set := range written {
		c.Set = append(c.Set, dnsstore.RRSet{Key: set.Key})
	}
	return c
}

// cleanOne removes the record of one type, if it is still there: alone, or
// from among those of somebody else, who has found it and kept it.
func (s *Store) cleanOne(ctx context.Context, written dnsstore.RRSet) *ServerError {
	c := removal(written)
	var failed *ServerError
	for range probeRounds {
		if _, failed = s.writeAndVerify(ctx, c); !unsettled(failed) {
			return failed
		}
		is, unread := s.lookup(ctx, written.Key)
		if unread != nil {
			return unread
		}
		ours := func(text string) bool { return slices.Contains(written.Data, text) }
		rest := slices.DeleteFunc(slices.Clone(is.Data), ours)
		if len(rest) == len(is.Data) {
			return nil
		}
		c = dnsstore.Change{If: []dnsstore.RRSet{is}, Set: []dnsstore.RRSet{{Key: is.Key, TTL: is.TTL, Data: rest}}}
	}
	return failed
}
