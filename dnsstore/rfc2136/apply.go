package rfc2136

import (
	"context"
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

// Apply makes a change by one UPDATE message. Without contents it only asks
// whether the conditions hold, past every cache.
//
// Every error is a [*ServerError]. It wraps [dnsstore.ErrConflict],
// [dnsstore.ErrRefused] or [ErrNotSent] only if it is certain that nothing was
// changed and nothing will be; else it wraps [dnsstore.ErrUnknown]. If ctx
// ended the call it wraps the cause of that, too.
func (s *Store) Apply(ctx context.Context, c dnsstore.Change) error {
	s.counters.applies.Add(1)
	if failed := s.apply(ctx, c); failed != nil {
		failed.Op = "apply"
		return failed
	}
	return nil
}

// apply is Apply but for the counter, and for the operation in the error.
func (s *Store) apply(ctx context.Context, c dnsstore.Change) *ServerError {
	u, err := newUpdate(c)
	if err != nil {
		return invalid("", nameOf(c), err)
	}
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return &ServerError{Name: nameOf(c), Rcode: NoAnswer, Err: because(ErrNotSent, err)}
	}
	defer end()
	if len(c.If) == 0 && len(c.Set) == 0 {
		return nil
	}
	failed := s.update(ctx, u)
	s.doubts.after(u.change, failed)
	if failed != nil {
		failed.Name = nameOf(c)
	}
	return failed
}

// update sends the message. If the server says that it does not have the zone,
// and the zone was found and not given, it is searched for again.
func (s *Store) update(ctx context.Context, u update) *ServerError {
	t, failed := s.target(ctx, nameOf(u.change))
	if failed != nil {
		return failed
	}
	failed = s.updateAt(ctx, t, u)
	if failed != nil && failed.Copies <= 1 && misdirected(failed) {
		if other, ok := s.again(ctx, nameOf(u.change), t); ok {
			return s.updateAt(ctx, other, u)
		}
	}
	return failed
}

func (s *Store) updateAt(ctx context.Context, t target, u update) *ServerError {
	if name, found := u.outside(t.zone); found {
		failed := invalid("", "", fmt.Errorf("%s is not in the zone %s", name, trimDot(t.zone)))
		failed.Server, failed.Zone = t.hosts.String(), trimDot(t.zone)
		return failed
	}
	out := s.ask(ctx, t, u.message(t.zone), u.repeatable())
	if out.answer != nil && out.answer.Rcode == dns.RcodeSuccess {
		return nil
	}
	failed := s.failure(t, out)
	failed.Err = because(s.end(ctx, u, out), out.err)
	if advice := u.inTheWay(failed.Rcode); advice != "" {
		failed.Advice = advice
	}
	return failed
}

// end is what a caller is to decide by: what is certain about the change.
func (s *Store) end(ctx context.Context, u update, out outcome) error {
	switch {
	case out.answer == nil && out.copies == 0:
		return ErrNotSent
	case out.answer == nil:
		return dnsstore.ErrUnknown
	case len(u.change.Set) > 0 && out.copies > 1:
		// Another copy may have been applied, and the answer to it be lost.
		return dnsstore.ErrUnknown
	case u.guardFailed(out.answer.Rcode):
		return dnsstore.ErrRefused
	case conditionFalse(out.answer.Rcode):
		return s.conflict(ctx, u)
	case refused(out.answer.Rcode):
		return dnsstore.ErrRefused
	}
	return dnsstore.ErrUnknown
}

// conflict is ErrConflict, unless the change turns out to have been made: the
// network may have doubled a datagram, or somebody on the way may have sent a
// copy of the message ahead of it, and kept the answer to that. Then this
// answer, to the second copy, proves nothing.
func (s *Store) conflict(ctx context.Context, u update) error {
	if len(u.change.Set) == 0 || !u.repeatable() {
		return dnsstore.ErrConflict
	}
	for _, want := range u.change.Set {
		is, failed := s.lookup(ctx, want.Key)
		if failed != nil {
			return because(dnsstore.ErrUnknown, context.Cause(ctx))
		}
		if !slices.Equal(is.Data, want.Data) {
			return dnsstore.ErrConflict
		}
	}
	return dnsstore.ErrUnknown
}

// guardFailed tells whether the condition that did not hold must be one that
// the caller has not made: a CNAME, or whatever is in the way of one.
func (u *update) guardFailed(rcode int) bool {
	switch rcode {
	case dns.RcodeYXDomain:
		return true // no caller can make that condition
	case dns.RcodeYXRrset:
		absent := func(s dnsstore.RRSet) bool { return len(s.Data) == 0 }
		return len(u.guarded) > 0 && !slices.ContainsFunc(u.change.If, absent)
	}
	return false
}

// inTheWay says what else than the stated conditions may have been the reason.
func (u *update) inTheWay(rcode int) string {
	switch {
	case rcode == dns.RcodeYXDomain:
		return fmt.Sprintf("there are other records at %s, which a CNAME cannot stand beside", nameOf(u.change))
	case rcode == dns.RcodeYXRrset && len(u.guarded) > 0:
		return fmt.Sprintf("there may be a CNAME at %s, which other records cannot stand beside", u.guarded[0])
	}
	return ""
}
