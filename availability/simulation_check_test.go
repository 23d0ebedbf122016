package availability_test

import (
	"strings"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// simClaim is when I1 is claimed: not while a hand has touched the record, nor
// on an operator's word (assumption A1, rule 13).
type simClaim struct {
	unsafe    time.Time // nothing is claimed before
	touched   bool      // a hand changed the record, and not all have seen it
	touchedAt time.Time
}

// disclaim ends the claim for that long on the slowest clock.
func (w *simWorld) disclaim(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if until := time.Now().Add(d * 10 / 9); until.After(w.claim.unsafe) {
		w.claim.unsafe = until
	}
}

func (w *simWorld) tampered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claim.touched, w.claim.touchedAt = true, time.Now()
	clear(w.actors)
	w.reached["records changed by hand"]++
}

// claimed tells whether I1 is promised at this instant.
func (w *simWorld) claimed() bool {
	w.mu.Lock()
	c := w.claim
	w.mu.Unlock()
	if c.touched {
		for _, m := range w.members {
			if p := m.process(); p != nil && !p.hasSeen(c.touchedAt) {
				return false
			}
		}
		w.mu.Lock()
		w.claim.touched = false
		w.mu.Unlock()
		w.disclaim(2 * w.longestW())
		return false
	}
	return !time.Now().Before(c.unsafe)
}

// hasSeen: it has read the record since, or does not care.
func (p *simProcess) hasSeen(since time.Time) bool {
	p.mu.Lock()
	read := p.read
	p.mu.Unlock()
	role, _ := p.watches[0].present()
	return read.After(since) || role == event.RoleNotInGroup && !p.frozen()
}

func (w *simWorld) longestW() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.longest
}

// live are the processes that run at this instant.
func (w *simWorld) live() []*simProcess {
	var all []*simProcess
	for _, m := range w.members {
		if p := m.process(); p != nil && !p.frozen() {
			all = append(all, p)
		}
	}
	return all
}

// check looks at the world at one instant, when nothing more happens at it.
func (w *simWorld) check() {
	w.bury()
	live := w.live()
	var acting []string
	for _, p := range live {
		if p.acts() {
			acting = append(acting, p.name())
		}
	}
	claimed := w.claimed()
	if len(acting) > 1 && claimed {
		w.fail("I1: the hosts of %s work as Primary at one instant", strings.Join(acting, " and "))
	}
	if claimed {
		w.reach("instants claimed")
	} else {
		w.reach("instants not claimed")
	}
	if !w.plan.silent {
		w.poll(live, claimed)
	}
}

// poll asks every process for its state.
func (w *simWorld) poll(live []*simProcess, claimed bool) {
	var primaries []string
	for _, p := range live {
		s := p.GetNodeState()
		primary := s.NodeRole == event.RolePrimary
		if primary {
			primaries = append(primaries, p.name())
			if s.PrimaryID != p.m.id || s.AuthorityUntil.IsZero() {
				w.fail("%s says: %+v", p.name(), s)
			}
		}
		if primary != p.IsPrimary() {
			w.fail("%s says %s and IsPrimary %v", p.name(), s.NodeRole, p.IsPrimary())
		}
	}
	if len(primaries) > 1 && claimed {
		w.fail("I1: %s are Primary at one instant", strings.Join(primaries, " and "))
	}
	synctest.Wait() // who was found to be over its time ends its tenure at once
	for _, p := range live {
		w.checkTold(p)
	}
}

// checkTold: what subscribers and tenures have been told is what is the case
// (I6, I7).
func (w *simWorld) checkTold(p *simProcess) {
	s := p.GetNodeState()
	for _, v := range p.watches {
		if role, ok := v.present(); ok && v.slow == 0 && role != s.NodeRole && !p.ended() {
			w.fail("I6: a subscriber of %s (%s) has heard %s last, and the state is %s", p.name(), v.kind, role, s.NodeRole)
		}
	}
	if term := p.tenure(); term != 0 && s.NodeRole != event.RolePrimary {
		w.fail("I7: the tenure of %s in term %d lives, and the state is %s", p.name(), term, s.NodeRole)
	}
}

// bury takes note of processes that have ended by themselves.
func (w *simWorld) bury() {
	for _, m := range w.members {
		p := m.process()
		if p == nil || !p.ended() {
			continue
		}
		m.setProcess(nil)
		w.say(p.name(), "has ended")
		p.checkHeard()
		if p.told.IsZero() {
			w.fail("Run of %s has returned by itself: %v", p.name(), p.err)
		}
		if !p.rested {
			p.checkEnd()
		}
	}
}

// checkRole holds whenever a node tells that it is Primary: nobody takes over
// while a promise of its own runs (I4).
func (w *simWorld) checkRole(p *simProcess, e event.RoleChange) {
	if e.New != event.RolePrimary {
		return
	}
	if e.Cause == event.CauseForced {
		w.disclaim(2 * w.longestW())
	}
	if !w.claimed() {
		return
	}
	w.mu.Lock()
	was := w.actors[e.Term]
	w.actors[e.Term] = p.name()
	w.mu.Unlock()
	if was != "" && was != p.name() {
		w.fail("I2: %s and %s were Primary in term %d", was, p.name(), e.Term)
	}
	if e.Cause != event.CausePrimaryLost {
		return
	}
	p.mu.Lock()
	at, length := p.promisedAt, p.promised
	p.mu.Unlock()
	length = min(length, w.ledger.period()) // new timings cut the authority, too (rule 14)
	until := at.Add(time.Duration(float64(length) / p.m.plan.rate))
	if left := until.Sub(w.ledger.wonAt(e.Term)); left > time.Microsecond {
		w.fail("I4: %s took over %v before its promise was over", p.name(), left)
	}
}

// simRecordRules are what holds from one state of the record to the next.
type simRecordRules struct {
	holder    map[uint64]string    // of each term: the node and its run
	began     map[uint64]time.Time // when the record had the term first
	term, seq uint64
}

func newSimRecordRules() simRecordRules {
	return simRecordRules{holder: map[uint64]string{}, began: map[uint64]time.Time{}}
}

// forget: a hand has changed the record.
func (r *simRecordRules) forget() { *r = newSimRecordRules() }

// check: terms and numbers grow, and a term has one holder (I2).
func (r *simRecordRules) check(w *simWorld, now record.Record) {
	w.mu.Lock()
	w.longest = max(w.longest, now.AllowedAbsence)
	w.mu.Unlock()
	if now.Term < r.term || now.Term == r.term && now.Seq < r.seq {
		w.fail("I2: the record went from term %d, number %d back to term %d, number %d", r.term, r.seq, now.Term, now.Seq)
	}
	r.term, r.seq = now.Term, now.Seq
	holder := now.Primary + "/" + now.Run
	if by, ok := r.holder[now.Term]; ok && by != holder {
		w.fail("I2: term %d has two holders, %s and %s", now.Term, by, holder)
	}
	r.holder[now.Term] = holder
	if _, ok := r.began[now.Term]; !ok {
		r.began[now.Term] = time.Now()
	}
}

// checkEnd: Run returns within the time that it promises, 0.21·W, counted by
// the slowest clock.
func (p *simProcess) checkEnd() {
	p.w.reach("ends in time")
	most := p.w.longestW() * 21 / 100 * 10 / 9
	if took := time.Since(p.told); took > most {
		p.w.fail("I7: Run of %s took %v to end, at most %v are promised", p.name(), took, most)
	}
}
