package rfc2136

import "sync/atomic"

// Stats are counters since the store was made.
type Stats struct {
	// Lookups, Applies and Probes are calls of these methods, however ended.
	Lookups, Applies, Probes uint64
	// Queries and Updates are signed messages, each counted once.
	Queries, Updates uint64
	// Retransmissions are datagrams sent again, Reconnects messages sent again
	// on a second connection.
	Retransmissions, Reconnects uint64
	// Unverified are messages that came where an answer was waited for and
	// that are none: not signed, signed by another key, not fitting. A few are
	// a wrong key or secret, many an attack.
	Unverified uint64
	// Truncated are queries that went over TCP because their answer was cut off.
	Truncated uint64
	// ZoneSearches are searches for the zone or the server.
	ZoneSearches uint64
	// ClockCorrections are changes of the clock by which messages are signed.
	ClockCorrections uint64
}

// counters are what Stats are read from.
type counters struct {
	lookups, applies, probes    atomic.Uint64
	queries, updates            atomic.Uint64
	retransmissions, reconnects atomic.Uint64
	unverified, truncated       atomic.Uint64
	zoneSearches, corrections   atomic.Uint64
}

// Stats returns the present counters.
func (s *Store) Stats() Stats {
	return Stats{
		Lookups:          s.counters.lookups.Load(),
		Applies:          s.counters.applies.Load(),
		Probes:           s.counters.probes.Load(),
		Queries:          s.counters.queries.Load(),
		Updates:          s.counters.updates.Load(),
		Retransmissions:  s.counters.retransmissions.Load(),
		Reconnects:       s.counters.reconnects.Load(),
		Unverified:       s.counters.unverified.Load(),
		Truncated:        s.counters.truncated.Load(),
		ZoneSearches:     s.counters.zoneSearches.Load(),
		ClockCorrections: s.counters.corrections.Load(),
	}
}
