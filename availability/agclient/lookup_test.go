package agclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability/agclient"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
)

func both(_ *lab, c *agclient.Config) {
	c.Members = []string{"http://192.0.2.1:8080", "http://192.0.2.2:8080/"}
}

func membersOnly(l *lab, c *agclient.Config) {
	both(l, c)
	c.Store = nil
}

func nothing(_ *lab, c *agclient.Config) { c.Store = nil }

func TestLookup_IsShared(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.store.Delay(100*time.Millisecond, 0)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { l.want(0, http.MethodGet, "") })
		}
		all.Wait()
		if got := l.store.Calls().Lookups; got != 1 {
			t.Errorf("%d look-ups of 50 callers, want 1", got)
		}
	})
}

// Whoever makes the look-up may give up; the others go on.
func TestLookup_CallerGivesUp(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.store.Delay(200*time.Millisecond, 0)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			start := time.Now()
			if _, _, err := l.send(ctx, http.MethodGet, "/", ""); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want that of the context", err)
			}
			if took := time.Since(start); took != 100*time.Millisecond {
				t.Errorf("it took %v", took)
			}
		})
		synctest.Wait()
		for range 3 {
			all.Go(func() { l.want(0, http.MethodGet, "") })
		}
		all.Wait()
		if got := l.store.Calls().Lookups; got != 2 {
			t.Errorf("%d look-ups, want 2", got)
		}
	})
}

func TestLookup_Trust(t *testing.T) {
	for name, tt := range map[string]struct{ trust, good time.Duration }{
		"default": {0, 5 * time.Second},
		"short":   {time.Second, time.Second},
		"the TTL": {time.Hour, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(_ *lab, c *agclient.Config) { c.Trust = tt.trust }, func(t *testing.T, l *lab) {
				l.want(0, http.MethodGet, "")
				time.Sleep(tt.good - time.Millisecond)
				l.want(0, http.MethodGet, "")
				if got := l.store.Calls().Lookups; got != 1 {
					t.Errorf("%d look-ups, want 1", got)
				}
				time.Sleep(time.Millisecond)
				l.want(0, http.MethodGet, "")
				if got := l.store.Calls().Lookups; got != 2 {
					t.Errorf("%d look-ups, want 2", got)
				}
			})
		})
	}
}

// A TTL of 0 does not make each request look.
func TestLookup_NoTTL(t *testing.T) {
	store := dnsstoretest.NewFaulty(answers{"A": address(0)})
	inLab(t, func(_ *lab, c *agclient.Config) { c.Store = store }, func(t *testing.T, l *lab) {
		for range 10 {
			l.want(0, http.MethodGet, "")
		}
		if got := store.Calls().Lookups; got != 3 { // TXT, A, AAAA
			t.Errorf("%d look-ups, want 3", got)
		}
	})
}

// A Primary that lives on without the role, and serves all the same, is left
// when the client looks again.
func TestLookup_FindsAMoveByItself(t *testing.T) {
	inLab(t, nil, func(_ *testing.T, l *lab) {
		l.want(0, http.MethodGet, "")
		l.move(1, 101)
		l.nodes[0].set(func() { l.nodes[0].deluded, l.nodes[0].term = true, 100 })
		time.Sleep(5 * time.Second)
		l.want(1, http.MethodGet, "")
	})
}

// An answer that closes its connection makes the client look, once a second at
// most.
func TestLookup_AfterConnectionClose(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.want(0, http.MethodGet, "")
		l.nodes[0].set(func() { l.nodes[0].closing = true })
		for range 40 {
			l.want(0, http.MethodGet, "")
			time.Sleep(100 * time.Millisecond)
		}
		if got := l.store.Calls().Lookups; got < 4 || got > 5 {
			t.Errorf("%d look-ups in 4 s, want one a second", got)
		}
	})
}

func TestLookup_AfterANewTerm(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.want(0, http.MethodGet, "")
		l.nodes[0].set(func() { l.nodes[0].term = 105 })
		l.want(0, http.MethodGet, "")
		time.Sleep(time.Second)
		l.want(0, http.MethodGet, "")
		if got := l.store.Calls().Lookups; got != 2 {
			t.Errorf("%d look-ups, want 2", got)
		}
	})
}

func TestLookup_MembersAlone(t *testing.T) {
	inLab(t, membersOnly, func(t *testing.T, l *lab) {
		l.move(1, 101)
		l.want(1, http.MethodPost, "1")
		l.move(0, 102)
		l.want(0, http.MethodPost, "2")
		if got := l.nodes[0].told; got != "102" {
			t.Errorf("the node was told term %q with the question", got)
		}
	})
}

func TestLookup_StoreDown(t *testing.T) {
	for name, fault := range map[string]func(*lab){
		"silent":  func(l *lab) { l.store.Cut() },
		"refuses": func(l *lab) { l.store.Fail(errors.New("connection refused")) },
		"no record": func(l *lab) {
			l.write("TXT")
			l.write("A")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, both, func(t *testing.T, l *lab) {
				l.move(1, 101)
				fault(l)
				start := time.Now()
				l.want(1, http.MethodGet, "")
				if took := time.Since(start); took > time.Second {
					t.Errorf("it took %v, want at most half of LookupTimeout", took)
				}
			})
		})
	}
}

// Members that the record has named are asked when the store is down later.
func TestLookup_RemembersMembers(t *testing.T) {
	inLab(t, nil, func(_ *testing.T, l *lab) {
		l.want(0, http.MethodGet, "")
		l.store.Fail(errors.New("connection refused"))
		l.move(1, 101)
		l.want(1, http.MethodPost, "1")
	})
}

// Where the record cannot be read, the host record has the address.
func TestLookup_HostRecord(t *testing.T) {
	for name, texts := range map[string][]string{
		"none":    nil,
		"foreign": {`"v=spf1 -all"`},
		"later":   {`"ag=9" "primary=a"`},
		"broken":  {`"ag=1" "primary=a"`},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, nil, func(t *testing.T, l *lab) {
				l.move(1, 101)
				l.write("TXT", texts...)
				l.want(1, http.MethodGet, "")
				wantDialed(t, l.net, 0, "192.0.2.2:80")
			})
		})
	}
	t.Run("two", func(t *testing.T) {
		inLab(t, nil, func(t *testing.T, l *lab) {
			l.move(1, 101)
			l.write("TXT", l.text(0, 100), l.text(0, 101))
			l.want(1, http.MethodGet, "")
			wantDialed(t, l.net, 0, "192.0.2.2:80")
		})
	})
}

// Once the Primary has said that it is, nobody needs to be asked again.
func TestLookup_AConfirmationEndsTheSuspicion(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.nodes[0].set(func() { l.nodes[0].breaks = 1; l.nodes[0].closing = true })
		l.want(0, http.MethodPut, "1")
		asked := l.nodes[0].questions()
		if asked != 1 {
			t.Errorf("%d questions after the failure, want 1", asked)
		}
		time.Sleep(2 * time.Second)
		l.want(0, http.MethodPut, "2")
		if got := l.store.Calls().Lookups; got != 3 {
			t.Errorf("%d look-ups, want 3", got)
		}
		if got := l.nodes[0].questions(); got != asked {
			t.Errorf("%d questions after the confirmation", got-asked)
		}
	})
}

// A failure that shows late does not count against what was found meanwhile.
func TestLookup_LateFailure(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.want(0, http.MethodGet, "")
		var all sync.WaitGroup
		for _, path := range []string{"/break/1s", "/break/2s", "/break/3s"} {
			all.Go(func() {
				if _, _, err := l.send(t.Context(), http.MethodPost, path, "1"); err == nil {
					t.Error("no error")
				}
			})
		}
		synctest.Wait()
		l.move(1, 101)
		for range 6 {
			time.Sleep(600 * time.Millisecond)
			_, _, _ = l.send(t.Context(), http.MethodGet, "/", "")
		}
		all.Wait()
		if got := l.store.Calls().Lookups; got != 2 {
			t.Errorf("%d look-ups, want 2", got)
		}
	})
}

// A store that lags behind does not send the client back.
func TestLookup_OldRecord(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.move(1, 101)
		l.want(1, http.MethodGet, "")
		l.name(0, 100)
		l.net.resolve(fqdn, address(1))
		for _, n := range l.nodes {
			n.set(func() { n.silent = true })
		}
		time.Sleep(5 * time.Second)
		before := len(l.net.withoutPort("8080"))
		l.want(1, http.MethodGet, "")
		if got := l.net.withoutPort("8080")[before:]; len(got) != 1 || got[0] != "192.0.2.2:80" {
			t.Errorf("dialed %q", got)
		}
	})
}

// A member is asked once, whether the record or the configuration knows it;
// twice if it can be asked at two ports.
func TestLookup_AsksOnce(t *testing.T) {
	for want, member := range map[int]string{1: "http://192.0.2.1:8080", 2: "http://192.0.2.1:9090"} {
		t.Run(member, func(t *testing.T) {
			inLab(t, func(_ *lab, c *agclient.Config) { c.Members = []string{member} }, func(t *testing.T, l *lab) {
				l.name(-1, 101)
				for _, n := range l.nodes {
					n.set(func() { n.primary = false })
				}
				conn, err := l.client.DialContext(t.Context(), "tcp", fqdn+":80")
				if err != nil {
					t.Fatal(err)
				}
				conn.Close()
				if got := l.nodes[0].questions(); got != want {
					t.Errorf("%d questions, want %d", got, want)
				}
			})
		})
	}
}

// What goes wrong with a request by itself is not held against the Primary.
func TestLookup_FaultOfTheCaller(t *testing.T) {
	for name, edit := range map[string]func(*http.Request){
		"body":  func(r *http.Request) { r.Body = io.NopCloser(iotest.ErrReader(errors.New("no body"))) },
		"field": func(r *http.Request) { r.Header["Bad field"] = []string{"x"} },
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, nil, func(t *testing.T, l *lab) {
				l.want(0, http.MethodGet, "")
				if _, _, err := l.send(t.Context(), http.MethodPost, "/", "x", edit); err == nil {
					t.Error("no error")
				}
				l.want(0, http.MethodGet, "")
				if got := l.nodes[0].questions(); got != 0 {
					t.Errorf("%d questions, want none", got)
				}
			})
		})
	}
}

// A caller who gives up says nothing of the Primary.
func TestLookup_CallerCancels(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.want(0, http.MethodGet, "")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, _, err := l.send(ctx, http.MethodGet, "/break/3s", ""); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		time.Sleep(2 * time.Second)
		l.want(0, http.MethodGet, "")
		if got := l.store.Calls().Lookups; got != 1 {
			t.Errorf("%d look-ups, want 1", got)
		}
	})
}

// A deadline that passes is a sign that the Primary may be another one, no
// more.
func TestLookup_DeadlinePasses(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.want(0, http.MethodGet, "")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, _, err := l.send(ctx, http.MethodGet, "/break/3s", ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		l.move(1, 101)
		l.nodes[0].set(func() { l.nodes[0].deluded, l.nodes[0].term = true, 100 })
		l.want(1, http.MethodGet, "")
	})
}

// An answer of a node that only lets others read is good, and makes the client
// look.
func TestLookup_AfterAReadElsewhere(t *testing.T) {
	inLab(t, nil, func(_ *testing.T, l *lab) {
		l.want(0, http.MethodGet, "")
		l.move(1, 101)
		l.nodes[0].set(func() { l.nodes[0].reads, l.nodes[0].term = true, 100 })
		l.want(0, http.MethodGet, "")
		time.Sleep(time.Second)
		l.want(1, http.MethodGet, "")
	})
}

// Where nothing is known, the resolver is used, and nothing waits for anybody.
func TestLookup_NothingKnown(t *testing.T) {
	inLab(t, nothing, func(t *testing.T, l *lab) {
		start := time.Now()
		for range 10 {
			l.want(0, http.MethodPost, "1")
			time.Sleep(time.Second)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %v longer", took-10*time.Second)
		}
		wantDialed(t, l.net, 0, "192.0.2.1:80")
	})
}

// What is known and does not work is not used.
func TestLookup_ResolverKnowsBetter(t *testing.T) {
	for name, fault := range map[string]func(*host){"refuses": (*host).crash, "vanished": (*host).vanish} {
		t.Run(name, func(t *testing.T) {
			inLab(t, nil, func(t *testing.T, l *lab) {
				third := l.add()
				third.set(func() { third.primary, third.term = true, 100 })
				l.net.resolve(fqdn, address(2)) // by a view of the zone that the store does not have
				for _, n := range l.nodes[:2] {
					fault(n.host)
				}
				l.want(2, http.MethodPost, "1")
				start := time.Now()
				l.want(2, http.MethodPost, "2")
				if took := time.Since(start); took > 3*time.Second {
					t.Errorf("the second request took %v", took)
				}
			})
		})
	}
}

// With everybody down, requests fail in bounded time, and look-ups in vain
// become rare.
func TestLookup_EverybodyDown(t *testing.T) {
	inLab(t, both, func(t *testing.T, l *lab) {
		l.store.Cut()
		for _, n := range l.nodes {
			n.crash()
		}
		for range 100 {
			start := time.Now()
			if _, _, err := l.send(t.Context(), http.MethodGet, "/", ""); err == nil {
				t.Fatal("no error")
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Fatalf("it took %v", took)
			}
			time.Sleep(time.Second)
		}
		if got := l.store.Calls().Lookups; got > 30 {
			t.Errorf("%d look-ups in 100 s", got)
		}
		l.store.Heal()
		for _, n := range l.nodes {
			n.restart()
		}
		time.Sleep(6 * time.Second)
		l.want(0, http.MethodGet, "")
	})
}

// Who says that it is Primary: the first, but for whom is known to be stale.
func TestLookup_WhoIsBelieved(t *testing.T) {
	for name, tt := range map[string]struct {
		set  func(a, b *node)
		want string
	}{
		"the only one":            {func(_, b *node) { b.deluded = true }, "b"},
		"the higher term":         {func(a, b *node) { a.deluded, b.deluded, a.term, b.term = true, true, 99, 102 }, "b"},
		"not one in an old term":  {func(a, _ *node) { a.deluded, a.term = true, 99 }, ""},
		"one that tells no term":  {func(_, b *node) { b.deluded, b.bare = true, true }, "b"},
		"whom the record names":   {func(a, b *node) { a.deluded, b.deluded, a.bare, b.bare = true, true, true, true }, "a"},
		"the record, if nobody":   {func(a, b *node) { a.silent, b.silent = true, true }, ""},
		"not whoever is unclear":  {func(a, b *node) { a.silent, b.silent, b.deluded = true, true, true }, ""},
		"not who denies the role": {func(_, _ *node) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(l *lab, c *agclient.Config) { both(l, c); c.Patience = -1 }, func(t *testing.T, l *lab) {
				a, b := l.nodes[0], l.nodes[1]
				l.want(0, http.MethodGet, "")
				a.set(func() { a.primary, a.breaks = false, 1 })
				a.set(func() { tt.set(a, b) })
				var got string
				status, text, err := l.send(t.Context(), http.MethodGet, "/", "")
				if err == nil && status == http.StatusOK {
					got = text
				}
				if got != tt.want {
					t.Errorf("an answer of %q (status %d, %v), want of %q", got, status, err, tt.want)
				}
			})
		})
	}
}

// A client that knows nothing learns of the Primary by a redirect, and asks it
// for its role before it believes that.
func TestLookup_HintOfARedirect(t *testing.T) {
	for name, tt := range map[string]struct {
		location string
		want     int
	}{
		"right":         {"http://192.0.2.2:8080", http.StatusOK},
		"nobody there":  {"http://192.0.2.99:8080", http.StatusTemporaryRedirect},
		"itself":        {"http://192.0.2.1:8080", http.StatusTemporaryRedirect},
		"no address":    {"mailto:x", http.StatusTemporaryRedirect},
		"relative":      {"/elsewhere", http.StatusTemporaryRedirect},
		"another thing": {"ftp://192.0.2.2", http.StatusTemporaryRedirect},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, nothing, func(t *testing.T, l *lab) {
				l.move(1, 101)
				l.nodes[0].set(func() { l.nodes[0].redirect = tt.location })
				status, _, err := l.send(t.Context(), http.MethodPost, "/", "1")
				if status != tt.want || err != nil {
					t.Errorf("status %d, %v, want %d", status, err, tt.want)
				}
				if tt.want == http.StatusOK {
					l.want(1, http.MethodPost, "2")
				}
			})
		})
	}
}

// The addresses of the record's Primary are tried in turn.
func TestLookup_TwoAddresses(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.write("TXT")
		l.write("A", "192.0.2.77", address(1))
		l.move(1, 101)
		l.write("TXT")
		l.write("A", "192.0.2.1", address(1))
		l.nodes[0].vanish()
		start := time.Now()
		l.want(1, http.MethodPost, "1")
		wantDialed(t, l.net, 0, "192.0.2.1:80", "192.0.2.2:80")
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// Load goes on through a crash and a takeover: no change is made twice, and
// each request after the takeover is served.
func TestLookup_CrashUnderLoad(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		var all sync.WaitGroup
		var mu sync.Mutex
		late := 0
		crashed, taken := 2*time.Second, 4*time.Second
		start := time.Now()
		time.AfterFunc(crashed, l.nodes[0].crash)
		time.AfterFunc(taken, func() { l.move(1, 101) })
		for i := range 200 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 40 * time.Millisecond)
				began := time.Since(start)
				status, _, err := l.send(t.Context(), http.MethodPost, fmt.Sprintf("/%d", i), "change")
				if ok := err == nil && status == http.StatusOK; !ok && (began < crashed || began > taken+time.Second) {
					t.Errorf("request %d at %v: status %d, %v", i, began, status, err)
				} else if ok && began > taken {
					mu.Lock()
					late++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		seen := map[string]int{}
		for _, n := range l.nodes {
			for _, r := range n.served() {
				if seen[r.path]++; seen[r.path] > 1 {
					t.Errorf("%s was served twice", r.path)
				}
			}
		}
		if late == 0 || len(seen) < 100 {
			t.Errorf("%d requests were served, %d of them by the new Primary: the test shows nothing", len(seen), late)
		}
		if got := l.store.Calls().Lookups; got > 30 {
			t.Errorf("%d look-ups in 8 s", got)
		}
	})
}

// Whatever the name has in DNS, requests go somewhere or fail.
func FuzzLookup(f *testing.F) {
	for _, seed := range []string{
		`"ag=1"`, `"ag=1" "primary=a" "m=a,http,80,100,192.0.2.1,"`, `"ag=2"`, `"`, `x`, "\"ag=1\" \"group=1\" \"term=7\" \"seq=1\" \"nonce=1\" " +
			"\"primary=a\" \"run=1\" \"by=a\" \"at=2026-11-21t20:12:50z\" \"w=1s\" \"r=1s\" \"c=1s\" \"ttl=-\" \"m=a,http,80,100,127.0.0.1,\"",
	} {
		f.Add(seed, "192.0.2.1")
	}
	f.Fuzz(func(t *testing.T, text, addr string) {
		synctest.Test(t, func(t *testing.T) {
			store := answers{"TXT": text, "A": addr}
			c, err := agclient.New(agclient.Config{FQDN: fqdn, Store: store, Base: &http.Transport{DialContext: newNetwork().dial}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if _, _, err := send(ctx, t, c, http.MethodGet, "http://"+fqdn+"/", ""); err == nil || ctx.Err() != nil {
				t.Errorf("error %v from a network without a host", err)
			}
		})
	})
}

func FuzzNew_Members(f *testing.F) {
	for _, seed := range []string{
		"", "192.0.2.1", "192.0.2.1:80", "http://[2001:db8::1]:80/x", "https://u:p@h", "ftp://h", "http://h?q", "http://h:0", "http:// h", "://", "http://h:99999", "%",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := agclient.New(agclient.Config{FQDN: fqdn, Members: []string{text}})
		if err != nil && strings.Contains(err.Error(), "p4ssw0rd") {
			t.Errorf("the error may have a password: %v", err)
		}
		if _, plain := netip.ParseAddrPort(text); plain == nil && err != nil && !strings.HasSuffix(text, ":0") && !strings.ContainsAny(text, "[%") {
			t.Errorf("%q: %v", text, err)
		}
	})
}
