package availability_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
)

// A machine is suspended while its node is Primary, and goes on when another
// node has the role. Nobody asks for the state, no message arrives, and the
// timers have counted nothing of the time; yet the tenure is over.
func TestSuspension_EndsTheTenureUnasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
		world.freeze(a, true)
		if !world.until(3*w, func() bool { return second.tenure() != 0 }) {
			t.Error("b has not taken over")
		}
		world.thaw(first)
		time.Sleep(w / 40)
		synctest.Wait()
		if first.tenure() != 0 {
			t.Errorf("a goes on with its work %v after its suspension, and b works as well", w/40)
		}
		world.end()
		cancel()
		doors.Wait()
		if len(world.broken) > 0 {
			t.Error(world.broken)
		}
	})
}
