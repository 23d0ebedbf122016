package agtest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/agtest"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport"
)

// A killed Primary is followed by the Secondary when the failover period has
// passed since its last promise, to the nanosecond, whatever part of a report
// interval had passed. Until then the record is as the Primary left it.
func TestNode_KillTakesOverAtW(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(int, *availability.Config){
		"fast": func(int, *availability.Config) {}, "slow": slow,
	} {
		for _, after := range []time.Duration{0, 7300 * time.Millisecond, 97 * time.Second} {
			t.Run(name+" "+after.String(), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					c := agtest.New(t, 2, edit)
					allowed := c.Group(0).Info().Configuration.AllowedAbsenceInterval
					pass(after)
					c.Node(0).Kill()
					synctest.Wait()
					quiet, before := c.Group(1).GetNodeState().LastHeartbeatTime, c.Record()
					pass(time.Until(quiet.Add(allowed)) - 1)
					if diff := cmp.Diff(before, c.Record()); diff != "" {
						t.Errorf("the record was written within W: (-before +after)\n%s", diff)
					}
					e := becomes(t, c, 1)
					if took := e.At.Sub(quiet); took != allowed {
						t.Errorf("b has taken over %v after its last promise, want %v", took, allowed)
					}
					wantHost(t, c, "192.0.2.2")
				})
			})
		}
	}
}

// With the better candidate dead as well, the next one waits for its share.
func TestNode_KillTwo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 3)
		pass(w)
		c.Node(0).Kill()
		c.Node(1).Kill()
		synctest.Wait()
		quiet := c.Group(2).GetNodeState().LastHeartbeatTime
		if took, want := becomes(t, c, 2).At.Sub(quiet), w+w/15; took != want {
			t.Errorf("c has taken over %v after its last promise, want %v", took, want)
		}
	})
}

// Nothing that a killed node does changes the store, and its hooks are not
// called.
func TestNode_KillSilences(t *testing.T) {
	bubble(t, func(t *testing.T) {
		hooks := make(chan string, 1000)
		c := agtest.New(t, 1, func(_ int, c *availability.Config) {
			c.Health = func(context.Context) error { hooks <- "Health"; return nil }
			c.OnDemote = func(context.Context, availability.Demotion) { hooks <- "OnDemote" }
			c.BeforePromote = func(context.Context, availability.Promotion) error { hooks <- "BeforePromote"; return nil }
			c.Witness = watcher(hooks)
		})
		pass(w)
		c.Node(0).Kill()
		c.Node(0).Kill() // does nothing
		before, called := c.Record(), map[string]bool{}
		for range len(hooks) {
			called[<-hooks] = true
		}
		if diff := cmp.Diff(map[string]bool{"Health": true, "BeforePromote": true, "Watch": true}, called); diff != "" {
			t.Errorf("hooks of a live node mismatch (-want +got):\n%s", diff)
		}
		pass(10 * w)
		if diff := cmp.Diff(before, c.Record()); diff != "" {
			t.Errorf("a killed node has written: (-before +after)\n%s", diff)
		}
		if len(hooks) > 0 {
			t.Errorf("a killed node has called %s", <-hooks)
		}
		if c.Group(0).IsPrimary() {
			t.Error("a killed node is Primary for its own program")
		}
	})
}

// watcher is a witness that notes that it is asked.
type watcher chan string

func (w watcher) Watch(context.Context, availability.Incarnation) error {
	w <- "Watch"
	return nil
}

// What a node has sent before it was killed arrives: a write, and a message.
func TestNode_KillLeavesWhatIsOnItsWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const delay = 100 * time.Millisecond
		c := agtest.New(t, 2)
		c.Node(0).Store().Delay(delay, 0)
		c.Link(0, 1).Delay(delay)
		applies, sent := c.Node(0).Store().Calls().Applies, c.Group(0).Stats().Sent
		c.Await(t.Context(), "a renews", func() bool {
			return c.Node(0).Store().Calls().Applies > applies && c.Group(0).Stats().Sent > sent
		})
		c.Node(0).Kill()
		synctest.Wait()
		before, received := c.Record(), c.Group(1).Stats().Received
		pass(delay)
		if slices.Equal(before, c.Record()) {
			t.Error("the write was lost")
		}
		if c.Group(1).Stats().Received == received {
			t.Error("the message was lost")
		}
		late, taken := c.Record(), c.Node(0).Store().Calls()
		pass(w / 2)
		if diff := cmp.Diff(late, c.Record()); diff != "" || c.Node(0).Store().Calls() != taken {
			t.Errorf("a killed node goes on: (-before +after)\n%s", diff)
		}
		wantPrimary(t, c, 1)
	})
}

// Whoever sends to a killed node is told at once, who sends to a frozen one
// hears nothing.
func TestNode_Refuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 2)
		ask := func() time.Duration {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), w)
			defer cancel()
			if err := c.Group(0).Failover(ctx, availability.To("b")); !errors.Is(err, availability.ErrNoTarget) {
				t.Errorf("Failover: %v, want ErrNoTarget", err)
			}
			return time.Since(began)
		}
		c.Node(1).Kill()
		synctest.Wait()
		if took := ask(); took > 0 {
			t.Errorf("it took %v to find out that a node is dead", took)
		}
		c.Node(1).Restart()
		c.AwaitRole(t.Context(), 1, event.RoleSecondary)
		c.Node(1).Freeze()
		received := c.Group(1).Stats().Received
		if took := ask(); took == 0 {
			t.Error("a frozen node has answered")
		}
		if now := c.Group(1).Stats().Received; now != received {
			t.Errorf("a frozen node has received %d messages", now-received)
		}
	})
}

// A call of a killed node ends at once, and nobody is there to be called.
func TestNode_KillEndsCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var nodes [2]availability.Config
		c := agtest.New(t, 2, func(i int, c *availability.Config) { nodes[i] = *c })
		c.Node(0).CutStore()
		ended := make(chan error, 1)
		go func() {
			_, err := nodes[0].Store.Lookup(t.Context(), dnsstore.Key{Name: agtest.FQDN, Type: "TXT"})
			ended <- err
		}()
		synctest.Wait()
		began := time.Now()
		c.Node(0).Kill()
		if err := <-ended; err == nil {
			t.Error("a killed node has read the record")
		}
		synctest.Wait()
		for from, to := range []string{"b", "a"} { // of the dead, and to it
			m := transport.Message{Group: agtest.FQDN, From: []string{"a", "b"}[from], To: to, Kind: "test"}
			_, err := nodes[from].Transport.Exchange(t.Context(), transport.Peer{ID: to}, m)
			if !errors.Is(err, transport.ErrUnreachable) {
				t.Errorf("a message to %s: %v, want ErrUnreachable", to, err)
			}
		}
		if err := nodes[0].Store.Apply(t.Context(), dnsstore.Change{}); err == nil {
			t.Error("a killed node has written")
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("the calls have ended after %v", took)
		}
	})
}

// What a node was asked before it was frozen is answered when it thaws; one
// that was killed does not answer any more.
func TestNode_AnswersNothing(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(n *agtest.Node){"thaw": (*agtest.Node).Thaw, "kill": (*agtest.Node).Kill} {
		synctest.Test(t, func(t *testing.T) {
			var nodes [2]transport.Transport
			c := agtest.New(t, 2, func(i int, c *availability.Config) { nodes[i], c.Transport = c.Transport, nil })
			answer, answered := make(chan struct{}), make(chan error, 1)
			go func() {
				_ = nodes[1].Serve(t.Context(), transport.HandlerFunc(
					func(_ context.Context, m transport.Message) (transport.Message, error) {
						<-answer
						return transport.Message{Kind: m.Kind}, nil
					}))
			}()
			synctest.Wait()
			go func() {
				m := transport.Message{Group: agtest.FQDN, From: "a", To: "b", Kind: "test"}
				_, err := nodes[0].Exchange(t.Context(), transport.Peer{ID: "b"}, m)
				answered <- err
			}()
			synctest.Wait()
			c.Node(1).Freeze()
			close(answer)
			pass(w)
			if len(answered) > 0 {
				t.Errorf("a frozen node has answered: %v", <-answered)
			}
			end(c.Node(1))
			if err := <-answered; name == "thaw" && err != nil || name == "kill" && !errors.Is(err, transport.ErrUnreachable) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// A clean end hands the role over at once, and calls the hooks.
func TestNode_StopHandsOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		demoted := make(chan availability.Demotion, 10)
		c := agtest.New(t, 2, func(i int, c *availability.Config) {
			if i == 0 {
				c.OnDemote = func(_ context.Context, d availability.Demotion) { demoted <- d }
			}
		})
		began := time.Now()
		c.Node(0).Freeze()
		c.Node(0).Stop() // thaws it
		c.Node(0).Stop() // does nothing
		if d := <-demoted; d.Next != "b" {
			t.Errorf("the role was handed over like this: %+v", d)
		}
		wantPrimary(t, c, 1)
		if took := time.Since(began); took > w/100 {
			t.Errorf("it took %v", took)
		}
		if err := c.Group(0).Pause(t.Context(), "test"); !errors.Is(err, availability.ErrNotRunning) {
			t.Errorf("a verb of a stopped node: %v, want ErrNotRunning", err)
		}
	})
}

// With nobody to take the role over, a clean end releases it; and without a
// store it ends all the same.
func TestNode_StopReleases(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := agtest.New(t, 2)
		c.Node(1).Stop()
		pass(w) // for a to notice
		c.Node(0).Stop()
		if !slices.Contains(c.Record(), "primary=-") {
			t.Errorf("the record is %q, want it to name nobody", c.Record())
		}
		began := time.Now()
		c.Node(1).Restart()
		wantPrimary(t, c, 1)
		if took := time.Since(began); took > w/2 {
			t.Errorf("it took %v to take a record that was released", took)
		}
		c.CutStore()
		began = time.Now()
		c.Node(1).Stop()
		if took := time.Since(began); took > w*21/100 {
			t.Errorf("it took %v to stop without a store", took)
		}
	})
}

// With a state directory a restarted Primary proves that its run before is
// dead, and goes on. Without one it waits, and the Secondary takes over when
// the failover period has passed since its last promise.
func TestNode_Restart(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"with a StateDir": t.TempDir(), "without": ""} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := agtest.New(t, 2, func(i int, c *availability.Config) {
					if i == 0 {
						c.StateDir = dir
					}
				})
				pass(w)
				quiet, before := c.Group(1).GetNodeState(), c.Group(0)
				run := strings.Join(c.Record(), " ")
				began := time.Now()
				c.Node(0).Restart()
				if took := time.Since(began); took > w/100 {
					t.Errorf("it took %v to start a program again", took)
				}
				if c.Group(0) == before {
					t.Error("the group is that of the run before")
				}
				if dir == "" {
					if took := becomes(t, c, 1).At.Sub(quiet.LastHeartbeatTime); took != w {
						t.Errorf("b has taken over %v after its last promise, want %v", took, w)
					}
					c.AwaitRole(t.Context(), 0, event.RoleSecondary)
					return
				}
				if e := becomes(t, c, 0); time.Since(quiet.LastHeartbeatTime) > w/2 || e.Term <= quiet.Term {
					t.Errorf("%v after b's last promise a is Primary again in term %d, after term %d",
						time.Since(quiet.LastHeartbeatTime), e.Term, quiet.Term)
				}
				if after := strings.Join(c.Record(), " "); runOf(after) == runOf(run) {
					t.Errorf("the new process is the old one: %s", after)
				}
			})
		})
	}
}

// runOf is the run of the Primary that a record names.
func runOf(record string) string {
	_, rest, _ := strings.Cut(record, " run=")
	run, _, _ := strings.Cut(rest, " ")
	return run
}

// A frozen Primary makes no progress: another one takes over, and what it
// finds after that is the truth.
func TestNode_Freeze(t *testing.T) {
	bubble(t, func(t *testing.T) {
		hooks := make(chan string, 1000)
		c := agtest.New(t, 2, func(i int, c *availability.Config) {
			if i == 0 {
				c.OnDemote = func(context.Context, availability.Demotion) { hooks <- "OnDemote" }
			}
		})
		work, done, err := c.Group(0).PrimaryContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer done()
		c.Node(0).Freeze()
		before := c.Node(0).Store().Calls()
		c.AwaitRole(t.Context(), 1, event.RolePrimary)
		if work.Err() != nil {
			t.Error("a frozen node has noticed that its role is over")
		}
		if c.Group(0).IsPrimary() { // which is noticed by asking
			t.Error("two nodes are Primary")
		}
		synctest.Wait()
		if after := c.Node(0).Store().Calls(); after != before {
			t.Errorf("a frozen node calls the store: %+v, then %+v", before, after)
		}
		if len(hooks) > 0 {
			t.Error("a frozen node has called a hook")
		}
		c.Node(0).Freeze() // does nothing
		c.Node(0).Thaw()
		c.Node(0).Thaw() // does nothing
		if got := <-hooks; got != "OnDemote" {
			t.Errorf("it has called %s", got)
		}
		c.Await(t.Context(), "a is Secondary to b", func() bool { return c.Group(0).GetNodeState().PrimaryID == "b" })
		wantPrimary(t, c, 1)
	})
}

// What waits in a frozen node goes on when it thaws, also if it was frozen
// twice; and it can be killed.
func TestNode_Thaw(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(n *agtest.Node){"thaw": (*agtest.Node).Thaw, "kill": (*agtest.Node).Kill} {
		synctest.Test(t, func(t *testing.T) {
			var store dnsstore.Store
			c := agtest.New(t, 1, func(_ int, c *availability.Config) { store = c.Store })
			c.Node(0).Freeze()
			ended := make(chan error, 1)
			go func() {
				_, err := store.Lookup(t.Context(), dnsstore.Key{Name: agtest.FQDN, Type: "TXT"})
				ended <- err
			}()
			synctest.Wait()
			c.Node(0).Freeze()
			end(c.Node(0))
			if err := <-ended; (err == nil) != (name == "thaw") {
				t.Errorf("%s: Lookup: %v", name, err)
			}
		})
	}
}
