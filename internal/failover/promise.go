package failover

import (
	"slices"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// promise is the last one this run gave.
type promise struct {
	given   bool
	at      time.Duration // wait
	length  time.Duration
	to, run string
}

// promising: this run has promised to start no takeover yet.
func (m *Machine) promising() bool {
	return m.promise.given && !m.due(m.promise.at+m.promise.length)
}

// received takes a message of a peer, which the transport has authenticated.
func (m *Machine) received(in Received) {
	switch msg := in.Message.(type) {
	case Heartbeat:
		m.do(Reply{Conn: in.Conn, Message: m.heartbeat(in.From, msg)})
	case Query:
		if msg.Fresh {
			m.store.wanted = true
			m.known.asked = append(m.known.asked, asked{conn: in.Conn, after: m.store.op})
			return
		}
		m.do(Reply{Conn: in.Conn, Message: m.report()})
	case Told:
		m.store.wanted = true
		m.do(Reply{Conn: in.Conn, Message: m.report()})
	case Ask:
		m.asked(in, msg)
	case Report, Verdict:
		m.do(Reply{Conn: in.Conn, Message: Verdict{Code: CodeBadRequest, Text: "an answer is no request"}})
	}
}

// asked is a peer that waits for a report after a read that began since.
type asked struct {
	conn  uint64
	after uint64 // the operation that was under way: not that one
}

// answerFresh answers those who asked for a report after a new read; op is the
// read that has ended.
func (m *Machine) answerFresh(op uint64) {
	var later []asked
	for _, a := range m.known.asked {
		if a.after == op {
			later = append(later, asked{conn: a.conn})
			m.store.wanted = true
			continue
		}
		r := m.report()
		r.Term, r.Seq = m.known.read.term, m.known.read.seq // not what was only heard of
		m.do(Reply{Conn: a.conn, Message: r})
	}
	m.known.asked = later
}

// heartbeat takes a Primary's heartbeat and promises, if it may (rule 4).
func (m *Machine) heartbeat(from string, hb Heartbeat) Report {
	k := &m.known
	if k.seen.Found == Present && hb.Group != k.seen.Record.Group {
		return m.report()
	}
	number := pair{hb.Term, hb.Seq}
	stale := hb.Term < k.heard.term
	m.hear(number)
	if stale {
		return m.report()
	}
	if hb.Term > k.read.term || m.role == event.RoleNotInGroup {
		m.store.wanted = true
	}
	if !m.auth.held {
		m.heardDirectly(from)
	}
	r := m.report()
	if !m.mayPromise() {
		return r
	}
	if k.seen.Found == Unread {
		r.Group = hb.Group // it binds in any group: nobody takes a record that he has not read
	}
	r.Promise = m.timing().W
	m.promise = promise{given: true, at: m.now.Wait, length: r.Promise, to: from, run: hb.Run}
	k.quiet = m.now.Wait
	return r
}

// mayPromise: not as Primary, not with a write of our own unresolved that
// claims the role, not when the record we read last names us.
func (m *Machine) mayPromise() bool {
	claiming := slices.ContainsFunc(m.tries, func(a attempt) bool { return a.kind.claims() })
	named := m.known.seen.Found == Present && m.known.seen.Record.Primary == m.cfg.Self.ID
	return !m.auth.held && !claiming && !named
}

// report is what this node says of itself.
func (m *Machine) report() Report {
	r := Report{
		Run: m.cfg.Run, Term: m.known.heard.term, Seq: m.known.heard.seq,
		Role: m.role, Healthy: m.healthy && !m.stopping && !m.cooling(), Read: m.known.fresh,
	}
	if m.known.seen.Found == Present {
		r.Group, r.Primary = m.known.seen.Record.Group, m.known.seen.Record.Primary
	}
	if m.promise.given {
		r.PromisedTo, r.PromisedRun = m.promise.to, m.promise.run
		r.PromisedAgo = m.now.Wait - m.promise.at
	}
	return r
}
