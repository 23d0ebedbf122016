package availability_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

// Run returns within 0.21·W, whatever hangs: the host's hooks, its handlers,
// the store, or all at once.
func TestRun_EndsInTimeWhateverHangs(t *testing.T) {
	for name, hangs := range map[string]struct{ hook, handler, store bool }{
		"nothing":                     {},
		"OnDemote":                    {hook: true},
		"a handler":                   {handler: true},
		"OnDemote and a handler":      {hook: true, handler: true},
		"the store":                   {store: true},
		"OnDemote and the store":      {hook: true, store: true},
		"OnDemote, handler and store": {hook: true, handler: true, store: true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, w := range []time.Duration{failoverPeriod, 5 * time.Second} {
				synctest.Test(t, func(t *testing.T) {
					release := make(chan struct{})
					l, a, b := pair(t, func(c *availability.Config) {
						if hangs.hook {
							c.OnDemote = func(context.Context, availability.Demotion) { <-release }
						}
					})
					if err := b.Configure(t.Context(), availability.Settings{Timing: timingOf(w), GroupFQDNTTL: time.Second}); err != nil {
						t.Fatal(err)
					}
					if hangs.handler {
						event.On(a, func(context.Context, event.RoleChange) { <-release })
					}
					time.Sleep(2 * failoverPeriod)
					if hangs.store {
						a.faulty.Cut()
					}
					began := time.Now()
					a.cancel()
					err := <-a.done
					if took, most := time.Since(began), w*21/100; took > most || err != nil {
						t.Errorf("with W = %v Run took %v to return %v, at most 0.21·W = %v is promised", w, took, err, most)
					}
					close(release)
					a.done <- err
					l.stop()
				})
			}
		})
	}
}

// timingOf is what the defaults make of a failover period.
func timingOf(w time.Duration) availability.Timing {
	return availability.Timing{AllowedAbsenceInterval: w, HealthReportInterval: (w / 3).Truncate(time.Millisecond), HealthCheckInterval: w / 2}
}

// What happened last is told even if the end took all the time it has.
func TestRun_TellsTheEndThoughTheStoreHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		l, a, _ := pair(t, func(c *availability.Config) {
			c.OnDemote = func(context.Context, availability.Demotion) { <-release }
		})
		time.Sleep(failoverPeriod)
		a.faulty.Cut()
		a.cancel()
		err := <-a.done
		a.mu.Lock()
		last := a.roles[len(a.roles)-1]
		a.mu.Unlock()
		if last.New != event.RoleSecondary || last.Cause != event.CauseShutdown {
			t.Errorf("the last that a subscriber has heard is %+v", last)
		}
		close(release)
		a.done <- err
		l.stop()
	})
}
