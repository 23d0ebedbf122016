package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/miekg/dns"
)

// resolvConf is where the system keeps the addresses of its resolvers.
const resolvConf = "/etc/resolv.conf"

// findServer asks the resolvers for the zone of a name and returns the primary
// master that its SOA names. Nothing here is signed: a wrong server cannot
// sign its answers, so the worst that can come of it is that there are none.
func (s *Store) findServer(ctx context.Context, name string) (host, error) {
	resolvers, err := s.resolvers()
	if err != nil {
		return host{}, fmt.Errorf("find the server for %s: %w", trimDot(name), err)
	}
	for at := name; at != "."; at = parent(at) {
		primary, err := s.primaryOf(ctx, resolvers, at)
		if err != nil {
			return host{}, fmt.Errorf("find the server for %s: %w", trimDot(name), err)
		}
		if primary == "." {
			return host{}, fmt.Errorf("the SOA of %s names no primary", trimDot(at))
		}
		if primary != "" {
			return host{name: trimDot(primary), port: defaultPort}, nil
		}
	}
	return host{}, fmt.Errorf("no zone found for %s", trimDot(name))
}

// resolvers returns those of the configuration, else those of the system.
func (s *Store) resolvers() (hosts, error) {
	if len(s.finder.resolvers) > 0 {
		return s.finder.resolvers, nil
	}
	return systemResolvers(resolvConf)
}

// systemResolvers reads a file such as resolv.conf(5) describes.
func systemResolvers(file string) (hosts, error) {
	system, err := dns.ClientConfigFromFile(file)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, text := range system.Servers {
		texts = append(texts, net.JoinHostPort(text, system.Port))
	}
	hs, err := parseResolvers(texts)
	if len(hs) == 0 {
		return nil, errors.Join(errors.New("no resolvers in "+file), err)
	}
	return hs, nil
}

// primaryOf asks the resolvers in turn for the SOA of a name, until one
// answers. It returns nothing if the name is not that of a zone.
func (s *Store) primaryOf(ctx context.Context, resolvers hosts, name string) (primary string, err error) {
	var errs []error
	for i, h := range resolvers {
		part, cancel := s.share(ctx, len(resolvers)-i)
		a, err := s.resolve(part, h, soaQuery(name))
		if err != nil {
			err = ended(part, err)
		}
		cancel()
		if err == nil {
			return primaryIn(name, a), nil
		}
		errs = append(errs, fmt.Errorf("resolver %s: %w", h, err))
		if ctx.Err() != nil {
			break
		}
	}
	return "", errors.Join(errs...)
}

// resolve asks one resolver, over UDP and if need be TCP.
func (s *Store) resolve(ctx context.Context, h host, m *dns.Msg) (*answer, error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	m.Id, m.RecursionDesired = id, true
	wire, err := m.Pack()
	if err != nil {
		return nil, err
	}
	out := outcome{request: &request{wire: wire, id: id, opcode: m.Opcode, question: m.Question[0], again: true}}
	s.overUDP(ctx, []string{h.String()}, out.request, &out)
	if out.cutOff() {
		out.answer = nil
		s.overTCP(ctx, []string{h.String()}, out.request, &out)
	}
	switch {
	case out.answer == nil:
		return nil, out.err
	case out.answer.Rcode != dns.RcodeSuccess && out.answer.Rcode != dns.RcodeNameError:
		return nil, errors.New(rcodeText(out.answer.Rcode))
	}
	return out.answer, nil
}

// primaryIn returns the primary master in the SOA of exactly that name. A
// resolver has no authority, so the SOA beside a negative answer is not used.
func primaryIn(name string, a *answer) string {
	for _, rr := range a.Answer {
		if soa, ok := rr.(*dns.SOA); ok && absolute(soa.Hdr.Name) == name {
			return absolute(soa.Ns)
		}
	}
	return ""
}
