package availability_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
)

// examined is a store with faults that a preflight has to find.
type examined struct {
	dnsstore.Store
	fault atomic.Pointer[storeFault]
}

type storeFault struct {
	lookup func(k dnsstore.Key, set dnsstore.RRSet, err error) (dnsstore.RRSet, error)
	skew   time.Duration
	probe  error
}

func (e *examined) has(f storeFault) { e.fault.Store(&f) }

func (e *examined) Lookup(ctx context.Context, k dnsstore.Key) (dnsstore.RRSet, error) {
	set, err := e.Store.Lookup(ctx, k)
	if f := e.fault.Load(); f.lookup != nil {
		return f.lookup(k, set, err)
	}
	return set, err
}

func (e *examined) Skew() time.Duration                 { return e.fault.Load().skew }
func (e *examined) Probe(context.Context, string) error { return e.fault.Load().probe }

// failing are the names of the checks that are not OK.
func failing(r availability.Report) []string {
	var names []string
	for _, c := range r.Checks {
		if !c.OK {
			names = append(names, c.Name)
		}
	}
	return names
}

func isText(k dnsstore.Key) bool { return k.Type == "TXT" }

// Each fault is found by the check that is about it, and by no other but those
// that cannot look behind it.
func TestPreflight_NamesTheFault(t *testing.T) {
	unseen := []string{"host record", "ttl", "members"}
	behindStore := append([]string{"round trip", "server", "record"}, unseen...)
	refused := func(text string) error { return fmt.Errorf("%w: %s", dnsstore.ErrRefused, text) }
	for name, tt := range map[string]struct {
		plant  func(l *lab, a, b *node, s *examined)
		config func(c *availability.Config)
		want   []string
		detail string
	}{
		"nothing": {},
		"the key is wrong": {
			plant: func(_ *lab, _, _ *node, s *examined) {
				s.has(storeFault{lookup: func(dnsstore.Key, dnsstore.RRSet, error) (dnsstore.RRSet, error) {
					return dnsstore.RRSet{}, refused("NOTAUTH with BADSIG")
				}})
			},
			want: append([]string{"store", "clock"}, behindStore...), detail: "BADSIG",
		},
		"the server is gone": {
			plant: func(_ *lab, _, b *node, _ *examined) { b.faulty.Cut() },
			want:  append([]string{"store", "clock"}, behindStore...), detail: "deadline exceeded",
		},
		"the key may not change the name": {
			plant: func(_ *lab, _, _ *node, s *examined) { s.has(storeFault{probe: refused("REFUSED by policy")}) },
			want:  []string{"server"}, detail: "by policy",
		},
		"the server takes false conditions for true": {
			plant: func(_ *lab, _, _ *node, s *examined) {
				s.has(storeFault{probe: fmt.Errorf("%w: it takes a false condition for true", dnsstore.ErrUnfit)})
			},
			want: []string{"server"}, detail: "false condition",
		},
		"the server's clock is wrong": {
			plant: func(_ *lab, _, _ *node, s *examined) { s.has(storeFault{skew: -4 * time.Minute}) },
			want:  []string{"clock"}, detail: "4m0s behind",
		},
		"the server is slow": {
			plant: func(_ *lab, _, b *node, _ *examined) { b.faulty.Delay(1100*time.Millisecond, 1100*time.Millisecond) },
			want:  []string{"round trip"}, detail: "took 2.2s",
		},
		"the address is edited": {
			plant: func(_ *lab, _, _ *node, s *examined) {
				s.has(storeFault{lookup: func(k dnsstore.Key, set dnsstore.RRSet, err error) (dnsstore.RRSet, error) {
					if k.Type == "A" {
						set.Data = []string{"198.51.100.7"}
					}
					return set, err
				}})
			},
			want: []string{"host record"}, detail: "svc.lab.test is at 198.51.100.7, the Primary a at 192.0.2.1",
		},
		"the TTL is longer than W": {
			plant: func(_ *lab, _, _ *node, s *examined) {
				s.has(storeFault{lookup: func(_ dnsstore.Key, set dnsstore.RRSet, err error) (dnsstore.RRSet, error) {
					set.TTL = time.Hour
					return set, err
				}})
			},
			want: []string{"ttl"}, detail: "kept for 3600 s, the failover period is 60 s",
		},
		"an old record is read": {
			plant: func(l *lab, a, _ *node, s *examined) {
				old, err := l.store.Lookup(l.t.Context(), dnsstore.Key{Name: "svc.lab.test", Type: "TXT"})
				if err != nil {
					l.t.Fatal(err)
				}
				number := a.Stats().Writes
				l.wait("a writes the record once more, and b reads it", func() bool { return a.Stats().Writes > number+1 })
				time.Sleep(time.Minute)
				s.has(storeFault{lookup: func(k dnsstore.Key, set dnsstore.RRSet, err error) (dnsstore.RRSet, error) {
					if isText(k) {
						return old, nil
					}
					return set, err
				}})
			},
			want: []string{"record"}, detail: "is older (term",
		},
		"the record is unusable": {
			plant: func(_ *lab, _, _ *node, s *examined) {
				s.has(storeFault{lookup: func(k dnsstore.Key, set dnsstore.RRSet, err error) (dnsstore.RRSet, error) {
					if isText(k) {
						set.Data = append(set.Data, set.Data...)
					}
					return set, err
				}})
			},
			want: append([]string{"record"}, unseen...), detail: "two records",
		},
		"the record is gone": {
			plant: func(_ *lab, _, _ *node, s *examined) {
				s.has(storeFault{lookup: func(k dnsstore.Key, set dnsstore.RRSet, err error) (dnsstore.RRSet, error) {
					if isText(k) {
						set.Data = nil
					}
					return set, err
				}})
			},
			want: append([]string{"record"}, unseen...), detail: "no group at svc.lab.test",
		},
		"a peer cannot be reached": {
			plant: func(l *lab, _, b *node, _ *examined) { l.cutPeers(b) },
			want:  []string{"peer a"}, detail: "http",
		},
		"a peer cannot read the record": {
			plant: func(_ *lab, a, _ *node, _ *examined) { a.faulty.Cut() },
			want:  []string{"peer a"}, detail: "cannot read the record",
		},
		"nobody may take over": {
			config: func(c *availability.Config) {
				if c.NodeID == "b" {
					c.Priority = -1
				}
			},
			want: []string{"members"}, detail: "no member but the Primary",
		},
		"the group is paused": {
			plant: func(l *lab, a, _ *node, _ *examined) {
				if err := a.Pause(l.t.Context(), "maintenance"); err != nil {
					l.t.Fatal(err)
				}
			},
			want: []string{"pause"}, detail: "paused in the whole group",
		},
		"this node is not healthy": {
			config: func(c *availability.Config) {
				if c.NodeID == "b" {
					c.Health = func(context.Context) error { return errors.New("full") }
				}
			},
			plant: func(l *lab, _, b *node, _ *examined) {
				l.wait("b is unhealthy", func() bool { return !b.GetNodeState().Healthy })
			},
			want: []string{"health"}, detail: "not healthy",
		},
		"a peer is not healthy": {
			config: func(c *availability.Config) {
				if c.NodeID == "a" {
					c.Health = func(context.Context) error { return errors.New("full") }
				}
			},
			plant: func(l *lab, a, _ *node, _ *examined) {
				l.wait("a is unhealthy", func() bool { return !a.GetNodeState().Healthy })
				l.wait("b is Primary", func() bool { return l.nodes[1].IsPrimary() })
				synctest.Wait()
			},
			want: []string{"peer a"}, detail: "not healthy",
		},
		"there is no transport": {
			config: func(c *availability.Config) { c.Transport = nil },
			want:   []string{"peer a"}, detail: "no transport",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &examined{}
				s.has(storeFault{})
				l, a, b := pair(t, func(c *availability.Config) {
					if c.NodeID == "b" {
						s.Store, c.Store = c.Store, s
					}
					if tt.config != nil {
						tt.config(c)
					}
				})
				if tt.plant != nil {
					tt.plant(l, a, b, s)
				}
				r := b.Preflight(t.Context())
				if diff := cmp.Diff(tt.want, failing(r)); diff != "" {
					t.Errorf("failing checks: mismatch (-want +got):\n%s\n%+v", diff, r.Checks)
				}
				if r.OK != (len(tt.want) == 0) {
					t.Errorf("OK = %t", r.OK)
				}
				checkTexts(t, r, tt.want, tt.detail)
				l.heal(b)
				a.faulty.Heal()
				l.stop()
			})
		})
	}
}

// checkTexts looks whether the first failing check tells what is wrong, and
// each of them what to do.
func checkTexts(t *testing.T, r availability.Report, want []string, detail string) {
	t.Helper()
	for _, c := range r.Checks {
		if !c.OK && c.Advice == "" || c.Detail == "" {
			t.Errorf("%s: detail %q, advice %q", c.Name, c.Detail, c.Advice)
		}
		if len(want) > 0 && c.Name == want[0] && !strings.Contains(c.Detail, detail) {
			t.Errorf("%s: %q does not say %q", c.Name, c.Detail, detail)
		}
	}
}

// A node outside looks at what it can: the store it would found a group in.
func TestPreflight_OutsideAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		a := l.start(func(c *availability.Config) { c.Bootstrap = availability.BootstrapManual })
		synctest.Wait()
		want := []string{"record", "host record", "ttl", "members"}
		if diff := cmp.Diff(want, failing(a.Preflight(t.Context()))); diff != "" {
			t.Errorf("outside: mismatch (-want +got):\n%s", diff)
		}
		l.stop()
		r := a.Preflight(t.Context())
		if diff := cmp.Diff([]string{"running"}, failing(r)); r.OK || diff != "" {
			t.Errorf("after Run: OK = %t, mismatch (-want +got):\n%s", r.OK, diff)
		}
	})
}

// Preflight changes nothing, however often it is called.
func TestPreflight_ChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		synctest.Wait()
		before := a.History()
		for range 10 {
			if r := a.Preflight(t.Context()); !r.OK {
				t.Errorf("on the Primary: %+v", r)
			}
			if r := b.Preflight(t.Context()); !r.OK {
				t.Errorf("on the Secondary: %+v", r)
			}
		}
		if got := len(a.History()); got != len(before) || !a.IsPrimary() {
			t.Errorf("%d events, before there were %d; Primary: %t", got, len(before), a.IsPrimary())
		}
		l.stop()
	})
}

// A caller that gives up is answered at once.
func TestPreflight_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _, b := pair(t)
		l.cutPeers(b)
		b.faulty.Cut()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		r := b.Preflight(ctx)
		if took := time.Since(began); took != 100*time.Millisecond || r.OK {
			t.Errorf("took %v, OK = %t", took, r.OK)
		}
		l.heal(b)
		l.stop()
	})
}

// A node whose host has refused a promotion says so itself, as others say of it.
func TestPreflight_CoolingDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t, func(c *availability.Config) {
			if c.NodeID == "b" {
				c.BeforePromote = func(context.Context, availability.Promotion) error { return errors.New("no disk") }
			}
		})
		if err := a.Failover(t.Context(), availability.To("b")); err == nil {
			t.Error("a failover to a node that refuses succeeded")
		}
		l.wait("a has the role again", a.IsPrimary)
		for n, want := range map[*node]string{a: "peer b", b: "health"} {
			if diff := cmp.Diff([]string{want}, failing(n.Preflight(t.Context()))); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
		}
		l.stop()
	})
}

// A member that has started without a way to the server is not one of another
// group.
func TestPreflight_APeerThatHasReadNothingYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		l.end(b)
		again := l.start(func(c *availability.Config) {
			f := dnsstoretest.NewFaulty(c.Store)
			f.Fail(errors.New("unreachable"))
			c.Store = f
		})
		time.Sleep(time.Second)
		r := a.Preflight(t.Context())
		if diff := cmp.Diff([]string{"peer b"}, failing(r)); diff != "" {
			t.Errorf("mismatch (-want +got):\n%s", diff)
		}
		checkTexts(t, r, []string{"peer b"}, "cannot read the record")
		l.end(again)
		l.stop()
	})
}

// A failover that comes in between the reads is no fault.
func TestPreflight_WhileTheRoleMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &examined{}
		s.has(storeFault{})
		l, a, b := pair(t, func(c *availability.Config) {
			if c.NodeID == "b" {
				s.Store, c.Store = c.Store, s
			}
		})
		var moved atomic.Bool
		s.has(storeFault{lookup: func(k dnsstore.Key, set dnsstore.RRSet, err error) (dnsstore.RRSet, error) {
			if isText(k) && moved.CompareAndSwap(false, true) {
				if err := a.Failover(t.Context(), availability.To("b")); err != nil {
					t.Error(err)
				}
			}
			return set, err
		}})
		l.net.Delay("b", "a", 500*time.Millisecond)
		if r := b.Preflight(t.Context()); !r.OK || !moved.Load() {
			t.Errorf("moved: %t, %+v", moved.Load(), r)
		}
		l.stop()
	})
}

// end ends the node that was started last.
func (l *lab) end(n *node) {
	l.t.Helper()
	n.cancel()
	if err := <-n.done; err != nil {
		l.t.Error(err)
	}
	l.nodes = l.nodes[:len(l.nodes)-1]
}
