package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

const (
	defaultPort = 53
	// addressAge is how long the addresses of a named server are used before
	// they are asked for again.
	addressAge = time.Minute
)

// host is an address of the server, or a name that stands for some.
type host struct {
	name string // an IP address or a domain name
	port uint16
}

func (h host) String() string { return net.JoinHostPort(h.name, strconv.Itoa(int(h.port))) }

// hosts are all the addresses of one server.
type hosts []host

// String returns the hosts separated by commas.
func (hs hosts) String() string {
	texts := make([]string, len(hs))
	for i, h := range hs {
		texts[i] = h.String()
	}
	return strings.Join(texts, ",")
}

// parseServers parses Config.Server.
func parseServers(text string) (hosts, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	return parseHosts("Server", strings.Split(text, ","))
}

// parseResolvers parses Config.Resolvers.
func parseResolvers(texts []string) (hosts, error) {
	hs, err := parseHosts("Resolvers", texts)
	errs := []error{err}
	var addresses hosts
	for _, h := range hs {
		if _, err := netip.ParseAddr(h.name); err != nil {
			errs = append(errs, &FieldError{Field: "Resolvers", Problem: fmt.Sprintf("%q is not an address", h.name)})
			continue
		}
		addresses = append(addresses, h)
	}
	return addresses, errors.Join(errs...)
}

func parseHosts(field string, texts []string) (hosts, error) {
	var hs hosts
	var errs []error
	for _, text := range texts {
		h, err := parseHost(strings.TrimSpace(text))
		if err != nil {
			errs = append(errs, &FieldError{Field: field, Problem: fmt.Sprintf("%q: %s", text, err.Error())})
			continue
		}
		hs = append(hs, h)
	}
	return hs, errors.Join(errs...)
}

// parseHost parses one address or name, with or without a port.
func parseHost(text string) (host, error) {
	h := host{name: text, port: defaultPort}
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		h.name = strings.TrimSuffix(inner, "]")
	} else if name, port, err := net.SplitHostPort(text); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return host{}, fmt.Errorf("port %q is not a number from 1 to 65535", port)
		}
		h = host{name: name, port: uint16(n)}
	}
	if addr, err := netip.ParseAddr(h.name); err == nil {
		h.name = addr.String()
		return h, nil
	}
	h.name = dnsstore.Canonical(h.name)
	return h, checkName(h.name)
}

// addressBook finds the addresses of hosts that are given by name. It keeps
// the last ones, and falls back on them: the resolvers of this host may fail
// together with what the group is there to replace. The zero value needs a
// resolver.
type addressBook struct {
	resolver *net.Resolver

	mu    sync.Mutex
	known map[string]entry // guarded by mu
	good  string           // guarded by mu; that has given the last answer
}

type entry struct {
	addrs []netip.Addr
	at    time.Time
}

// prefer notes an address that has given an answer.
func (b *addressBook) prefer(addr string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.good = addr
}

// preferred puts the address that has given the last answer first, so that one
// from which nothing comes costs its share of the time once, not in each call.
func (b *addressBook) preferred(addrs []string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(addrs, b.good); i > 0 {
		addrs = slices.Insert(slices.Delete(addrs, i, i+1), 0, b.good)
	}
	return addrs
}

// resolve returns all "address:port" of a server, in the order in which to try
// them.
func (b *addressBook) resolve(ctx context.Context, s *Store, hs hosts) ([]string, error) {
	var addrs []string
	var errs []error
	for _, h := range hs {
		found, err := b.lookup(ctx, s, h.name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, addr := range found {
			if text := netip.AddrPortFrom(addr, h.port).String(); !slices.Contains(addrs, text) {
				addrs = append(addrs, text)
			}
		}
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("address of the server: %w", errors.Join(errs...))
	}
	return b.preferred(addrs), nil
}

// lookup returns the addresses of one host. Looking for newer ones may take a
// quarter of the time that is left.
func (b *addressBook) lookup(ctx context.Context, s *Store, name string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{addr}, nil
	}
	b.mu.Lock()
	last := b.known[name]
	b.mu.Unlock()
	now := s.mono()
	if len(last.addrs) > 0 && now.Sub(last.at) < addressAge {
		return last.addrs, nil
	}
	const share = 4
	lookup, cancel := s.share(ctx, share)
	defer cancel()
	addrs, err := b.resolver.LookupNetIP(lookup, "ip", name)
	if err != nil && len(last.addrs) > 0 {
		addrs, err = last.addrs, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known == nil {
		b.known = make(map[string]entry)
	}
	b.known[name] = entry{addrs: addrs, at: now}
	return addrs, nil
}

// share bounds a step by a part of the time that a call has left.
func (s *Store) share(ctx context.Context, parts int) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.remaining(ctx)/time.Duration(parts))
}

// remaining is the time that a call has left.
func (s *Store) remaining(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return s.timeout
	}
	return max(deadline.Sub(s.mono()), 0)
}
