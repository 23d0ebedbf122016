package event_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/event"
)

// recorder is a Subscriber that keeps what it was asked.
type recorder struct {
	ids      []event.ID
	handlers []event.Handler
	ended    int
	err      error
}

func (r *recorder) Subscribe(id event.ID, h event.Handler) (func(), error) {
	if r.err != nil {
		return nil, r.err
	}
	r.ids = append(r.ids, id)
	r.handlers = append(r.handlers, h)
	return func() { r.ended++ }, nil
}

// subscribeTo subscribes by the type E and returns the ID that was asked for
// and what a handler of that subscription gets from every kind of event.
func subscribeTo[E event.Kind](t *testing.T) (event.ID, []event.ID) {
	t.Helper()
	var r recorder
	var heard []event.ID
	unsubscribe := event.On(&r, func(_ context.Context, e E) { heard = append(heard, e.Meta().ID) })
	if len(r.ids) != 1 {
		t.Fatalf("On subscribed %d times, want once", len(r.ids))
	}
	for _, e := range everyEvent() {
		r.handlers[0](t.Context(), e)
	}
	unsubscribe()
	if r.ended != 1 {
		t.Errorf("the returned function ended %d subscriptions, want 1", r.ended)
	}
	return r.ids[0], heard
}

func TestOn_EachTypeHearsItsOwnKind(t *testing.T) {
	t.Parallel()
	cases := map[event.ID]func(*testing.T) (event.ID, []event.ID){
		event.NodeRoleChanged:        subscribeTo[event.RoleChange],
		event.PrimaryChanged:         subscribeTo[event.PrimaryChange],
		event.DNSConnectionChanged:   subscribeTo[event.DNSConnectionChange],
		event.HeartbeatMethodChanged: subscribeTo[event.HeartbeatMethodChange],
		event.HeartbeatLost:          subscribeTo[event.HeartbeatLoss],
		event.HeartbeatRestored:      subscribeTo[event.HeartbeatReturn],
		event.AuthorityAtRisk:        subscribeTo[event.AuthorityRisk],
		event.MembersChanged:         subscribeTo[event.MembersChange],
		event.ConfigurationChanged:   subscribeTo[event.ConfigurationChange],
		event.PauseChanged:           subscribeTo[event.PauseChange],
		event.HealthChanged:          subscribeTo[event.HealthChange],
		event.FailoverFinished:       subscribeTo[event.FailoverResult],
		event.ConflictDetected:       subscribeTo[event.Conflict],
		event.HostRecordRepaired:     subscribeTo[event.HostRecordRepair],
		event.ClockSkewDetected:      subscribeTo[event.ClockSkew],
	}
	for _, id := range event.IDs() {
		t.Run(string(id), func(t *testing.T) {
			t.Parallel()
			subscribe, ok := cases[id]
			if !ok {
				t.Fatal("no struct for this ID in the test")
			}
			asked, heard := subscribe(t)
			if asked != id {
				t.Errorf("subscribed to %q, want %q", asked, id)
			}
			if diff := cmp.Diff([]event.ID{id}, heard); diff != "" {
				t.Errorf("heard mismatch (-want +got):\n%s", diff)
			}
		})
	}
	if len(cases) != len(event.IDs()) {
		t.Errorf("%d structs for %d IDs", len(cases), len(event.IDs()))
	}
}

func TestOn_GivesTheHandlerItsContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	var r recorder
	var got any
	event.On(&r, func(ctx context.Context, _ event.PauseChange) { got = ctx.Value(key{}) })
	r.handlers[0](context.WithValue(t.Context(), key{}, "mine"), event.PauseChange{})
	if got != "mine" {
		t.Errorf("value of the handler's context = %v, want mine", got)
	}
}

func TestOn_NilHandlerPanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("On with a nil handler did not panic")
		}
	}()
	event.On[event.RoleChange](&recorder{}, nil)
}

func TestOn_FailedSubscriptionCanBeEnded(t *testing.T) {
	t.Parallel()
	unsubscribe := event.On(&recorder{err: errors.New("no")}, func(context.Context, event.RoleChange) {})
	unsubscribe()
	unsubscribe()
}

func TestIDs(t *testing.T) {
	t.Parallel()
	ids := event.IDs()
	if len(ids) != 15 {
		t.Errorf("%d IDs, want 15", len(ids))
	}
	if slices.Contains(ids, event.Any) {
		t.Error("Any is among the IDs of events")
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != len(event.IDs()) {
		t.Error("an ID is there twice")
	}
}
