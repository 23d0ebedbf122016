package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/zone"
)

// Defaults of a [Config].
const (
	DefaultAddr        = "127.0.0.1:0"
	DefaultMaxConns    = 256
	DefaultIdleTimeout = 10 * time.Second
)

// Config is what a [Server] is made of. Only Zone is needed.
type Config struct {
	// Zone is the name of the zone (its apex), with or without the final dot.
	Zone string
	// Keys are the TSIG keys. Without any all updates are refused.
	Keys []Key
	// Addr is the address to serve at, UDP and TCP with the same port; port 0
	// means any free one. Empty means DefaultAddr.
	Addr string
	// Listener and PacketConn are sockets to serve at instead of Addr; both or
	// none. Run closes them. The connection must be one whose SetReadDeadline
	// wakes up a reader.
	Listener   net.Listener
	PacketConn net.PacketConn
	// Dir is where the zone is kept. It is made if there is none in a
	// directory that exists. Empty: the zone is kept in memory only.
	Dir string
	// Records are what the zone has at its first start; where Dir has a zone
	// already they are not looked at. A SOA and an NS set at the apex are
	// added if there are none.
	Records []dnsstore.RRSet
	// MaxConns bounds the TCP connections at a time; what is above is closed
	// at once. 0 means DefaultMaxConns.
	MaxConns int
	// IdleTimeout is how long a TCP connection may take until its next request
	// is complete, and for each answer to be taken. 0 means
	// DefaultIdleTimeout.
	IdleTimeout time.Duration
	// Logger gets a few lines; nil: none.
	Logger *slog.Logger
	// Now is the clock that signatures are checked and made by; nil: the
	// system's. Timeouts go by the system's clock always.
	Now func() time.Time
}

// Key is a TSIG key and what it may do.
type Key struct {
	// Name of the key, a domain name in any case.
	Name string
	// Algorithm is hmac-sha256 (also if empty), hmac-sha1, hmac-sha224,
	// hmac-sha384 or hmac-sha512. A request that uses the key with another
	// algorithm is answered BADKEY.
	Algorithm string
	// Secret is the key in base64, see [GenerateSecret].
	Secret dnsstore.Secret
	// Allow is what the key may change; none: the whole zone. Every key may
	// state prerequisites on anything, as everybody may query it.
	Allow []Grant
}

// Grant lets a key change records.
type Grant struct {
	// Name is the owner of the records, absolute, final dot or not.
	Name string
	// Subtree adds all names below Name.
	Subtree bool
	// Types are the types of the records, as in "TXT"; none: all but NS and
	// SOA. All records of a name can be deleted at once by who may change each
	// of them.
	Types []string
}

// New returns a server. It checks the whole configuration, reports all
// mistakes at once, joined, each a [*FieldError], and starts nothing.
func New(c Config) (*Server, error) {
	var wrong mistakes
	s := &Server{
		listener: c.Listener, packets: c.PacketConn,
		addr: cmp.Or(c.Addr, DefaultAddr), dir: c.Dir,
		maxConns: cmp.Or(c.MaxConns, DefaultMaxConns),
		idle:     cmp.Or(c.IdleTimeout, DefaultIdleTimeout),
		log:      c.Logger, now: c.Now, wall: time.Now,
		// Enough for any burst of clients; see Server.update for what is above.
		jobs:  make(chan *job, maxWaiting),
		bound: make(chan struct{}), ended: make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = s.wall
	}
	c.checkSockets(&wrong)
	apex, err := canonical(c.Zone)
	if err != nil {
		wrong.add("Zone", err)
	} else {
		s.initial = c.zone(apex, &wrong)
		s.keys = c.keys(apex, &wrong)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	s.zone.Store(s.initial)
	return s, nil
}

func (c Config) checkSockets(wrong *mistakes) {
	if (c.Listener == nil) != (c.PacketConn == nil) {
		wrong.addText("PacketConn", "goes with Listener: give both or none")
	}
	if c.Listener != nil && c.Addr != "" {
		wrong.addText("Addr", "has no meaning beside Listener")
	}
	if _, _, err := net.SplitHostPort(cmp.Or(c.Addr, DefaultAddr)); err != nil {
		wrong.add("Addr", err)
	}
	if c.MaxConns < 0 {
		wrong.addText("MaxConns", "negative")
	}
	if c.IdleTimeout < 0 {
		wrong.addText("IdleTimeout", "negative")
	}
}

// zone makes the initial zone.
func (c Config) zone(apex string, wrong *mistakes) *zone.Zone {
	var records []dns.RR
	for i, set := range c.Records {
		rrs, err := parseSet(set)
		if err != nil {
			wrong.add(fmt.Sprintf("Records[%d]", i), err)
		}
		records = append(records, rrs...)
	}
	z, err := zone.New(apex, records)
	if err != nil {
		wrong.add("Records", err)
	}
	return z
}

var (
	errNoName = errors.New("not a domain name")
	errEmpty  = errors.New("empty")
)

// canonical returns an absolute name as it looks when it comes from the wire,
// in lower case with the final dot, whatever escapes it was written with.
func canonical(name string) (string, error) {
	if name == "" {
		return "", errEmpty
	}
	wire := make([]byte, 256)
	n, err := dns.PackDomainName(dns.Fqdn(name), wire, 0, nil, false)
	if err != nil || strings.ContainsAny(name, " \t\r\n") {
		return "", fmt.Errorf("%w: %q", errNoName, name)
	}
	back, _, err := dns.UnpackDomainName(wire[:n], 0)
	if err != nil {
		return "", fmt.Errorf("%w: %q", errNoName, name)
	}
	return dns.CanonicalName(back), nil
}
