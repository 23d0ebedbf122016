package serving_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/transport/internal/serving"
)

func TestDesk_Life(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d serving.Desk[string]
		wantOpen := func(when string, want bool) {
			t.Helper()
			if got := d.Open(); got != want {
				t.Errorf("%s: open is %v, want %v", when, got, want)
			}
		}
		wantOpen("at first", false)
		cause := errors.New("the end")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := false
		go func() { ended = d.Serve(ctx, "handler") }()
		synctest.Wait()
		wantOpen("in Serve", true)
		if d.Serve(ctx, "another") {
			t.Error("a second Serve takes calls")
		}

		linger := func(ctx context.Context, h string) {
			<-ctx.Done()
			if h != "handler" || !errors.Is(context.Cause(ctx), cause) {
				t.Errorf("a call has handler %q and ends by %v", h, context.Cause(ctx))
			}
			time.Sleep(time.Second)
		}
		d.Go(linger)
		go d.Do(t.Context(), linger)
		synctest.Wait()
		cancel(cause)
		synctest.Wait()
		wantOpen("after the end of the context", false)
		if ended {
			t.Error("Serve does not wait for its calls")
		}
		if d.Serve(ctx, "another") {
			t.Error("Serve takes calls while another waits for its own")
		}
		none := func(context.Context, string) { t.Error("a call was made") }
		if d.Go(none) || d.Do(t.Context(), none) {
			t.Error("a call is taken after the end")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if !ended {
			t.Error("Serve does not end with its calls")
		}
		again, stop := context.WithCancel(t.Context())
		stop()
		if !d.Serve(again, "handler") {
			t.Error("Serve cannot be called again")
		}
	})
}

func TestDesk_DoEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d serving.Desk[string]
		ctx, cancel := context.WithCancel(t.Context())
		go d.Serve(ctx, "handler")
		synctest.Wait()
		type key struct{}
		caller, stop := context.WithTimeout(context.WithValue(t.Context(), key{}, "value"), time.Second)
		defer stop()
		d.Do(caller, func(ctx context.Context, _ string) {
			<-ctx.Done()
			if ctx.Value(key{}) != "value" || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Errorf("got value %v and error %v, want those of the caller", ctx.Value(key{}), ctx.Err())
			}
		})
		cancel()
		synctest.Wait()
	})
}

func TestEnded(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	plain, stop := context.WithCancel(t.Context())
	if err := serving.Ended(plain); err != nil {
		t.Errorf("of a context that lives: got %v", err)
	}
	stop()
	if err := serving.Ended(plain); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	caused, end := context.WithCancelCause(t.Context())
	end(cause)
	for _, want := range []error{context.Canceled, cause} {
		if err := serving.Ended(caused); !errors.Is(err, want) {
			t.Errorf("got %v, want it to wrap %v", err, want)
		}
	}
}
