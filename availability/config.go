package availability

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/internal/record"
	"github.com/availabilitygroup/ag/transport"
)

// Config is what a Group is made of. Only a store is needed; with any other
// Bootstrap than [BootstrapManual] also the FQDN and an address.
type Config struct {
	// Settings are what the operator sets. With a StateDir, those that were
	// saved there stand in for the ones not set here.
	Settings Settings
	// NodeID names this node within the group: 1 to 63 octets of a-z 0-9 . : _
	// and -, the first a letter or a digit. The default is the IPv4 address,
	// else the IPv6 address. Two live processes must never have the same one.
	NodeID string
	// Priority says which member is preferred as Primary, the highest first:
	// 1 to 65535. 0 means 100; a negative one makes the node never Primary.
	Priority int
	// Bootstrap says what the node does when the group does not list it.
	Bootstrap Bootstrap
	// OpenStore opens the store with the group's name and key, and again when
	// they change: rfc2136.Config{Server: "ns1:53"}.Open. A store that is an
	// io.Closer is closed. Either OpenStore or Store must be set, not both. An
	// error of it that comes from no server says that the settings are wrong.
	OpenStore func(dnsstore.Access) (dnsstore.Store, error)
	// Store is a store of one's own in the place of OpenStore. It is never
	// closed.
	Store dnsstore.Store
	// Transport carries heartbeats from node to node. Without one they go
	// through the record in DNS only.
	Transport transport.Transport
	// Health is the host's own check, called every half HealthReportInterval
	// with a deadline. Three errors in a row make the node unhealthy, three
	// successes healthy again. Without one the node is always healthy.
	Health func(context.Context) error
	// BeforePromote is called after the record is won and before the node's
	// role shows as primary. An error gives the role back, and the node waits
	// at least one AllowedAbsenceInterval before it tries again.
	BeforePromote func(context.Context, Promotion) error
	// OnDemote is called when the node stops being Primary, to stop its work.
	// Its context is not ended by the end of Run's, but by the stop budget.
	OnDemote func(context.Context, Demotion)
	// FailbackAfter is how long a member of a higher priority must have been
	// well before the Primary hands the role back to it. 0: never.
	FailbackAfter time.Duration
	// Witness watches this process and releases its record when it dies.
	Witness Witness
	// StateDir is a directory on a local disk that belongs to this Group
	// alone. It holds the settings, the TSIG secret included, and the proof
	// that an earlier run has ended. Empty: settings are not saved, and the
	// node cannot reclaim its role after a restart.
	StateDir string
	// Clock is the time; nil means the system's. Only the interface is used.
	Clock clock.Clock
	// Logger is where the group logs; nil means nowhere. One that blocks holds
	// the group up: it loses the role, though its contexts end in time.
	Logger *slog.Logger
}

const (
	defaultPriority = 100
	maxPriority     = 65535
)

// checked returns c with what was saved and all defaults filled in, or a
// *ConfigError with everything that is wrong. NodeID stays empty if there is
// neither one nor an address to take it from; that is allowed for
// BootstrapManual only.
func (c Config) checked(saved Settings) (Config, error) {
	c.Settings = saved.overlaid(c.Settings).canonical().withDefaults()
	c.NodeID = cmp.Or(c.NodeID, c.Settings.nodeID())
	c.Priority = cmp.Or(c.Priority, defaultPriority)
	if c.Clock == nil {
		c.Clock = clock.New()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	found := append(c.Settings.mistakes(c.Bootstrap != BootstrapManual), c.mistakes()...)
	return c, configError(found)
}

// nodeID returns the node ID that follows from the addresses, empty if there
// are none.
func (s Settings) nodeID() string {
	if s.ExternalIPv4Address.IsValid() {
		return s.ExternalIPv4Address.String()
	}
	if !s.ExternalIPv6Address.IsValid() {
		return ""
	}
	if id := s.ExternalIPv6Address.String(); record.ValidID(id) {
		return id
	}
	return s.ExternalIPv6Address.StringExpanded() // an ID cannot begin with a colon
}

// mistakes returns what is wrong beside the settings.
func (c Config) mistakes() []FieldError {
	var found []FieldError
	wrong := func(field, problem string) { found = append(found, FieldError{Field: field, Problem: problem}) }
	if c.NodeID != "" && !record.ValidID(c.NodeID) {
		wrong("node_id", "must be 1 to 63 of a-z 0-9 . : _ - and begin with a letter or a digit")
	}
	if c.Priority > maxPriority {
		wrong("priority", "must be at most 65535")
	}
	if !c.Bootstrap.valid() {
		wrong("bootstrap", "must be manual, join or create")
	}
	if c.OpenStore == nil && c.Store == nil {
		wrong("store", "is needed: set OpenStore, or Store")
	}
	if c.OpenStore != nil && c.Store != nil {
		wrong("store", "must be set only once: OpenStore or Store")
	}
	if c.FailbackAfter < 0 {
		wrong("failback_after", "must not be negative; 0 means never")
	}
	return found
}
