package agclient

import (
	"context"
	"errors"
	"testing"
)

// Whoever comes late, is early, or has had an answer.
func TestWaiting_Recall(t *testing.T) {
	t.Parallel()
	var w waiting
	one := func() (context.Context, *waiter) {
		ctx, cancel := context.WithCancelCause(t.Context())
		return ctx, &waiter{giveUp: cancel}
	}
	answered, a := one()
	early, b := one()
	late, c := one()
	w.add(a)
	w.add(b)
	w.remove(a)
	w.recall()
	w.add(c)
	if err := context.Cause(answered); err != nil {
		t.Errorf("a request with an answer was given up: %v", err)
	}
	for name, ctx := range map[string]context.Context{"early": early, "late": late} {
		if err := context.Cause(ctx); !errors.Is(err, errMoved) {
			t.Errorf("the %s one ended with %v", name, err)
		}
	}
}
