package availability

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/internal/failover"
	"github.com/availabilitygroup/ag/internal/record"
	"github.com/availabilitygroup/ag/transport"
)

// Problems with what a node is connected to.
var (
	errNoStore        = errors.New("availability: no store is open: the settings are not complete, or open none")
	errNilStore       = errors.New("availability: OpenStore returned neither a store nor an error")
	errNoTransport    = errors.New("availability: this node has no transport")
	errForeignMessage = errors.New("availability: the message is for another group or node")
	errHealthHangs    = errors.New("availability: the health check has not returned in time")
)

// prober is implemented by stores that can tell whether their server keeps
// what they promise.
type prober interface {
	Probe(ctx context.Context, fqdn string) error
}

// links are what a node is connected to: the store of its group, opened with
// the group's key, and the transport, which signs with a key made from it.
type links struct {
	g   *Group
	run string // this incarnation

	ready chan struct{} // closed when a store was opened first

	mu      sync.Mutex
	access  dnsstore.Access // guarded by mu; what the store was opened with
	skewed  bool            // guarded by mu; told that the clocks differ
	store   dnsstore.Store  // guarded by mu; nil: not open
	name    string          // guarded by mu
	node    string          // guarded by mu
	closer  io.Closer       // guarded by mu; of the store, nil: it is not ours to close
	closed  bool            // guarded by mu; Run has ended
	probed  bool            // guarded by mu
	old     []io.Closer     // guarded by mu; replaced stores, in use perhaps
	secrets []Secret        // guarded by mu; newest first, two at most
}

// open opens the store for settings that are complete, anew if the group or
// its key has changed, and gives the transport its keys.
func (l *links) open(s Settings) error {
	if !s.complete() || l.isOpen(s) {
		return nil
	}
	store, closer := l.g.cfg.Store, io.Closer(nil)
	if store == nil {
		var err error
		if store, err = l.openStore(s); err != nil {
			return fmt.Errorf("open the store of %s: %w", s.GroupFQDN, err)
		}
		closer, _ = store.(io.Closer)
	}
	err := l.setKeys(s)
	if err == nil {
		err = l.use(store, closer, s)
	}
	if err != nil && closer != nil {
		err = errors.Join(err, closer.Close())
	}
	return err
}

// openStore tells settings that open no store, which is what an error means that
// comes from no server, from a server that cannot be had.
func (l *links) openStore(s Settings) (dnsstore.Store, error) {
	store, err := l.g.cfg.OpenStore(accessFor(s))
	switch {
	case err == nil && store == nil:
		return nil, errNilStore
	case err == nil:
		return store, nil
	case ofServer(err):
		return nil, fmt.Errorf("%w: %w", ErrStoreUnreachable, err)
	}
	return nil, fmt.Errorf("%w: the settings open no store: %w", ErrBadRequest, err)
}

// ofServer tells whether an error comes from a server, or from the way to it.
func ofServer(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, dnsstore.ErrRefused) || errors.Is(err, dnsstore.ErrUnfit) || errors.Is(err, dnsstore.ErrUnknown)
}

// use makes a store the present one, unless Run has ended meanwhile.
func (l *links) use(store dnsstore.Store, closer io.Closer, s Settings) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrNotRunning
	}
	if l.closer != nil {
		l.old = append(l.old, l.closer)
	}
	if l.store == nil {
		close(l.ready)
	}
	l.store, l.closer, l.name, l.access, l.node, l.probed = store, closer, s.GroupFQDN, accessFor(s), l.g.idFor(s), false
	return nil
}

// isOpen: the store and the keys are those of s already.
func (l *links) isOpen(s Settings) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.store != nil && l.access == accessFor(s) && l.node == l.g.idFor(s)
}

func accessFor(s Settings) dnsstore.Access {
	return dnsstore.Access{
		FQDN: s.GroupFQDN, TSIGName: s.TSIGName, TSIGAlgorithm: s.TSIGAlgorithm, TSIGSecret: s.TSIGSecret,
	}
}

// setKeys gives a transport that signs the keys of the present secret and of
// the one before, so that nodes can change it one after the other.
func (l *links) setKeys(s Settings) error {
	if a, ok := l.g.cfg.Transport.(transport.Addressed); ok {
		if err := a.SetAddress(s.GroupFQDN, l.g.idFor(s)); err != nil {
			return fmt.Errorf("address the transport: %w", err)
		}
	}
	keyed, ok := l.g.cfg.Transport.(transport.Keyed)
	if !ok {
		return nil
	}
	keys, err := l.keys(s)
	if err != nil {
		return err
	}
	if err := keyed.SetKeys(keys...); err != nil {
		return &ConfigError{Fields: []FieldError{{Field: "tsig_secret", Problem: "gives the transport no key: " + err.Error()}}}
	}
	return nil
}

func (l *links) keys(s Settings) ([]transport.Key, error) {
	l.mu.Lock()
	if s.TSIGSecret.IsZero() {
		l.secrets = nil
	} else if len(l.secrets) == 0 || !l.secrets[0].Equal(s.TSIGSecret) {
		l.secrets = append([]Secret{s.TSIGSecret}, l.secrets...)
		l.secrets = l.secrets[:min(2, len(l.secrets))]
	}
	secrets := l.secrets
	l.mu.Unlock()
	var keys []transport.Key
	for _, secret := range secrets {
		octets, err := record.PeerKey(secret.Reveal(), s.GroupFQDN)
		if err != nil {
			return nil, fmt.Errorf("derive the peers' key: %w", err)
		}
		key, err := transport.NewKey(octets)
		if err != nil {
			return nil, fmt.Errorf("derive the peers' key: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// close closes what was opened here.
func (l *links) close() {
	l.mu.Lock()
	closers := l.old
	if l.closer != nil {
		closers = append(closers, l.closer)
	}
	l.store, l.closer, l.old, l.closed = nil, nil, nil, true
	l.mu.Unlock()
	for _, c := range closers {
		if err := c.Close(); err != nil {
			l.g.log.Warn("close the store", slogErr(err))
		}
	}
}

func (l *links) fqdn() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.name
}

func (l *links) current() (dnsstore.Store, string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.store == nil {
		return nil, "", errNoStore
	}
	return l.store, l.name, nil
}

// read is the effect Read.
func (l *links) read(ctx context.Context, e failover.Read) failover.Input {
	l.g.counts.reads.Add(1)
	seen, err := l.observe(ctx, e.Host)
	if err != nil {
		l.g.counts.readsFailed.Add(1)
		l.g.storeProblem(storeRead, err)
		return failover.ReadDone{Op: e.Op, Problem: problemOf(err)}
	}
	if seen.Found == failover.Unusable {
		l.g.counts.badRecords.Add(1)
	}
	l.g.storeWorks(storeRead)
	return failover.ReadDone{Op: e.Op, Seen: seen}
}

func (l *links) observe(ctx context.Context, host bool) (failover.Observation, error) {
	store, name, err := l.current()
	if err != nil {
		return failover.Observation{}, err
	}
	kinds := []string{"TXT"}
	if host {
		kinds = withHost()
	}
	sets, errs := lookupAll(ctx, store, name, kinds)
	if errs[0] != nil {
		return failover.Observation{}, errs[0]
	}
	seen := observation(sets[0].Data)
	if host && errors.Join(errs...) == nil {
		seen.Host, seen.HostRead = hostData(sets), true
	}
	return seen, nil
}

// withHost are the kinds of the record and, after it, of the host record.
func withHost() []string { return []string{"TXT", "A", "AAAA"} }

// hostData are the addresses in what withHost has read, sorted.
func hostData(sets []dnsstore.RRSet) []string {
	return slices.Sorted(slices.Values(slices.Concat(sets[1].Data, sets[2].Data)))
}

// lookupAll reads several RRsets at a name at once, so that a slow server
// takes one answer's time.
func lookupAll(ctx context.Context, store dnsstore.Store, name string, kinds []string) ([]dnsstore.RRSet, []error) {
	sets, errs := make([]dnsstore.RRSet, len(kinds)), make([]error, len(kinds))
	var all sync.WaitGroup
	for i, kind := range kinds {
		all.Go(func() { sets[i], errs[i] = store.Lookup(ctx, dnsstore.Key{Name: name, Type: kind}) })
	}
	all.Wait()
	return sets, errs
}

// probeTimes is how many times as long as an update a probe may take, which is
// a dozen of round trips. Both together are over well before the authority that
// counts from their beginning: 11 times U·2/3 is less than 0.49·W.
const probeTimes = 10

// probeTime is the least that a probe gets which nothing waits for but the
// caller of a verb.
const probeTime = 10 * time.Second

// probeFirst probes the server before a verb enters a group, so that the
// probe's time is not taken from the authority that the verb may begin.
func (l *links) probeFirst(ctx context.Context) error {
	store, name, err := l.current()
	if err != nil {
		return err
	}
	err = l.probe(ctx, store, name, max(probeTime, probeTimes*l.g.current().attempt()))
	if err == nil || errors.Is(err, dnsstore.ErrUnfit) || errors.Is(err, dnsstore.ErrRefused) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrStoreUnreachable, err)
}

// write is the effect Write.
func (l *links) write(ctx context.Context, e failover.Write) failover.Input {
	done := failover.WriteDone{Op: e.Op}
	store, name, err := l.current()
	if err != nil {
		done.End, done.Problem = failover.Refused, err.Error() // nothing was sent
		return done
	}
	if err := l.probe(ctx, store, name, probeTimes*e.Within); err != nil {
		l.g.storeProblem(storeProbe, err)
		done.End, done.Problem = failover.Unknown, problemOf(err)
		if errors.Is(err, dnsstore.ErrUnfit) || errors.Is(err, dnsstore.ErrRefused) {
			done.End = failover.Refused
		}
		return done
	}
	change, token, err := changeFor(name, e)
	if err != nil {
		done.End, done.Problem = failover.Refused, err.Error()
		return done
	}
	l.g.counts.writes.Add(1)
	ctx, cancel := context.WithTimeout(ctx, e.Within)
	defer cancel()
	err = store.Apply(ctx, change)
	done.End, done.Problem = l.g.endOf(err), problemOf(err)
	if done.End == failover.Applied {
		done.Token = token
	}
	return done
}

// probe asks a store that can tell whether its server keeps the promises that
// everything rests on, once, before this node's first write that enters a
// group. A node that is in a group already only says what it finds.
func (l *links) probe(ctx context.Context, store dnsstore.Store, name string, within time.Duration) error {
	p, ok := store.(prober)
	if !ok || l.probedAlready() || l.g.snap.Load().view.InGroup {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := p.Probe(ctx, name); err != nil {
		return fmt.Errorf("probe the server of %s: %w", name, err)
	}
	l.g.storeWorks(storeProbe)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.probed = true
	return nil
}

// skewer is implemented by stores that measure how far the server's clock is
// ahead of ours.
type skewer interface{ Skew() time.Duration }

// mostSkew is a fifth of the time by which clocks may differ before signed
// messages are refused (RFC 8945 §10: 300 s).
const mostSkew = time.Minute

// skew returns a difference of the clocks that is news.
func (l *links) skew() (failover.Skew, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.store.(skewer)
	if !ok {
		return failover.Skew{}, false
	}
	ahead := s.Skew()
	was := l.skewed
	l.skewed = ahead.Abs() > mostSkew
	return failover.Skew{Peer: "the DNS server", Ahead: ahead}, l.skewed && !was
}

func (l *links) probedAlready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.probed
}
