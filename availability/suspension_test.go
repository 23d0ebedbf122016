package availability_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
)

// suspended is what two nodes are like when the machine of a has gone on, after a
// suspension in which b took the role over.
func suspended(t *testing.T, before func(world *simWorld, a *simMember), after func(a, b *simProcess)) {
	const w = time.Minute
	plan := simPlan{
		timing: timingOf(w), dnsOnly: true, silent: true, sample: w,
		members: []simMemberPlan{{rate: 1, bootstrap: availability.BootstrapCreate}, {rate: 1, bootstrap: availability.BootstrapJoin}},
	}
	ctx, cancel := context.WithCancel(t.Context())
	world := newSimWorld(ctx, plan, simPlant{}, "")
	doors := world.open(ctx)
	a, b := world.members[0], world.members[1]
	world.start(a)
	world.start(b)
	world.run(5 * w)
	first, second := a.process(), b.process()
	if first.tenure() == 0 {
		t.Fatal("a does not work as Primary")
	}
	before(world, a)
	world.freeze(a, true)
	if !world.until(3*w, func() bool { return second.tenure() != 0 }) {
		t.Error("b has not taken over")
	}
	world.thaw(first)
	after(first, second)
	world.end()
	cancel()
	doors.Wait()
	if len(world.broken) > 0 {
		t.Error(world.broken)
	}
}

// A machine is suspended while its node is Primary, and goes on when another
// node has the role. Nobody asks for the state, no message arrives, and the
// timers have counted nothing of the time; yet the tenure is over.
func TestSuspension_EndsTheTenureUnasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suspended(t, func(*simWorld, *simMember) {}, func(a, _ *simProcess) {
			time.Sleep(time.Minute / 40)
			synctest.Wait()
			if a.tenure() != 0 {
				t.Errorf("a goes on with its work %v after its suspension, and b works as well", time.Minute/40)
			}
		})
	})
}

// The wall clock is set back by as much as the machine is suspended for, a
// little later: the node has read its clocks between the two.
func TestSuspension_AfterTheWallClockWasSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suspended(t, func(world *simWorld, a *simMember) {
			a.machine.step(-time.Minute)
			world.run(time.Minute/40 + time.Millisecond)
		}, func(a, b *simProcess) {
			if a.IsPrimary() {
				t.Errorf("a says primary after its suspension, b is Primary: %t", b.IsPrimary())
			}
		})
	})
}
