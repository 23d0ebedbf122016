package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

// target is where messages go: a server and a zone on it.
type target struct {
	hosts hosts
	zone  string // absolute
}

func (t target) equal(other target) bool {
	return t.zone == other.zone && slices.Equal(t.hosts, other.hosts)
}

// finder knows the target, or finds it and keeps it.
type finder struct {
	fqdn      string // may be empty
	zone      string // may be empty
	hosts     hosts  // may be empty
	resolvers hosts  // may be empty

	mu    sync.Mutex
	found *target // guarded by mu
}

// fixed tells whether there is nothing to be found.
func (f *finder) fixed() bool { return f.zone != "" && len(f.hosts) > 0 }

// keep stores what was found; nil: it is wrong.
func (f *finder) keep(t *target) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.found = t
}

func (f *finder) kept() *target {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.found
}

// target returns where to send what is about a name. Its errors are complete
// but for the operation and the name.
func (s *Store) target(ctx context.Context, name string) (target, *ServerError) {
	f := &s.finder
	if f.fixed() {
		return target{hosts: f.hosts, zone: absolute(f.zone)}, nil
	}
	if t := f.kept(); t != nil {
		return *t, nil
	}
	if f.fqdn != "" {
		name = f.fqdn
	}
	t, failed := s.find(ctx, absolute(name))
	if failed != nil {
		return target{}, failed
	}
	f.keep(&t)
	return t, nil
}

// again forgets a target that the server says is wrong, and tells whether
// another one is found in its place.
func (s *Store) again(ctx context.Context, name string, wrong target) (target, bool) {
	if s.finder.fixed() {
		return target{}, false
	}
	s.finder.keep(nil)
	t, failed := s.target(ctx, name)
	return t, failed == nil && !t.equal(wrong)
}

// find finds what is not given: the server by its zone's SOA, as the resolvers
// of this host see it, and the zone as the server itself sees it.
func (s *Store) find(ctx context.Context, name string) (target, *ServerError) {
	s.counters.zoneSearches.Add(1)
	t := target{hosts: s.finder.hosts}
	if s.finder.zone != "" {
		t.zone = absolute(s.finder.zone)
	}
	if len(t.hosts) == 0 {
		start := name
		if t.zone != "" {
			start = t.zone
		}
		h, err := s.findServer(ctx, start)
		if err != nil {
			return target{}, notFound(t, err, "give server and zone in the configuration")
		}
		t.hosts = hosts{h}
	}
	if t.zone != "" {
		return t, nil
	}
	return s.findZone(ctx, t, name)
}

// notFound is the error of a search. Nothing of what the caller wanted has been
// sent.
func notFound(t target, err error, advice string) *ServerError {
	return &ServerError{Server: t.hosts.String(), Rcode: NoAnswer, Advice: advice, Err: because(ErrNotSent, err)}
}

// findZone asks the server for the SOA of a name, and of the names above it if
// need be.
func (s *Store) findZone(ctx context.Context, t target, name string) (target, *ServerError) {
	for at := name; at != "."; at = parent(at) {
		out := s.ask(ctx, t, soaQuery(at), true)
		if out.answer == nil {
			return target{}, s.searchFailed(t, name, out, ErrNotSent, out.err)
		}
		apex, err := apexOf(at, out.answer)
		switch {
		case err != nil && out.answer.Rcode == dns.RcodeServerFailure:
			return target{}, s.searchFailed(t, name, out, ErrNotSent, err)
		case err != nil:
			return target{}, s.searchFailed(t, name, out, because(dnsstore.ErrRefused, ErrNotSent), err)
		case apex != "":
			t.zone = apex
			return t, nil
		}
	}
	return target{}, notFound(t, because(dnsstore.ErrRefused, errors.New("the server has no zone for "+trimDot(name))),
		"check server, or give zone in the configuration")
}

func (s *Store) searchFailed(t target, name string, out outcome, sentinel, err error) *ServerError {
	failed := s.failure(t, out)
	failed.Err = because(sentinel, fmt.Errorf("find the zone of %s: %w", trimDot(name), err))
	return failed
}

func soaQuery(name string) *dns.Msg { return query(name, dns.TypeSOA) }

// apexOf reads the zone's name from the answer to an SOA query. It returns
// nothing if the question is to be asked for the name above.
//
// The owner of an SOA in the answer counts only if it is the name that was
// asked for, since an alias brings the SOA of the zone it leads to.
func apexOf(name string, a *answer) (apex string, err error) {
	if a.Rcode != dns.RcodeSuccess && a.Rcode != dns.RcodeNameError {
		return "", fmt.Errorf("SOA of %s: %s", trimDot(name), rcodeText(a.Rcode))
	}
	if !a.Authoritative {
		return "", notAuthoritative(name, a)
	}
	for _, rr := range a.Answer {
		if rr.Header().Rrtype == dns.TypeSOA && absolute(rr.Header().Name) == name {
			return name, nil
		}
	}
	if len(a.Answer) > 0 {
		return "", nil
	}
	for _, rr := range a.Ns {
		if owner := absolute(rr.Header().Name); rr.Header().Rrtype == dns.TypeSOA && owner != "." && inZone(name, owner) {
			return owner, nil
		}
	}
	return "", nil
}

// errNotAuthoritative: the server has not got the name.
var errNotAuthoritative = errors.New("the server is not authoritative for the name")

// notAuthoritative tells a delegation from a server that has nothing to do
// with the name. In neither case may a zone above be used: BIND takes updates
// below a delegation and answers NOERROR, and nobody ever sees them.
func notAuthoritative(name string, a *answer) error {
	for _, rr := range a.Ns {
		owner := absolute(rr.Header().Name)
		if rr.Header().Rrtype == dns.TypeNS && owner != "." && inZone(name, owner) {
			return fmt.Errorf("%w: %s is delegated to others at %s", errNotAuthoritative, trimDot(name), trimDot(owner))
		}
	}
	return fmt.Errorf("%w: %s", errNotAuthoritative, trimDot(name))
}
