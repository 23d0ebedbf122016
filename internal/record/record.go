package record

import (
	"net/netip"
	"slices"
	"time"
)

// Record is the content of a group's TXT record: it is the group.
type Record struct {
	// Group is the random identity of the group, 8 hexadecimal digits.
	Group string
	// Term and Seq number the Primary's writes: Term rises with each new
	// holder, Seq with each write in a term.
	Term, Seq uint64
	// Nonce makes the value unique for ever, 16 hexadecimal digits.
	Nonce string
	// Primary is the ID of the Primary, empty after a release ("primary=-").
	Primary string
	// Run is the incarnation of the Primary, empty after a release.
	Run string
	// By is the ID of the node that wrote this term and sequence number. A
	// joining or leaving member's write does not change it. It differs from
	// Primary after a handover.
	By string
	// At is the writer's wall time, for people.
	At time.Time
	// Timing and TTL of the group.
	AllowedAbsence, ReportInterval, CheckInterval, TTL time.Duration
	// Paused: no automatic takeover. Dissolved: a tombstone.
	Paused, Dissolved bool
	// Members, sorted by ID.
	Members []Member
	// Extra are strings with keys that this version does not know, kept as
	// they were.
	Extra []string
}

// Member is one node of the group, as the record lists it.
type Member struct {
	ID       string
	Scheme   string
	Port     uint16
	Priority int // negative or 0: never Primary
	IPv4     netip.Addr
	IPv6     netip.Addr
	Joining  bool
	// Extra are further comma-separated fields that this version does not know.
	Extra []string
}

// Eligible tells whether the member could ever be Primary.
func (m Member) Eligible() bool { return m.Priority > 0 }

// Addresses are the member's addresses as a host record has them, sorted.
func (m Member) Addresses() []string {
	var all []string
	for _, a := range []netip.Addr{m.IPv4, m.IPv6} {
		if a.IsValid() {
			all = append(all, a.String())
		}
	}
	slices.Sort(all)
	return all
}

// Member returns the member with that ID.
func (r Record) Member(id string) (Member, bool) {
	i := slices.IndexFunc(r.Members, func(m Member) bool { return m.ID == id })
	if i < 0 {
		return Member{}, false
	}
	return r.Members[i], true
}

// Clone returns a copy that shares nothing with r.
func (r Record) Clone() Record {
	r.Members = slices.Clone(r.Members)
	for i := range r.Members {
		r.Members[i].Extra = slices.Clone(r.Members[i].Extra)
	}
	r.Extra = slices.Clone(r.Extra)
	return r
}
