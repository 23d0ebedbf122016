package transport_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/transporttest"
)

func TestMemory_Suite(t *testing.T) {
	t.Parallel()
	transporttest.Run(t, func(testing.TB) transporttest.Network {
		n := transport.NewMemory()
		return transporttest.Network{
			A:       transporttest.Node{Transport: n.Node("a"), Peer: transport.Peer{ID: "a"}},
			B:       transporttest.Node{Transport: n.Node("b"), Peer: transport.Peer{ID: "b"}},
			Nowhere: transport.Peer{ID: "nowhere"},
		}
	})
}

// lan is a network in virtual time, whose node b counts its messages and
// answers each after a second.
type lan struct {
	*transport.Memory
	t     *testing.T
	calls func() int
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, test func(n lan)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := transport.NewMemory()
		var mu sync.Mutex
		calls := 0
		ctx, cancel := context.WithCancel(t.Context())
		var serving sync.WaitGroup
		serving.Go(func() {
			err := n.Node("b").Serve(ctx, transport.HandlerFunc(
				func(ctx context.Context, _ transport.Message) (transport.Message, error) {
					mu.Lock()
					calls++
					number := calls
					mu.Unlock()
					time.Sleep(time.Second)
					return transport.Message{Kind: fmt.Sprint(number)}, ctx.Err()
				}))
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
		synctest.Wait()
		test(lan{Memory: n, t: t, calls: func() int {
			mu.Lock()
			defer mu.Unlock()
			return calls
		}})
		cancel()
		serving.Wait()
	})
}

// send exchanges with b within a minute, and returns how long it took.
func send(t *testing.T, n *transport.Memory) (transport.Message, time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	began := time.Now()
	m := good()
	m.Body = nil
	got, err := n.Node("a").Exchange(ctx, transport.Peer{ID: "b"}, m)
	return got, time.Since(began), err
}

func (n lan) wantSent(want time.Duration) {
	n.t.Helper()
	if _, took, err := send(n.t, n.Memory); err != nil || took != want {
		n.t.Errorf("Exchange: took %v, error %v, want %v and no error", took, err, want)
	}
}

func (n lan) wantLost() {
	n.t.Helper()
	_, took, err := send(n.t, n.Memory)
	if took != time.Minute || !errors.Is(err, transport.ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
		n.t.Errorf("Exchange: took %v, error %v, want it to wait until its context ends", took, err)
	}
}

func (n lan) wantCalls(want int) {
	n.t.Helper()
	if got := n.calls(); got != want {
		n.t.Errorf("the handler was called %d times, want %d", got, want)
	}
}

func TestMemory_CutRequests(t *testing.T) {
	bubble(t, func(n lan) {
		n.Cut("a", "b")
		n.wantLost()
		n.wantCalls(0)
		n.Heal("a", "b")
		n.wantSent(time.Second)
		n.wantCalls(1)
	})
}

func TestMemory_CutAnswers(t *testing.T) {
	bubble(t, func(n lan) {
		n.Cut("b", "a")
		n.wantLost()
		n.wantCalls(1)
		n.Heal("b", "a")
		n.wantSent(time.Second)
		n.wantCalls(2)
	})
}

func TestMemory_CutOthers(t *testing.T) {
	bubble(t, func(n lan) {
		n.Cut("a", "c")
		n.Cut("c", "b")
		n.Cut("b", "b")
		n.wantSent(time.Second)
	})
}

func TestMemory_CutOnTheWay(t *testing.T) {
	bubble(t, func(n lan) {
		n.Delay("a", "b", 10*time.Second)
		cut := time.AfterFunc(5*time.Second, func() { n.Cut("a", "b") })
		defer cut.Stop()
		n.wantLost()
		n.wantCalls(0)
	})
}

func TestMemory_CutWhileHandled(t *testing.T) {
	bubble(t, func(n lan) {
		cut := time.AfterFunc(500*time.Millisecond, func() { n.Cut("b", "a") })
		defer cut.Stop()
		n.wantLost()
		n.wantCalls(1)
	})
}

func TestMemory_Delay(t *testing.T) {
	bubble(t, func(n lan) {
		n.Delay("a", "b", 2*time.Second)
		n.Delay("b", "a", 4*time.Second)
		n.wantSent(7 * time.Second)
		n.Delay("b", "a", 0)
		n.wantSent(3 * time.Second)
		n.Delay("a", "b", -time.Second)
		n.wantSent(time.Second)
		n.Delay("a", "b", time.Hour)
		n.wantLost()
		n.wantCalls(3)
	})
}

// TestMemory_Overtake has a message that is sent later and arrives earlier.
func TestMemory_Overtake(t *testing.T) {
	bubble(t, func(n lan) {
		var both sync.WaitGroup
		n.Delay("a", "b", 10*time.Second)
		both.Go(func() {
			if got, took, err := send(n.t, n.Memory); err != nil || got.Kind != "2" || took != 11*time.Second {
				n.t.Errorf("the slow one: got answer %s after %v, error %v", got.Kind, took, err)
			}
		})
		synctest.Wait()
		n.Delay("a", "b", 0)
		if got, _, err := send(n.t, n.Memory); err != nil || got.Kind != "1" {
			n.t.Errorf("the fast one: got answer %s, error %v", got.Kind, err)
		}
		both.Wait()
	})
}

func TestMemory_Drop(t *testing.T) {
	bubble(t, func(n lan) {
		var mu sync.Mutex
		var asked []string
		n.Drop = func(from, to string, number uint64) bool {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, fmt.Sprint(from, to, number))
			return from == "a" && number == 2 || from == "b" && number == 2
		}
		n.wantSent(time.Second)
		n.wantLost() // the second request
		n.wantLost() // the second answer
		n.wantSent(time.Second)
		n.wantCalls(3)
		if diff := cmp.Diff([]string{"ab1", "ba1", "ab2", "ab3", "ba2", "ab4", "ba3"}, asked); diff != "" {
			n.t.Errorf("messages mismatch (-want +got):\n%s", diff)
		}
	})
}

func TestMemory_Duplicate(t *testing.T) {
	bubble(t, func(n lan) {
		n.Duplicate = func(string, string, uint64) bool { return true }
		n.wantSent(time.Second)
		synctest.Wait()
		n.wantCalls(2)
	})
}

func TestMemory_SenderGivesUp(t *testing.T) {
	bubble(t, func(n lan) {
		ctx, cancel := context.WithTimeout(n.t.Context(), time.Millisecond)
		defer cancel()
		_, err := n.Node("a").Exchange(ctx, transport.Peer{ID: "b"}, good())
		if !errors.Is(err, context.DeadlineExceeded) {
			n.t.Errorf("Exchange: got error %v, want %v", err, context.DeadlineExceeded)
		}
		n.wantCalls(1) // and goes on: bubble fails if Serve does not wait for it
	})
}

// TestMemory_HandlerEndsGoroutine has a handler that neither returns nor
// panics, as one that fails a test from within.
func TestMemory_HandlerEndsGoroutine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := transport.NewMemory()
		ctx, cancel := context.WithCancel(t.Context())
		var serving sync.WaitGroup
		serving.Go(func() {
			_ = n.Node("b").Serve(ctx, transport.HandlerFunc(func(context.Context, transport.Message) (transport.Message, error) {
				runtime.Goexit()
				return transport.Message{}, nil
			}))
		})
		synctest.Wait()
		if _, took, err := send(t, n); took != 0 || !errors.Is(err, transport.ErrRejected) {
			t.Errorf("Exchange: got error %v after %v, want %v at once", err, took, transport.ErrRejected)
		}
		cancel()
		serving.Wait()
	})
}

func TestMemory_SetAddress(t *testing.T) {
	t.Parallel()
	a, ok := transport.NewMemory().Node("a").(transport.Addressed)
	if !ok {
		t.Fatal("a node is not transport.Addressed")
	}
	for _, c := range []struct {
		group, node string
		ok          bool
	}{{"group.example", "a", true}, {"group.example", "b", false}, {"Group", "a", false}, {"", "a", false}} {
		if err := a.SetAddress(c.group, c.node); (err == nil) != c.ok {
			t.Errorf("SetAddress(%q, %q): got error %v, want ok %v", c.group, c.node, err, c.ok)
		}
	}
}
