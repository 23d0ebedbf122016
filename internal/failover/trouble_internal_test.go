package failover

import (
	"maps"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/internal/record"
)

// trouble makes one random fault or request.
func (s *simulation) trouble() {
	n := s.nodes[s.rng.IntN(len(s.nodes))]
	o := s.nodes[s.rng.IntN(len(s.nodes))]
	kinds := []func(n, o *node){
		s.process, s.process, s.process, s.clocks, s.links, s.links, s.links, s.links, s.slowness, s.slowness,
		s.members, s.members, s.failovers, s.failovers, s.settings, s.host, s.host,
	}
	if s.rng.IntN(25) == 0 {
		kinds = []func(n, o *node){s.byHand, s.byForce, s.byForce, s.byForce, s.theEnd}
	}
	kinds[s.rng.IntN(len(kinds))](n, o)
}

func (s *simulation) process(n, _ *node) {
	switch s.rng.IntN(5) {
	case 0, 1:
		if n.up {
			s.kill(n)
		} else {
			s.start(n, s.proof(n))
		}
	case 2, 3:
		if n.up && n.frozen {
			s.thaw(n)
		} else if n.up {
			s.freeze(n, s.rng.IntN(3) == 0)
		}
	case 4:
		if n.up && !n.frozen {
			s.say(n.id, "is told to end")
			s.deliver(n, n.gen, Stop{})
		}
	}
}

// clocks: a wall clock is set, forward or back. One that is set back while the
// machine is suspended hides the time from both clocks, which is outside of
// assumption A2; so is one that is set back after the last look at the clocks
// before that, and the host looks often: here, at once.
func (s *simulation) clocks(n, _ *node) {
	d := s.upTo(4*s.timing.W) - 2*s.timing.W
	if n.resting {
		d = max(d, -d)
	}
	n.shift += d
	n.stepped = true
	s.say(n.id, "has its wall clock set by %v", d)
	if n.up && !n.frozen && !n.resting {
		s.deliver(n, n.gen, Tick{})
	}
}

func (s *simulation) links(n, o *node) {
	flip := func(link string) { s.net.cut[link] = !s.net.cut[link] }
	switch s.rng.IntN(7) {
	case 0, 1:
		flip(n.id + ">store")
	case 2:
		flip("store>" + n.id)
	case 3, 4:
		flip(n.id + ">" + o.id)
	case 5:
		for _, x := range s.nodes {
			s.net.cut[x.id+">store"] = true
		}
	case 6:
		s.store.refuse[n.id] = !s.store.refuse[n.id]
	}
}

func (s *simulation) slowness(*node, *node) {
	third := func() bool { return s.rng.IntN(3) == 0 }
	switch s.rng.IntN(6) {
	case 0:
		s.store.delay = func() time.Duration { return s.upTo(s.timing.W / 5) }
	case 1:
		s.store.delay = func() time.Duration { return s.upTo(2 * s.timing.W) }
	case 2:
		s.net.delay = func() time.Duration { return s.upTo(s.timing.W) }
	case 3:
		s.net.lose = third
	case 4:
		s.net.doubled = third
	case 5:
		s.store.doubled = third
	}
}

func (s *simulation) members(n, o *node) {
	join := Request{Verb: VerbJoin, Self: o.cfg.Self, Timing: s.timing}
	switch s.rng.IntN(3) {
	case 0:
		s.request(n, Request{Verb: VerbLeave})
		s.request(o, join)
	case 1:
		s.request(n, Request{Verb: VerbRemove, Target: o.id})
	case 2:
		s.request(o, join)
		for _, id := range slices.Sorted(maps.Keys(o.asked)) {
			if s.rng.IntN(2) == 0 {
				delete(o.asked, id)
				s.deliver(o, o.gen, Forget{ID: id})
			}
		}
	}
}

func (s *simulation) failovers(n, o *node) {
	r := Request{Verb: VerbFailover}
	if s.rng.IntN(2) == 0 {
		r.Target = o.id
	}
	s.request(n, r)
}

func (s *simulation) settings(n, _ *node) {
	if s.rng.IntN(2) == 0 {
		s.request(n, Request{Verb: []Verb{VerbPause, VerbResume}[s.rng.IntN(2)]})
		return
	}
	w := millis(s.timing.W / 2 * []time.Duration{1, 2, 4, 20}[s.rng.IntN(4)])
	s.rules.longest = max(s.rules.longest, w)
	s.request(n, Request{Verb: VerbConfigure, Timing: Timing{W: w, R: millis(w / 3), C: millis(w / 2), TTL: millis(w / 4)}})
}

func (s *simulation) host(n, _ *node) {
	switch s.rng.IntN(4) {
	case 0:
		n.veto = "not now"
	case 1:
		s.deliver(n, n.gen, Health{Healthy: s.rng.IntN(2) == 0, Problem: "disk full"})
	case 2:
		n.stopFor = s.upTo(s.timing.W / 8)
	case 3:
		o := s.store.now
		o.Host = []string{"192.0.2.99"}
		s.store.now = o
	}
}

// byHand: somebody does to the record what assumption A1 forbids.
func (s *simulation) byHand(_, o *node) {
	switch s.rng.IntN(3) {
	case 0:
		s.tamper(Observation{Found: Absent})
	case 1:
		if len(s.older) > 0 {
			s.tamper(s.older[s.rng.IntN(len(s.older))])
		}
	case 2:
		if s.store.holds() {
			s.tamper(s.store.edited(func(r *record.Record) { s.scribble(r, o) }))
		}
	}
}

func (s *simulation) scribble(r *record.Record, o *node) {
	switch s.rng.IntN(4) {
	case 0:
		r.AllowedAbsence = millis(r.AllowedAbsence / 2)
		r.ReportInterval = min(r.ReportInterval, millis(r.AllowedAbsence/3))
	case 1:
		r.Members = slices.DeleteFunc(r.Members, func(m record.Member) bool { return m.ID == o.id })
	case 2:
		r.Primary = o.id
	case 3:
		r.Nonce = "0123456789abcdef"
	}
}

func (s *simulation) byForce(n, _ *node) {
	s.request(n, Request{Verb: VerbForce, Reason: "on my word"})
}

// theEnd of the group; somebody may create it again.
func (s *simulation) theEnd(n, o *node) {
	s.request(n, Request{Verb: VerbDissolve})
	if s.rng.IntN(2) == 0 {
		s.run(s.upTo(s.timing.W))
		s.request(o, Request{Verb: VerbCreate, Adopt: true, Self: o.cfg.Self, Timing: s.timing})
	}
}
