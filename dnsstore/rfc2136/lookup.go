package rfc2136

import (
	"context"
	"errors"
	"fmt"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

// ednsSize is the answer that may come in a datagram without being fragmented
// on any usual path (DNS Flag Day 2020).
const ednsSize = 1232

// query is a question to an authoritative server.
func query(name string, kind uint16) *dns.Msg {
	m := new(dns.Msg)
	m.Question = []dns.Question{{Name: name, Qtype: kind, Qclass: dns.ClassINET}}
	m.SetEdns0(ednsSize, false)
	return m
}

// Lookup reads one RRset at the server, past every cache that respects
// signatures. A name with a CNAME, or in a wildcard's reach, has no other
// RRset of its own; what an alias leads to is not returned.
//
// After a conflict the data of the RRsets that it was about is compared with
// the zone by an UPDATE without content: what a condition does not see (old
// data from a cache, data made from a wildcard) would conflict for ever.
//
// Every error is a [*ServerError] and means that nothing is known. It wraps
// [dnsstore.ErrRefused] if a verified answer said that asking again is of no
// use, and [ErrNotSent] if the server could not be asked.
func (s *Store) Lookup(ctx context.Context, k dnsstore.Key) (dnsstore.RRSet, error) {
	s.counters.lookups.Add(1)
	name := k.Name + " " + k.Type
	if err := dnsstore.CheckKey(k); err != nil {
		return dnsstore.RRSet{}, invalid("lookup", name, err)
	}
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return dnsstore.RRSet{}, &ServerError{Op: "lookup", Name: name, Rcode: NoAnswer, Err: because(ErrNotSent, err)}
	}
	defer end()
	set, failed := s.lookup(ctx, k)
	if failed == nil && len(set.Data) > 0 && s.doubts.about(k) {
		set, failed = s.confirm(ctx, set)
	}
	if failed != nil {
		failed.Op, failed.Name = "lookup", name
		return dnsstore.RRSet{}, failed
	}
	return set, nil
}

// invalid is the error of a call that no server could make sense of.
func invalid(op, name string, err error) *ServerError {
	return &ServerError{Op: op, Name: name, Rcode: NoAnswer, Err: fmt.Errorf("%w: %w: %w", dnsstore.ErrRefused, ErrNotSent, err)}
}

// lookup asks the server. If that says it does not have the zone, and the zone
// was found and not given, it is searched for again.
func (s *Store) lookup(ctx context.Context, k dnsstore.Key) (dnsstore.RRSet, *ServerError) {
	t, failed := s.target(ctx, k.Name)
	if failed != nil {
		return dnsstore.RRSet{}, failed
	}
	set, failed := s.lookupAt(ctx, t, k)
	if failed != nil && misdirected(failed) {
		if other, ok := s.again(ctx, k.Name, t); ok {
			return s.lookupAt(ctx, other, k)
		}
	}
	return set, failed
}

// misdirected tells whether an answer may mean that the question should have
// gone to another server, or be about another zone: a refusal, and for a query
// also an answer without authority.
func misdirected(failed *ServerError) bool {
	switch failed.Rcode {
	case dns.RcodeNotAuth, dns.RcodeNotZone, dns.RcodeRefused:
		return failed.TSIGError == 0
	}
	return errors.Is(failed, errNotAuthoritative)
}

func (s *Store) lookupAt(ctx context.Context, t target, k dnsstore.Key) (dnsstore.RRSet, *ServerError) {
	name := absolute(k.Name)
	if !inZone(name, t.zone) {
		failed := invalid("", "", fmt.Errorf("the name is not in the zone %s", trimDot(t.zone)))
		failed.Server, failed.Zone = t.hosts.String(), trimDot(t.zone)
		return dnsstore.RRSet{}, failed
	}
	out := s.ask(ctx, t, query(name, typeOf(k)), true)
	if out.answer == nil || out.answer.Rcode != dns.RcodeSuccess && out.answer.Rcode != dns.RcodeNameError {
		return dnsstore.RRSet{}, s.lookupFailed(t, out)
	}
	set, err := s.read(k, out.answer)
	if err != nil {
		failed := s.failure(t, out)
		failed.Err = err
		return dnsstore.RRSet{}, failed
	}
	return set, nil
}

// lookupFailed says why there is no answer that has data or denies it.
func (s *Store) lookupFailed(t target, out outcome) *ServerError {
	failed := s.failure(t, out)
	switch {
	case out.answer == nil && out.copies == 0:
		failed.Err = because(ErrNotSent, out.err)
	case out.answer != nil && refused(out.answer.Rcode):
		failed.Err = dnsstore.ErrRefused
	}
	return failed
}

// read takes the RRset from a verified answer.
func (s *Store) read(k dnsstore.Key, a *answer) (dnsstore.RRSet, error) {
	name := absolute(k.Name)
	switch {
	case !a.Authoritative:
		return dnsstore.RRSet{}, because(dnsstore.ErrRefused, notAuthoritative(name, a))
	case a.Truncated:
		return dnsstore.RRSet{}, errors.New("answer is cut off")
	}
	return received(k, a.Answer)
}
