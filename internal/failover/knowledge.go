package failover

import (
	"slices"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// pair numbers a Primary's write: the term, and the write within the term.
type pair struct{ term, seq uint64 }

func (p pair) less(q pair) bool {
	return p.term < q.term || (p.term == q.term && p.seq < q.seq)
}

func pairOf(r record.Record) pair { return pair{r.Term, r.Seq} }

// knowledge is what this run knows of the record.
type knowledge struct {
	seen     Observation // what the last answered read showed, or our own confirmed write
	fresh    bool        // the last read was answered
	problem  string      // of the last read
	conflict string      // what was told last

	group string // of the record read last
	read  pair   // number of the record read last
	top   pair   // highest number ever read
	heard pair   // highest number ever read or heard
	terms uint64 // highest term known or tried by ourselves
	older bool   // the record read last is older than one that was read before

	before string        // the Primary before the present one
	told   record.Record // what the events about the group have told

	quiet   time.Duration // wait, rule 5
	learned time.Duration // wait: when the number of the record was first read

	absent   bool          // the last answered read showed no record
	absentAt time.Duration // wait: answer to the first one of these
	absentOf time.Duration // wait: its start
	voidTerm uint64        // of a create that is void: rule 6 only (rule 11)
	asked    []asked       // peers that wait for a new read
	reads    uint64        // answered reads, for those who wait for the next one
	failed   uint64        // reads in a row that were not answered
}

// ident names a record for the purpose of "a different record".
func ident(o Observation) string {
	if o.Found != Present {
		return ""
	}
	return o.Record.Group + "/" + o.Record.Nonce
}

// learn takes a record that a read or our own confirmed write shows (rule 5):
// a number that was never heard of moves quiet, and so does a record older
// than one that was read before (rule 7).
func (m *Machine) learn(r record.Record) {
	k := &m.known
	p := pairOf(r)
	k.terms = max(k.terms, p.term)
	another := k.group != "" && k.group != r.Group // also if it was away in between
	k.group = r.Group
	switch {
	case another:
		k.heard, k.top, k.older = p, p, false
		k.quiet, k.learned = m.now.Wait, m.now.Wait
		m.lastHeard = m.now.Wait
	case k.heard.less(p):
		k.heard, k.top, k.older = p, p, false
		k.quiet, k.learned = m.now.Wait, m.now.Wait
		m.heardOverDNS(r)
	case p == k.read:
	case k.top.less(p): // heard of before it was read
		k.top, k.older = p, false
		k.learned = m.now.Wait
	default:
		k.older = p.less(k.top)
		k.quiet, k.learned = m.now.Wait, m.now.Wait
	}
	k.read = p
}

// hear takes the number that a heartbeat names (rule 5).
func (m *Machine) hear(p pair) {
	if m.known.heard.less(p) {
		m.known.heard = p
		m.known.quiet = m.now.Wait
	}
	m.known.terms = max(m.known.terms, p.term)
}

// nextTerm is larger than every known term, and grows across groups (rule 12).
func (m *Machine) nextTerm() uint64 {
	next := m.known.terms + 1
	if unix := m.now.Wall.Unix(); unix > 0 {
		next = max(next, uint64(unix))
	}
	m.known.terms = next
	return next
}

// noteChanges tells what differs between two records of one group.
func (m *Machine) noteChanges(was, is record.Record) {
	if was.Primary != is.Primary {
		m.tell(func(h event.Header) event.Event {
			return event.PrimaryChange{Header: h, Previous: was.Primary, New: is.Primary}
		}, event.PrimaryChanged)
	}
	wasMembers, wasJoining := memberIDs(was)
	members, joining := memberIDs(is)
	if !slices.Equal(wasMembers, members) || !slices.Equal(wasJoining, joining) {
		m.tell(func(h event.Header) event.Event {
			return event.MembersChange{Header: h, Members: members, Joining: joining}
		}, event.MembersChanged)
	}
	if was.Paused != is.Paused {
		m.tell(func(h event.Header) event.Event {
			return event.PauseChange{Header: h, Paused: is.Paused}
		}, event.PauseChanged)
	}
	if fields := changedFields(was, is); len(fields) > 0 && was.Group != "" {
		m.tell(func(h event.Header) event.Event {
			return event.ConfigurationChange{Header: h, Fields: fields}
		}, event.ConfigurationChanged)
	}
}

func changedFields(was, is record.Record) []string {
	var fields []string
	for _, f := range []struct {
		name    string
		was, is time.Duration
	}{
		{"allowed_absence_interval", was.AllowedAbsence, is.AllowedAbsence},
		{"group_fqdn_ttl", was.TTL, is.TTL},
		{"health_check_interval", was.CheckInterval, is.CheckInterval},
		{"health_report_interval", was.ReportInterval, is.ReportInterval},
	} {
		if f.was != f.is {
			fields = append(fields, f.name)
		}
	}
	return fields
}

func memberIDs(r record.Record) (confirmed, joining []string) {
	for _, m := range r.Members {
		if m.Joining {
			joining = append(joining, m.ID)
		} else {
			confirmed = append(confirmed, m.ID)
		}
	}
	return confirmed, joining
}
