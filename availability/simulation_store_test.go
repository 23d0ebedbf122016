package availability_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/internal/record"
)

const simName = "svc.sim.test"

func simKey(kind string) dnsstore.Key { return dnsstore.Key{Name: simName, Type: kind} }

// simLedger is the primary master: a dnsstore.Memory, and whoever looks at
// every state that it is ever in.
type simLedger struct {
	w *simWorld

	mu     sync.Mutex
	memory *dnsstore.Memory
	now    record.Record // guarded by mu, as is all below; what the server holds
	found  bool          // and whether it holds one of ours
	strays bool          // a hand has changed the host record, or the Primary's name, since
	older  []dnsstore.RRSet
	rules  simRecordRules
}

func newSimLedger(w *simWorld) *simLedger {
	return &simLedger{w: w, memory: dnsstore.NewMemory(), rules: newSimRecordRules()}
}

// holds returns the record of a living group.
func (l *simLedger) holds() (record.Record, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now, l.found && !l.now.Dissolved
}

func (l *simLedger) lookup(k dnsstore.Key) (dnsstore.RRSet, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.memory.Lookup(l.w.ctx, k)
}

// apply makes a change that a process sent.
func (l *simLedger) apply(p *simProcess, c dnsstore.Change) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w.plant.ignoreCondition {
		c.If = nil
	}
	if l.w.plant.forgetHost {
		c.Set = slices.DeleteFunc(slices.Clone(c.Set), func(s dnsstore.RRSet) bool { return s.Type == "A" })
	}
	if l.w.plant.lie && l.found && l.w.draw("lie")%4 == 0 {
		return nil
	}
	was := l.memoryText()
	if err := l.memory.Apply(l.w.ctx, c); err != nil {
		return err
	}
	if len(was.Data) > 0 {
		l.older = append(l.older[max(0, len(l.older)-20):], was)
	}
	if slices.ContainsFunc(c.Set, func(s dnsstore.RRSet) bool { return s.Type == "A" }) {
		l.strays = false
	}
	l.look(p.name())
	return nil
}

func (l *simLedger) memoryText() dnsstore.RRSet {
	set, err := l.memory.Lookup(l.w.ctx, simKey("TXT"))
	if err != nil {
		l.w.fail("the memory store: %v", err)
	}
	return set
}

// look reads what the server holds now, and checks it.
func (l *simLedger) look(by string) {
	text := l.memoryText()
	was, had := l.now, l.found
	l.now, l.found = record.Record{}, false
	for _, data := range text.Data {
		strs, err := dnsstore.ParseTXT(data)
		if err != nil || !record.Ours(strs) {
			continue
		}
		if l.now, err = record.Parse(strs); err != nil {
			l.w.fail("the record of %s cannot be read: %v", by, err)
			return
		}
		l.found = true
	}
	if a, b := recordSummary(was, had), recordSummary(l.now, l.found); a != b {
		l.w.say("store", "%s wrote %s", by, b)
	}
	if l.found {
		l.checkHost()
		l.rules.check(l.w, l.now)
	}
	l.w.nudge()
}

// checkHost: in every state of the primary master the host record is that of
// the record's Primary (I3), unless a hand was there. A release leaves it.
func (l *simLedger) checkHost() {
	if l.strays || l.now.Primary == "" && !l.now.Dissolved {
		return
	}
	var want []string
	m, ok := l.now.Member(l.now.Primary)
	if !ok && !l.now.Dissolved {
		l.w.fail("I3: the record names %q, which is no member", l.now.Primary)
		return
	}
	if !l.now.Dissolved {
		want = []string{m.IPv4.String()}
		if m.IPv6.IsValid() {
			want = append(want, m.IPv6.String())
		}
	}
	var got []string
	for _, kind := range []string{"A", "AAAA"} {
		set, err := l.memory.Lookup(l.w.ctx, simKey(kind))
		if err != nil {
			l.w.fail("the memory store: %v", err)
		}
		got = append(got, set.Data...)
	}
	if !slices.Equal(got, want) {
		l.w.fail("I3: the record names %q, whose addresses are %v, and the host record is %v", l.now.Primary, want, got)
	}
}

// byHand changes what the server holds, with no regard for the group.
func (l *simLedger) byHand(set ...dnsstore.RRSet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.strays = true
	if err := l.memory.Apply(l.w.ctx, dnsstore.Change{Set: set}); err != nil {
		l.w.fail("a hand at the store: %v", err)
		return
	}
	if slices.ContainsFunc(set, func(s dnsstore.RRSet) bool { return s.Type == "TXT" }) {
		l.w.tampered()
		l.rules.forget()
		l.look("a hand")
		l.rules.forget() // what a hand wrote binds nobody
		return
	}
	l.look("a hand")
}

// edit changes the record by hand.
func (l *simLedger) edit(change func(r *record.Record)) {
	r, ok := l.holds()
	if !ok {
		return
	}
	r = r.Clone()
	change(&r)
	strs, err := r.Strings()
	if err != nil {
		l.w.say("store", "a hand fails: %v", err)
		return
	}
	l.byHand(dnsstore.RRSet{Key: simKey("TXT"), Data: []string{dnsstore.FormatTXT(strs)}})
}

// wonAt is when the record had a term first; now if it never had.
func (l *simLedger) wonAt(term uint64) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, ok := l.rules.began[term]; ok {
		return at
	}
	return time.Now()
}

// period is the failover period of the record.
func (l *simLedger) period() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now.AllowedAbsence
}

// restore puts an older state of the record back.
func (l *simLedger) restore(n uint64) {
	l.mu.Lock()
	older := slices.Clone(l.older)
	l.mu.Unlock()
	if len(older) > 0 {
		l.byHand(older[n%uint64(len(older))])
	}
}

// recordSummary is what matters of a record beyond the numbers of renewals.
func recordSummary(r record.Record, found bool) string {
	if !found {
		return "nothing"
	}
	text := fmt.Sprintf("term %d of %q by %q, W %v, members", r.Term, r.Primary, r.By, r.AllowedAbsence)
	for _, m := range r.Members {
		text += " " + m.ID
		if m.Joining {
			text += "+"
		}
		if !m.Eligible() {
			text += "-"
		}
	}
	if r.Paused {
		text += ", paused"
	}
	if r.Dissolved {
		text += ", dissolved"
	}
	return text
}

// simStore is a process's way to the primary master, with all that goes wrong
// on it.
type simStore struct{ p *simProcess }

var _ dnsstore.Store = simStore{}

var errSimLost = errors.New("nothing is heard of the server")

func (s simStore) Lookup(ctx context.Context, k dnsstore.Key) (dnsstore.RRSet, error) {
	if err := s.p.out(ctx); err != nil {
		return dnsstore.RRSet{}, err
	}
	w, id := s.p.w, s.p.m.id
	there, back := w.trip(id + " reads " + k.Type)
	if err := simSleep(ctx, there); err != nil {
		return dnsstore.RRSet{}, s.p.in(ctx, err)
	}
	if w.faulty(func(f *simFaults) bool { return f.toStore[id] }) {
		<-ctx.Done()
		return dnsstore.RRSet{}, s.p.in(ctx, errSimLost)
	}
	set, err := w.ledger.lookup(k)
	served := time.Now()
	if slept := simSleep(ctx, back); slept != nil {
		return dnsstore.RRSet{}, s.p.in(ctx, slept)
	}
	if w.faulty(func(f *simFaults) bool { return f.fromStore[id] }) {
		<-ctx.Done()
		return dnsstore.RRSet{}, s.p.in(ctx, errSimLost)
	}
	if err := s.p.in(ctx, nil); err != nil {
		return dnsstore.RRSet{}, err
	}
	if k.Type == "TXT" {
		s.p.hasRead(served)
	}
	return set, err
}

// Apply sends an update. It is on its way whatever becomes of the sender.
func (s simStore) Apply(ctx context.Context, c dnsstore.Change) error {
	if err := s.p.out(ctx); err != nil {
		return err
	}
	answer := make(chan error, 2)
	var given atomic.Bool
	s.p.w.carry(func() { s.deliver(c, &given, answer) })
	select {
	case err := <-answer:
		return s.p.in(ctx, err)
	case <-ctx.Done():
		given.Store(true)
		return s.p.in(ctx, fmt.Errorf("%w: %w", dnsstore.ErrUnknown, ctx.Err()))
	}
}

// deliver takes one update to the server, and its answer back.
func (s simStore) deliver(c dnsstore.Change, given *atomic.Bool, answer chan<- error) {
	w, id := s.p.w, s.p.m.id
	there, back := w.trip(id + " writes")
	way := w.wayOf(id)
	if way.late {
		there += w.plan.w()
	}
	w.pass(there)
	if w.faulty(func(f *simFaults) bool { return f.toStore[id] }) {
		w.reach("requests lost")
		return
	}
	if w.faulty(func(f *simFaults) bool { return f.refuse[id] }) {
		w.reach("updates refused")
		answer <- fmt.Errorf("%w: the key has no right", dnsstore.ErrRefused)
		return
	}
	err := w.ledger.apply(s.p, c)
	if err == nil && given.Load() {
		w.reach("late updates")
	}
	if way.doubled {
		w.pass(back)
		_ = w.ledger.apply(s.p, c) // a datagram that arrives twice
		w.reach("updates doubled")
	}
	w.pass(back)
	switch {
	case way.lost, w.faulty(func(f *simFaults) bool { return f.fromStore[id] }):
		if err == nil {
			w.reach("answers lost")
		}
	case way.broken:
		answer <- fmt.Errorf("%w: connection broken", dnsstore.ErrUnknown)
	default:
		answer <- err
	}
}

func simSleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
