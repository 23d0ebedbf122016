package failover

import (
	"cmp"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// peer is what a node knows of another member.
type peer struct {
	id     string
	op     uint64        // the heartbeat under way, one at most
	void   bool          // the authority it was sent under is gone
	at     time.Duration // hold: the stamp of that heartbeat
	sent   time.Duration // wait: the same
	named  pair          // the number it named
	failed bool          // the last exchange was not answered
	fails  int           // how many in a row were not
	vote   vote
	report Report
	heard  bool          // it has answered
	since  time.Duration // wait: healthy and answering since
	stable bool
}

// vote is a promise that counts for us.
type vote struct {
	given  bool
	at     time.Duration // hold: the stamp of the heartbeat it answers
	length time.Duration
}

func (m *Machine) peer(id string) *peer {
	for i := range m.peers {
		if m.peers[i].id == id {
			return &m.peers[i]
		}
	}
	m.peers = append(m.peers, peer{id: id})
	slices.SortFunc(m.peers, func(a, b peer) int { return cmp.Compare(a.id, b.id) })
	return m.peer(id)
}

// voters are the members whose promise is needed: every other confirmed member
// that could be Primary, of the record and of every write of unknown end, so
// that a joiner is asked from the send of its confirmation and a removed
// member until its removal is confirmed (rules 2 and 10).
func (m *Machine) voters() []string {
	var ids []string
	m.eachOther(func(x record.Member) {
		if x.Eligible() && !slices.Contains(ids, x.ID) {
			ids = append(ids, x.ID)
		}
	})
	slices.Sort(ids)
	return ids
}

// eachOther visits every other confirmed member, of the record and of every
// write of unknown end, as each of them lists it.
func (m *Machine) eachOther(visit func(record.Member)) {
	each := func(r record.Record) {
		for _, x := range r.Members {
			if x.ID != m.cfg.Self.ID && !x.Joining {
				visit(x)
			}
		}
	}
	each(m.auth.base)
	for _, a := range m.tries {
		each(a.rec)
	}
}

// beat sends the heartbeats that are due: to every other member, when a new
// number was stamped, R after the last one, and soon after a failed one.
func (m *Machine) beat() {
	if !m.auth.held {
		return
	}
	t := m.shortest()
	for _, x := range m.audience() {
		p := m.peer(x.ID)
		if p.op != 0 {
			continue
		}
		number := pair{m.auth.term, m.auth.seq}
		again := p.sent + t.R
		if p.failed {
			again = p.sent + max(t.BackOff(), t.R/4)
		}
		if p.named.less(number) || m.due(again) {
			p.op, p.void = m.op(), false
			p.at, p.sent, p.named = m.now.Hold, m.now.Wait, number
			m.do(Send{Op: p.op, To: x, Within: t.Attempt(), Message: Heartbeat{
				Group: m.auth.base.Group, Run: m.cfg.Run, Term: number.term, Seq: number.seq,
			}})
		}
	}
}

// audience is every other member that heartbeats go to.
func (m *Machine) audience() []record.Member {
	var all []record.Member
	m.eachOther(func(x record.Member) {
		if !slices.ContainsFunc(all, func(y record.Member) bool { return y.ID == x.ID }) {
			all = append(all, x)
		}
	})
	return all
}

// answered takes the end of an exchange.
func (m *Machine) answered(in Answered) {
	i := slices.IndexFunc(m.peers, func(p peer) bool { return p.op == in.Op && in.Op != 0 })
	if i < 0 {
		m.taskAnswered(in)
		return
	}
	p := &m.peers[i]
	counts := !p.void
	p.op, p.void = 0, false
	r, ok := in.Message.(Report)
	p.failed = in.Problem != "" || !ok
	if p.failed {
		p.fails++
		p.stable = false
		m.noteMethod()
		return
	}
	p.fails = 0
	m.noteReport(p, r, counts)
	if counts && m.auth.held {
		m.lastHeartbeat = m.now.Wall
		m.vote(p, r)
	}
	m.noteMethod()
}

// noteReport keeps what a member says of itself. How long it has been well is
// counted by the authority that asked it.
func (m *Machine) noteReport(p *peer, r Report, counts bool) {
	p.report, p.heard = r, true
	switch fine := r.Healthy && r.Read && counts; {
	case !fine:
		p.stable = false
	case !p.stable:
		p.stable, p.since = true, m.now.Wait
	}
	if r.Term > m.term() {
		m.store.wanted = true
	}
}

// vote counts a promise (rule 2): from the stamp of the heartbeat it answers,
// for no longer than three quarters of the length it states.
func (m *Machine) vote(p *peer, r Report) {
	if r.Promise <= 0 || r.Group != m.auth.base.Group || r.Term != m.auth.term {
		return
	}
	p.vote = vote{given: true, at: p.at, length: m.timing().counted(r.Promise)}
	m.tally()
}

// tally extends the authority by the moment at which every voter had promised.
func (m *Machine) tally() {
	voters := m.voters()
	if m.auth.absent || len(voters) == 0 {
		return
	}
	lease := m.shortest().Lease()
	first := true
	var from, until time.Duration
	for _, id := range voters {
		v := m.peer(id).vote
		if !v.given {
			return
		}
		end := v.at + min(lease, v.length)
		if first || end < until {
			until, from = end, v.at
		}
		first = false
	}
	m.extend(from, until-from)
}

// noteMethod tells which way heartbeats go: on the Primary, directly if every
// other member answered the last one.
func (m *Machine) noteMethod() {
	next := m.method
	switch {
	case m.role == event.RoleNotInGroup:
		next = ""
	case m.auth.held:
		next = m.primaryMethod()
	case next == "":
		next = event.HeartbeatDNS
	}
	m.setMethod(next)
}

func (m *Machine) primaryMethod() event.HeartbeatMethod {
	next := event.HeartbeatDirect
	others := m.audience()
	for _, x := range others {
		switch p := m.peer(x.ID); {
		case p.fails > 1: // a single lost one is no news
			return event.HeartbeatDNS
		case !p.heard:
			next = m.method
		}
	}
	if len(others) == 0 || next == "" {
		return event.HeartbeatDNS
	}
	return next
}

func (m *Machine) setMethod(next event.HeartbeatMethod) {
	if m.method == next {
		return
	}
	prev := m.method
	m.method = next
	if prev == "" || next == "" {
		return
	}
	m.tell(func(h event.Header) event.Event {
		return event.HeartbeatMethodChange{Header: h, Previous: prev, New: next}
	}, event.HeartbeatMethodChanged)
}

// heardDirectly and heardOverDNS note a sign of life of the Primary.
func (m *Machine) heardDirectly(from string) {
	m.lastDirect = m.now.Wait
	if m.role == event.RoleSecondary {
		m.setMethod(event.HeartbeatDirect)
	}
	m.noteHeard(from)
}

func (m *Machine) heardOverDNS(r record.Record) {
	if r.Primary == "" || r.Primary == m.cfg.Self.ID {
		return
	}
	if m.role == event.RoleSecondary && m.now.Wait >= m.lastDirect+m.timing().alarmAfter() {
		m.setMethod(event.HeartbeatDNS)
	}
	m.noteHeard(r.Primary)
}

func (m *Machine) noteHeard(peer string) {
	before := m.lastHeartbeat
	m.lastHeard, m.lastHeartbeat = m.now.Wait, m.now.Wall
	if !m.lost {
		return
	}
	m.lost = false
	m.tell(func(h event.Header) event.Event {
		return event.HeartbeatReturn{Header: h, Peer: peer, Last: before}
	}, event.HeartbeatRestored)
}

// noteSilence tells once when neither channel has brought a sign of life.
func (m *Machine) noteSilence() {
	if m.role != event.RoleSecondary || m.lost {
		return
	}
	r := m.known.seen.Record
	if r.Primary == "" || r.Primary == m.cfg.Self.ID || !m.due(m.lastHeard+m.timing().lostAfter()) {
		return
	}
	m.lost = true
	m.tell(func(h event.Header) event.Event {
		return event.HeartbeatLoss{Header: h, Peer: r.Primary, Last: m.lastHeartbeat}
	}, event.HeartbeatLost)
}
