package failover

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/internal/record"
)

// store is the primary master with the record, and what is wrong with it.
type store struct {
	now     Observation
	version uint64

	delay   func() time.Duration // of one round trip
	split   func(time.Duration) (there, back time.Duration)
	doubled func() bool              // whether an update arrives twice
	late    map[string]time.Duration // the next write of a node takes that long to arrive
	lost    map[string]bool          // the next write of a node does not arrive
	refuse  map[string]bool          // updates of a node are refused for good
	copies  map[string]Observation   // nodes that read a copy
}

func newStore() store {
	return store{
		now:     Observation{Found: Absent, Token: "0"},
		delay:   func() time.Duration { return 2 * time.Millisecond },
		split:   func(d time.Duration) (there, back time.Duration) { return d / 2, d - d/2 },
		doubled: func() bool { return false },
		late:    map[string]time.Duration{}, lost: map[string]bool{}, refuse: map[string]bool{}, copies: map[string]Observation{},
	}
}

// holds tells whether there is a record of a living group.
func (s *store) holds() bool { return s.now.Found == Present && !s.now.Record.Dissolved }

func (w *world) read(n *node, gen uint64, e Read) {
	give := w.once(n, gen, e.Op, e.Within, ReadDone{Op: e.Op, Problem: "timeout"})
	there, back := w.store.split(w.store.delay())
	w.after(there, func() {
		if w.net.cut[n.id+">store"] {
			return
		}
		o := w.store.now
		if x, ok := w.store.copies[n.id]; ok {
			o = x
		}
		o.HostRead = e.Host
		if !e.Host {
			o.Host = nil
		}
		served := w.now
		w.after(back, func() {
			if w.net.cut["store>"+n.id] {
				return
			}
			if n.gen == gen && !n.frozen {
				w.rules.read[n.id] = served
			}
			give(ReadDone{Op: e.Op, Seen: o})
		})
	})
}

func (w *world) write(n *node, gen uint64, e Write) {
	give := w.once(n, gen, e.Op, e.Within, WriteDone{Op: e.Op, End: Unknown, Problem: "timeout"})
	there, back := w.store.split(w.store.delay())
	if d, ok := w.store.late[n.id]; ok {
		there = d
		delete(w.store.late, n.id)
	}
	if w.store.lost[n.id] {
		delete(w.store.lost, n.id)
		return
	}
	apply := func(answer bool) {
		if w.net.cut[n.id+">store"] {
			return
		}
		done := WriteDone{Op: e.Op, End: w.apply(n, e)}
		switch done.End {
		case Applied:
			done.Token = w.store.now.Token
			if there > w.local(n, e.Within) {
				w.reached["late updates"]++
			}
		case Refused:
			done.Problem = "not allowed"
		case Unknown, Conflicted:
		}
		w.after(back, func() {
			if answer && !w.net.cut["store>"+n.id] {
				give(done)
			}
		})
	}
	if w.store.doubled() {
		w.after(there, func() { apply(false) })
		there += back
	}
	w.after(there, func() { apply(true) })
}

// apply is the primary master: compare and swap of the record, the host record
// with it.
func (w *world) apply(n *node, e Write) End {
	s := &w.store
	if s.refuse[n.id] {
		return Refused
	}
	if s.now.Token != e.Token || e.HostAbsent && len(s.now.Host) > 0 {
		return Conflicted
	}
	host := s.now.Host
	if e.Record.Dissolved {
		host = nil
	} else if x, ok := e.Record.Member(e.Record.Primary); ok {
		host = x.Addresses()
	}
	w.set(Observation{Found: Present, Record: e.Record.Clone(), Host: host}, n.id)
	w.checkRecord(e.Record)
	return Applied
}

// set replaces what the server holds, and says what is new about it.
func (w *world) set(o Observation, by string) {
	s := &w.store
	s.version++
	o.Token = fmt.Sprint(s.version)
	was := s.now
	s.now = o
	if w.silent {
		return
	}
	w.trace("store", "%s: %s", by, DescribeRecord(o.Record))
	if a, b := summary(was), summary(o); a != b {
		w.say("store", "%s: %s", by, b)
	}
}

// tamper changes the record by hand, as nobody but the library must: until all
// have seen it, and twice the failover period longer, nothing is promised.
func (w *world) tamper(o Observation) {
	w.set(o, "hand")
	w.rules.tampered(w)
}

// summary is what matters of a record beyond the numbers of its renewals.
func summary(o Observation) string {
	if o.Found != Present {
		return o.Found.String() + because(o.Problem)
	}
	r := o.Record
	text := fmt.Sprintf("term %d of %s", r.Term, orNone(r.Primary))
	text += mark("/"+r.Run, r.Run != "") + mark(" by "+r.By, r.By != r.Primary)
	var members []string
	for _, m := range r.Members {
		members = append(members, describeMember(m)+mark(fmt.Sprintf(":%d", m.Port), m.Port != 80))
	}
	text += ", members " + orNone(strings.Join(members, ","))
	text += fmt.Sprintf(", w=%v r=%v c=%v", r.AllowedAbsence, r.ReportInterval, r.CheckInterval)
	text += mark(", paused", r.Paused) + mark(", dissolved", r.Dissolved)
	return text + ", host " + orNone(strings.Join(o.Host, ","))
}

// edited returns a copy of the record that the server holds, changed.
func (s *store) edited(edit func(r *record.Record)) Observation {
	o := s.now
	o.Record = o.Record.Clone()
	o.Host = slices.Clone(o.Host)
	edit(&o.Record)
	return o
}
