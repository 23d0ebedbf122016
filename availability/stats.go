package availability

import (
	"log/slog"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/failover"
)

// Stats are counters since the group was made, and gauges.
type Stats struct {
	// Reads of the record, and those that were not answered.
	Reads       uint64 `json:"reads"`
	ReadsFailed uint64 `json:"reads_failed"`
	// Writes of the record, and those that a condition refused, the server
	// refused for good, and whose end was unknown.
	Writes    uint64 `json:"writes"`
	Conflicts uint64 `json:"conflicts"`
	Refused   uint64 `json:"refused"`
	Unknown   uint64 `json:"unknown"`
	// BadRecords are reads that showed a record that cannot be used.
	BadRecords uint64 `json:"bad_records"`
	// Sent are messages to peers, Unanswered those without an answer,
	// Received messages of peers, BadMessages those that were refused.
	Sent        uint64 `json:"sent"`
	Unanswered  uint64 `json:"unanswered"`
	Received    uint64 `json:"received"`
	BadMessages uint64 `json:"bad_messages"`
	// RoleChanges of this node.
	RoleChanges uint64 `json:"role_changes"`
	// EventsDropped are events that subscribers were too slow for,
	// HandlerPanics panics of handlers and hooks that were recovered.
	EventsDropped uint64 `json:"events_dropped"`
	HandlerPanics uint64 `json:"handler_panics"`
	// Subscribers is the number of subscriptions, EventsQueued the number of
	// events that wait for handlers, EventsLag how long ago the oldest one
	// happened. JSON: nanoseconds.
	Subscribers  int           `json:"subscribers"`
	EventsQueued int           `json:"events_queued"`
	EventsLag    time.Duration `json:"events_lag"`
}

type counters struct {
	reads, readsFailed, writes, conflicts, refused, unknown atomic.Uint64
	badRecords, sent, unanswered, received, badMessages     atomic.Uint64
	roleChanges, panics                                     atomic.Uint64

	mu       sync.Mutex
	failures map[channel]int // in a row; guarded by mu
}

// channel is what can fail by itself: what is asked of the store, or a peer.
type channel struct{ store, peer string }

// What is asked of the store.
const (
	storeRead  = "read"
	storeWrite = "write"
	storeProbe = "probe"
)

// failed counts one more failure in a row.
func (c *counters) failed(of channel) (failures int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failures == nil {
		c.failures = map[channel]int{}
	}
	c.failures[of]++
	return c.failures[of]
}

// works ends a row of failures.
func (c *counters) works(of channel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.failures, of)
}

// Stats returns the counters and gauges of the group.
func (g *Group) Stats() Stats {
	c, h := &g.counts, g.hub.stats(g.cfg.Clock.Now().Round(0))
	return Stats{
		Reads: c.reads.Load(), ReadsFailed: c.readsFailed.Load(),
		Writes: c.writes.Load(), Conflicts: c.conflicts.Load(), Refused: c.refused.Load(), Unknown: c.unknown.Load(),
		BadRecords: c.badRecords.Load(),
		Sent:       c.sent.Load(), Unanswered: c.unanswered.Load(), Received: c.received.Load(), BadMessages: c.badMessages.Load(),
		RoleChanges:   c.roleChanges.Load(),
		EventsDropped: h.dropped, HandlerPanics: c.panics.Load() + h.panics,
		Subscribers: h.subscribers, EventsQueued: h.queued, EventsLag: h.lag,
	}
}

func slogErr(err error) slog.Attr { return slog.String("err", err.Error()) }

// worthTelling: the first of a row of failures, and every doubling.
func worthTelling(failures int) bool { return bits.OnesCount(uint(failures)) == 1 }

// storeProblem and peerProblem log failures, the first of a row and every
// doubling.
func (g *Group) storeProblem(what string, err error) {
	if n := g.counts.failed(channel{store: what}); worthTelling(n) {
		g.log.Warn("the store does not work", slog.String("what", what), slog.Int("failures", n), slogErr(err))
	}
}

func (g *Group) storeWorks(what string) { g.counts.works(channel{store: what}) }

func (g *Group) peerProblem(id string, err error) {
	if n := g.counts.failed(channel{peer: id}); worthTelling(n) {
		g.log.Warn("a peer does not answer", slog.String("peer", id), slog.Int("failures", n), slogErr(err))
	}
}

// logEvent writes one line for each event.
func (d *driver) logEvent(e event.Event) {
	h := e.Meta()
	if h.ID == event.NodeRoleChanged {
		d.g.counts.roleChanges.Add(1)
	}
	d.g.log.LogAttrs(d.work, slog.LevelInfo, "event",
		slog.String("id", string(h.ID)), slog.String("group", h.Group), slog.String("node", h.Node),
		slog.Uint64("term", h.Term), slog.String("text", failover.DescribeEvent(e)))
}
