package availability_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// simWatch is a subscriber, and what it has heard.
type simWatch struct {
	p    *simProcess
	kind string
	slow time.Duration // what each call takes at most

	mu    sync.Mutex
	last  uint64 // guarded by mu; the number of the last event
	roles []event.RoleChange
}

// watch subscribes.
func (p *simProcess) watch(kind string, id event.ID, slow time.Duration) {
	v := &simWatch{p: p, kind: kind, slow: slow}
	if _, err := p.Subscribe(id, v.hear); err != nil {
		p.w.fail("subscribe to %s: %v", p.name(), err)
		return
	}
	p.watches = append(p.watches, v)
}

func (v *simWatch) hear(ctx context.Context, e event.Event) {
	if v.p.dead() {
		return
	}
	if v.slow > 0 {
		_ = simSleep(ctx, time.Duration(v.p.w.draw("handler of "+v.p.name())%uint64(v.slow)))
		if ctx.Err() != nil {
			return // the rest is dropped
		}
	}
	v.note(e)
}

func (v *simWatch) note(e event.Event) {
	if v.take(e) {
		v.p.w.heard(v, e)
	}
}

// take checks an event against those before, and keeps it.
func (v *simWatch) take(e event.Event) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	h := e.Meta()
	if v.kind == "any" && len(v.roles) > 0 && h.Seq != v.last+1 {
		v.p.w.fail("I6: %s tells event %d after %d", v.p.name(), h.Seq, v.last)
	}
	v.last = h.Seq
	c, ok := e.(event.RoleChange)
	if !ok {
		return true
	}
	if v.p.w.plant.deaf && v.kind == "roles" && c.New == event.RolePrimary {
		return false
	}
	v.follows(c)
	v.roles = append(v.roles, c)
	return true
}

// follows: each change begins where the one before has ended (I6).
func (v *simWatch) follows(c event.RoleChange) {
	switch n := len(v.roles); {
	case n == 0 && c.Previous != "":
		v.p.w.fail("I6: the first thing that a subscriber of %s hears is a change from %q", v.p.name(), c.Previous)
	case n > 0 && (c.Previous != v.roles[n-1].New || c.New == c.Previous):
		v.p.w.fail("I6: a subscriber of %s hears of a change from %s to %s after one to %s", v.p.name(), c.Previous, c.New, v.roles[n-1].New)
	}
}

// present is the role that the subscriber believes in.
func (v *simWatch) present() (event.Role, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.roles) == 0 {
		return "", false
	}
	return v.roles[len(v.roles)-1].New, true
}

func (v *simWatch) numbers() []uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []uint64
	for _, c := range v.roles {
		all = append(all, c.Seq)
	}
	return all
}

// checkHeard: what any subscriber has heard of the role is a part, without a
// gap, of what the first one has (I6).
func (p *simProcess) checkHeard() {
	whole := p.watches[0].numbers()
	for _, v := range p.watches {
		part := v.numbers()
		if len(part) == 0 {
			continue
		}
		i := slices.Index(whole, part[0])
		if i < 0 || i+len(part) > len(whole) || !slices.Equal(whole[i:i+len(part)], part) {
			p.w.fail("I6: a subscriber of %s (%s) has heard of the role changes %v, and there were %v", p.name(), v.kind, part, whole)
		}
	}
}
