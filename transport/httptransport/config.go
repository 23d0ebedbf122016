package httptransport

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/transport"
)

// Path is where a transport is mounted, unless the host has reasons.
const Path = "/ag/peer"

// defaultIOTimeout is long for 18 KiB and short for someone who holds a
// connection open.
const defaultIOTimeout = 10 * time.Second

// Config is what a transport is made of. The zero Config is good.
type Config struct {
	// Keys are explicit keys, newest first. With any, SetKeys has no effect and
	// the keys are the host's to change, with SetExplicitKeys. None: the keys
	// come from SetKeys, which a group calls.
	Keys []transport.Key
	// TLS is used to reach peers with https: own certificate authorities,
	// client certificates. It is copied. An empty ServerName means the FQDN of
	// the group: each peer must have a certificate for that. Groups share
	// connections where they share the name. nil: the system's authorities.
	TLS *tls.Config
	// Path is where the peers have mounted theirs, prefixes included; empty:
	// the constant Path.
	Path string
	// IOTimeout is how long it may take to read the body of a request; to write
	// the answer may take twice as long. Zero or less: 10 s.
	IOTimeout time.Duration
	// Now is the clock for the age of nonces, of which only differences count,
	// and for the deadlines of connections. nil: time.Now.
	Now func() time.Time
	// Logger is told of panics of the handler, and nothing else; nil: nobody is.
	Logger *slog.Logger
}

// New returns a transport. It does nothing until it is used. A mistake in c, a
// zero key, is returned by SetKeys, Serve and Exchange.
func New(c Config) *Transport {
	t := &Transport{
		path:    "/" + strings.TrimPrefix(cmp.Or(c.Path, Path), "/"),
		timeout: c.IOTimeout,
		now:     c.Now,
		log:     c.Logger,
		clients: newClients(c.TLS),
		groups:  map[string]*group{},
	}
	if t.timeout <= 0 {
		t.timeout = defaultIOTimeout
	}
	if t.now == nil {
		t.now = time.Now
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	t.nonces, t.problem = newMint(t.now)
	if err := t.SetExplicitKeys(c.Keys...); err != nil {
		t.problem = fmt.Errorf("Config.Keys: %w", err)
	}
	t.rest = newGroup(t, "")
	return t
}

// randomOctets returns n octets that nobody can guess.
func randomOctets(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // documented never to fail
	return b
}
