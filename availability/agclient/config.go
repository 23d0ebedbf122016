package agclient

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/internal/record"
)

// Config says which group, and what is known of it. Only FQDN is needed.
type Config struct {
	// FQDN is the name of the group, with or without the final dot: letters,
	// digits, hyphens, underscores and dots; no URL, port or address. Case does
	// not matter.
	FQDN string
	// Store reads the record of the group at the primary master; nothing is
	// written. Nil: the members are asked, and the resolver. It is not closed.
	Store dnsstore.Store
	// Members are where the members' role endpoints are: base URLs such as
	// "https://192.0.2.10:8443", to which RolePath is appended, or host:port,
	// which means https. The port is that of the role endpoint only: a request
	// goes to the port in its own URL. Members in the record need not be here.
	Members []string
	// Base makes the connections, and serves requests to other names. It is
	// cloned for the connections to the group; of its HTTP/2 configuration the
	// fields of http.Transport count, not golang.org/x/net/http2. It must not
	// have DialTLSContext, since TLS to a chosen address is made by the clones.
	// Nil: one like http.DefaultTransport, of its own.
	Base *http.Transport
	// RolePath is the path of a role endpoint, which answers 200 on the Primary
	// and 503 elsewhere. Empty: "/ag/api/v1/primary", that of package httpapi.
	RolePath string
	// Trust is how long the Primary is believed to be the same, and how long a
	// failure is held against a node; at most the TTL of the group. 0: 5 s.
	Trust time.Duration
	// MaxConnAge is how old a pooled connection to the group may be to serve
	// one more request. 0: the TTL of the group if it is known, else 30 s.
	// Negative: any age.
	MaxConnAge time.Duration
	// LookupTimeout is how long one look-up may take, half of it for Store.
	// 0: 2 s.
	LookupTimeout time.Duration
	// Patience is how long a request that a node refused as not being Primary
	// waits for a Primary. 0: 2 s. Negative: for one look-up.
	Patience time.Duration
	// Clock is the time; nil means the system's. Only the interface is used.
	Clock clock.Clock
	// Logger is where the client logs; nil means nowhere.
	Logger *slog.Logger
}

const (
	defaultRolePath   = "/ag/api/v1/primary"
	defaultTrust      = 5 * time.Second
	defaultMaxConnAge = 30 * time.Second
	defaultLookup     = 2 * time.Second
	defaultPatience   = 2 * time.Second
	// defaultIdle is how long http.DefaultTransport keeps an idle connection.
	defaultIdle = 90 * time.Second
)

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	c.FQDN = dnsstore.Canonical(c.FQDN)
	c.RolePath = cmp.Or(c.RolePath, defaultRolePath)
	c.Trust = cmp.Or(c.Trust, defaultTrust)
	c.LookupTimeout = cmp.Or(c.LookupTimeout, defaultLookup)
	c.Patience = cmp.Or(c.Patience, defaultPatience)
	if c.Base == nil {
		c.Base = defaultBase()
	}
	if c.Clock == nil {
		c.Clock = clock.New()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// check returns all that is wrong, and the members.
func (c Config) check() ([]member, error) {
	var wrong []error
	add := func(field string, err error) { wrong = append(wrong, fmt.Errorf("field %s: %w", field, err)) }
	if problem := record.NameProblem(c.FQDN); problem != "" { // no request would match it
		add("FQDN", fmt.Errorf("%.300q %s", c.FQDN, problem))
	}
	if !strings.HasPrefix(c.RolePath, "/") {
		add("RolePath", fmt.Errorf("%q does not begin with a slash", c.RolePath))
	}
	if c.Trust < 0 {
		add("Trust", fmt.Errorf("%v is negative", c.Trust))
	}
	if c.LookupTimeout < 0 {
		add("LookupTimeout", fmt.Errorf("%v is negative", c.LookupTimeout))
	}
	if dialsTLS(c.Base) {
		add("Base", errors.New("it dials TLS by itself (DialTLSContext), so no address can be chosen for it"))
	}
	var members []member
	for _, text := range c.Members {
		m, err := parseMember(text, c.RolePath)
		if err != nil {
			add("Members", err)
			continue
		}
		members = append(members, m)
	}
	return members, errors.Join(wrong...)
}
