package rfc2136

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

const (
	// DefaultTimeout bounds a call whose context has no deadline.
	DefaultTimeout = 10 * time.Second
	// DefaultFudge is how far the clocks of client and server may differ
	// (RFC 8945 section 10).
	DefaultFudge = 300 * time.Second
	// DefaultAlgorithm is used if no TSIG algorithm is given.
	DefaultAlgorithm = "hmac-sha256"
)

// Config says where the server is and how to speak to it. The zero value of
// each field but the TSIG key's has a meaning. A Config is not changed by its
// methods and may be used for many stores.
type Config struct {
	// Server is the primary master: "host", "host:port", an address,
	// "[v6]:port", or several of these separated by commas, all of them
	// addresses of the one server. They are tried in turn until one takes a
	// connection. The port is 53 if none is given. Empty: the server that the
	// zone's SOA names.
	Server string
	// Zone is the name of the zone. Empty: found by SOA queries at the first
	// call.
	Zone string
	// FQDN is the name whose zone is searched for if Zone is empty. Empty: the
	// name that the first call is about.
	FQDN string
	// TSIGName is the name of the key, as the server knows it.
	TSIGName string
	// TSIGAlgorithm is hmac-sha256 (also if empty), hmac-sha384 or hmac-sha512.
	TSIGAlgorithm string
	// TSIGSecret is the secret in base64, as in a key file.
	TSIGSecret dnsstore.Secret
	// Net is "tcp" (also if empty) or "udp".
	Net string
	// Timeout bounds a call whose context has no deadline. Zero:
	// DefaultTimeout.
	Timeout time.Duration
	// Fudge is how far the clocks may differ, whole seconds, at most 65535.
	// Zero: DefaultFudge.
	Fudge time.Duration
	// Now tells the time by which messages are signed. Nil: the system's clock.
	Now func() time.Time
	// Rand is where message IDs come from. Nil: crypto/rand. It must be safe
	// for concurrent use.
	Rand io.Reader
	// Dial makes connections; network is "tcp" or "udp", address an IP address
	// and a port. Nil: a net.Dialer's DialContext.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Resolver finds the addresses of a server that is given, or found, by
	// name. Nil: net.DefaultResolver.
	Resolver *net.Resolver
	// Resolvers are the recursive servers that are asked for the SOA if Server
	// is empty, each an address or "address:port". Empty: those of
	// /etc/resolv.conf.
	Resolvers []string
}

// FieldError is one mistake in a [Config].
type FieldError struct {
	// Field is the name of the field.
	Field string
	// Problem says what is wrong. It never quotes a secret.
	Problem string
}

// Error returns both.
func (e *FieldError) Error() string { return "rfc2136: " + e.Field + ": " + e.Problem }

// New returns a store. It does no input or output: the server is spoken to at
// the first call. All mistakes are reported at once, each a [*FieldError],
// joined by errors.Join.
func New(c Config) (*Store, error) {
	key, keyErr := newKey(c.TSIGName, c.TSIGAlgorithm, c.TSIGSecret)
	hosts, serverErr := parseServers(c.Server)
	resolvers, resolversErr := parseResolvers(c.Resolvers)
	err := errors.Join(keyErr, serverErr, resolversErr, c.check())
	if err != nil {
		return nil, err
	}
	c = c.withDefaults()
	s := &Store{
		key: key, net: c.Net, timeout: c.Timeout, dialContext: c.Dial,
		random: c.Rand, fudge: c.Fudge, now: c.Now, mono: time.Now, //nolint:forbidigo // waits are measured by the real clock, whatever Config.Now says
		finder:    finder{fqdn: c.FQDN, zone: c.Zone, hosts: hosts, resolvers: resolvers},
		addresses: addressBook{resolver: c.Resolver},
	}
	return s, nil
}

// Open is what a group's configuration takes as its OpenStore: it fills the
// fields of the TSIG key and the FQDN from a, where they are empty, and calls
// [New].
func (c Config) Open(a dnsstore.Access) (dnsstore.Store, error) {
	if c.FQDN == "" {
		c.FQDN = a.FQDN
	}
	if c.TSIGName == "" {
		c.TSIGName = a.TSIGName
	}
	if c.TSIGAlgorithm == "" {
		c.TSIGAlgorithm = a.TSIGAlgorithm
	}
	if c.TSIGSecret.IsZero() {
		c.TSIGSecret = a.TSIGSecret
	}
	s, err := New(c)
	if err != nil {
		return nil, err // not s: a nil *Store in an interface is not nil
	}
	return s, nil
}

// check looks at the fields that need no parsing.
func (c Config) check() error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, &FieldError{Field: field, Problem: fmt.Sprintf(format, args...)})
	}
	if err := checkName(c.Zone); c.Zone != "" && err != nil {
		wrong("Zone", "%s", err.Error())
	}
	if err := checkName(c.FQDN); c.FQDN != "" && err != nil {
		wrong("FQDN", "%s", err.Error())
	}
	if c.FQDN != "" && c.Zone != "" && !inZone(absolute(c.FQDN), absolute(c.Zone)) {
		wrong("Zone", "%q does not hold the FQDN %q", c.Zone, c.FQDN)
	}
	if c.Net != "" && c.Net != "tcp" && c.Net != "udp" {
		wrong("Net", "%q is neither \"tcp\" nor \"udp\"", c.Net)
	}
	if c.Timeout < 0 {
		wrong("Timeout", "%s is negative", c.Timeout)
	}
	if c.Fudge < 0 || c.Fudge > math.MaxUint16*time.Second || c.Fudge%time.Second != 0 {
		wrong("Fudge", "%s is not a whole number of seconds from 0 to %d", c.Fudge, math.MaxUint16)
	}
	return errors.Join(errs...)
}

// withDefaults fills what is empty.
func (c Config) withDefaults() Config {
	if c.Net == "" {
		c.Net = "tcp"
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Fudge == 0 {
		c.Fudge = DefaultFudge
	}
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the default of what is injected
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	return c
}
