package failover

import (
	"slices"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// readDone takes what a read showed.
func (m *Machine) readDone(in ReadDone) {
	s := &m.store
	if !m.answers(in.Op) || s.write {
		return
	}
	s.op, s.budget = 0, 0
	k := &m.known
	if in.Problem == "" && in.Seen.Found == Unread {
		in.Problem = "the store gave no answer"
	}
	if in.Problem == "" && m.wantsHost() && s.host && !in.Seen.HostRead {
		in.Problem = "the host record could not be read"
	}
	if in.Problem != "" || in.Seen.Found == Unusable {
		m.readFailed(in)
		return
	}
	k.fresh, k.problem, k.failed = true, "", 0
	k.reads++
	s.must = false
	m.lastUpdated = m.now.Wall
	if in.Seen.Found == Absent {
		m.sawAbsent(in.Seen)
	} else {
		k.absent = false
		m.sawRecord(in.Seen)
	}
	m.setDNS(true, "")
	m.answerFresh(in.Op)
}

// readFailed: no answer is no answer. A record that cannot be used is not
// touched, and changes no role.
func (m *Machine) readFailed(in ReadDone) {
	problem := in.Problem
	if problem == "" {
		problem = in.Seen.Problem
		m.conflict(problem)
	}
	k := &m.known
	k.fresh, k.problem = false, problem
	k.failed++
	m.store.wanted = true
	m.store.readAt = m.now.Wait + m.timing().BackOff()
	m.setDNS(in.Problem == "", problem)
	m.answerFresh(in.Op)
}

// sawRecord: first what became of our own writes, then what is new, then what
// it means for us.
func (m *Machine) sawRecord(o Observation) {
	own, resolved := m.resolve(o)
	m.see(o)
	if resolved {
		m.confirmed(own, o.Record)
	}
	m.settle(o)
}

// resolve: a write is unresolved until a read shows a record other than the
// one it was conditional on; a nonce of ours shows which one was applied.
func (m *Machine) resolve(o Observation) (own attempt, ok bool) {
	if len(m.tries) == 0 || ident(o) == m.openOn {
		return attempt{}, false
	}
	i := slices.IndexFunc(m.tries, func(a attempt) bool { return a.rec.Nonce == o.Record.Nonce })
	if i >= 0 {
		own, ok = m.tries[i], true
	}
	m.tries, m.openOn = nil, ""
	return own, ok
}

// see makes o what is known of the record.
func (m *Machine) see(o Observation) {
	k := &m.known
	was := k.seen
	if ident(was) != ident(o) {
		m.store.barred = "" // somebody's update was taken
	}
	if was.Found == Present && was.Record.Primary != o.Record.Primary {
		k.before = was.Record.Primary
	}
	m.learn(o.Record)
	k.seen = o
	told := k.told
	k.told = record.Record{}
	if m.lists(o.Record) || m.role != event.RoleNotInGroup {
		k.told = o.Record
		m.noteChanges(told, o.Record)
	}
}

// lists: the record has this node among its members, at this address.
func (m *Machine) lists(r record.Record) bool {
	me, ok := r.Member(m.cfg.Self.ID)
	return ok && !r.Dissolved && m.sameAddress(me)
}

func (m *Machine) sameAddress(x record.Member) bool {
	return x.IPv4 == m.cfg.Self.IPv4 && x.IPv6 == m.cfg.Self.IPv6
}

// settle draws the consequences of a record for this node's role.
func (m *Machine) settle(o Observation) {
	if m.auth.held && !m.stillHeld(o.Record) {
		m.demote(event.CauseSuperseded, o.Record.Primary)
	}
	if m.auth.held {
		m.repairHost(o)
		return
	}
	r := o.Record
	me, listed := r.Member(m.cfg.Self.ID)
	switch {
	case r.Dissolved:
		m.settled = true
		m.become(event.RoleNotInGroup, event.CauseDissolved)
	case !listed:
		m.become(event.RoleNotInGroup, m.leftBy())
	case !m.sameAddress(me):
		m.conflict("the record lists " + me.ID + " at another address: remove that member before this node joins")
		m.become(event.RoleNotInGroup, event.CauseRemoved)
	case me.Joining:
	case m.role == event.RoleNotInGroup:
		m.become(event.RoleSecondary, m.joinedBy())
	}
}

// stillHeld: an older record is written over; a record that names us in this
// term and incarnation is gone on from; anything else ends the authority at
// once (rule 7).
func (m *Machine) stillHeld(r record.Record) bool {
	a := &m.auth
	switch {
	case r.Group != a.base.Group || r.Dissolved:
		return false
	case m.known.older:
		a.urgent = true
		return true
	case r.Primary != m.cfg.Self.ID || r.Run != m.cfg.Run || r.Term != a.term:
		return false
	}
	if r.Nonce != a.base.Nonce {
		a.base, a.seq = r, max(a.seq, r.Seq)
		_, joining := memberIDs(r)
		a.urgent = a.urgent || len(joining) > 0
	}
	a.absent = false
	return true
}

// repairHost: every renewal sets the host record; one that is wrong is set at
// once, and said.
func (m *Machine) repairHost(o Observation) {
	if !o.HostRead || len(m.tries) > 0 {
		return
	}
	want := m.cfg.Self.Addresses()
	if slices.Equal(o.Host, want) {
		return
	}
	m.auth.urgent = true
	m.tell(func(h event.Header) event.Event {
		return event.HostRecordRepair{Header: h, Found: o.Host, Set: want}
	}, event.HostRecordRepaired)
}

// sawAbsent: somebody deleted the record. It takes two answers a check
// interval apart to believe it; a Primary counts no promise after the first
// (rule 11).
func (m *Machine) sawAbsent(o Observation) {
	k := &m.known
	if !k.absent {
		k.absent, k.absentAt, k.absentOf = true, m.now.Wait, m.store.began
	}
	if m.auth.held {
		m.auth.absent = true
	}
	if ident(k.seen) != "" && m.role == event.RoleNotInGroup && !m.joining() && !m.auth.held {
		k.seen = o
	}
	if k.seen.Found != Present {
		k.seen = o
		return
	}
	if m.store.began < k.absentOf+m.timing().C {
		return
	}
	if m.auth.held {
		m.demote(event.CauseRemovedFromDNS, "")
	}
	k.seen = o
	m.tries, m.openOn = nil, ""
	gone := k.told
	gone.Primary, gone.Members = "", nil
	m.noteChanges(k.told, gone)
	k.told = record.Record{}
	m.become(event.RoleNotInGroup, event.CauseRemovedFromDNS)
}

func (m *Machine) joinedBy() event.Cause {
	if len(m.tasks) > 0 && m.tasks[0].req.Verb == VerbJoin {
		return event.CauseJoined
	}
	return event.CauseStarted
}

func (m *Machine) leftBy() event.Cause {
	if len(m.tasks) > 0 && m.tasks[0].req.Verb == VerbLeave {
		return event.CauseLeft
	}
	return event.CauseRemoved
}
