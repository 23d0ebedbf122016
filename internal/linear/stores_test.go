package linear_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
	"github.com/availabilitygroup/ag/internal/testserver"
)

// mustHaveShown fails a run in which too little has happened, and hands its
// figures on.
func mustHaveShown(t *testing.T, c counts) {
	t.Helper()
	t.Logf("%d calls: %+v", c.calls(), c)
	if !c.shown() {
		t.Errorf("a run with so few reads, successes, conflicts or unknown ends shows nothing: %+v", c)
	}
	t.Attr("prove.operations", strconv.Itoa(c.calls()))
	t.Attr("prove.applied", strconv.Itoa(c.applied))
	t.Attr("prove.conflicts", strconv.Itoa(c.conflicts))
	t.Attr("prove.unknown", strconv.Itoa(c.unknown))
}

// stumbling is a store whose answers get lost and whose changes come late.
type stumbling struct {
	*dnsstoretest.Faulty
	mu  sync.Mutex
	rng *rand.Rand
}

func (s *stumbling) Apply(ctx context.Context, c dnsstore.Change) error {
	s.mu.Lock()
	late := time.Duration(s.rng.Float64() * float64(40*time.Millisecond))
	switch s.rng.IntN(12) {
	case 0:
		s.ApplyLate(1, late)
	case 1:
		s.LoseAnswers(1)
	case 2:
		s.BreakAnswers(1)
	}
	s.mu.Unlock()
	return s.Faulty.Apply(ctx, c)
}

// stumble gives each client a stumbling store over the one below.
func stumble(t *testing.T, below dnsstore.Store, seed uint64) func(client int) opened {
	t.Helper()
	return func(client int) opened {
		faulty := dnsstoretest.NewFaulty(below)
		faulty.Delay(200*time.Microsecond, 200*time.Microsecond)
		t.Cleanup(func() { _ = faulty.Close() })
		return opened{&stumbling{Faulty: faulty, rng: rand.New(rand.NewPCG(seed, uint64(client)))}, false}
	}
}

func TestLinear_Memory(t *testing.T) {
	t.Parallel()
	p := plan{
		clients: 6, calls: 400, registers: 16, timeout: 5 * time.Millisecond, all: 5 * time.Second, deletes: true,
	}.nightly(1)
	h := newHistory()
	p.play(t, h, p.stores(stumble(t, dnsstore.NewMemory(), p.seed)), func() {})
	mustBeLinear(t, h)
	mustHaveShown(t, h.soFar())
}

// behind returns stores of a server, each behind the relay, over one of the
// networks in turn.
func behind(t *testing.T, r *relay, access dnsstore.Access, networks ...string) func(client int) opened {
	t.Helper()
	return func(client int) opened {
		c := rfc2136.Config{Server: r.addr(), Zone: zone, Net: networks[client%len(networks)]}
		s, err := c.Open(access)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if s, ok := s.(*rfc2136.Store); ok {
				_ = s.Close() // always nil
			}
		})
		return opened{s, c.Net == "udp" || r.ahead()}
	}
}

// crash kills and starts a server twice: when a third of the calls were made,
// or of the time has gone, and again.
func crash(h *history, p plan, again func()) {
	const parts = 3
	start := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := 1; i < parts; i++ {
		for h.soFar().calls() < i*p.clients*p.calls/parts && time.Since(start) < time.Duration(i)*p.all/parts {
			<-tick.C
		}
		again()
	}
}

// onServer plays a plan on a server that is killed and started meanwhile.
func onServer(t *testing.T, p plan, r *relay, open func(client int) opened, again func()) {
	t.Helper()
	h, stores, crashes := newHistory(), p.stores(open), 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.play(t, h, stores, r.calm)
	}()
	defer func() { <-done }() // also if the server cannot be started
	crash(h, p, func() {
		again()
		crashes++
	})
	<-done
	t.Attr("prove.server-crashes", strconv.Itoa(crashes))
	mustBeLinear(t, h)
	mustHaveShown(t, h.soFar())
}

func TestLinear_Embedded(t *testing.T) {
	t.Parallel()
	for seed, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			p := plan{clients: 6, calls: 150, registers: 8, timeout: 200 * time.Millisecond, all: 8 * time.Second}.nightly(uint64(seed))
			server := newChild(t, t.TempDir())
			r := newRelay(t, server.addr, p.seed)
			onServer(t, p, r, behind(t, r, access(), network), func() {
				server.kill()
				server.start()
				r.aim(server.addr)
			})
		})
	}
}

// Somebody on the way sends copies of the clients' messages ahead of them, and
// keeps the answers. A conflict may then be a change that was made, as long as
// it is not there any more.
func TestLinear_CopiesAhead(t *testing.T) {
	t.Parallel()
	p := plan{clients: 6, calls: 150, registers: 8, timeout: 200 * time.Millisecond, all: 8 * time.Second}.nightly(5)
	server := newChild(t, t.TempDir())
	r := newRelay(t, server.addr, p.seed)
	storm := stormy()
	storm.ahead = 0.2
	r.set(storm)
	onServer(t, p, r, behind(t, r, access(), "tcp"), func() {
		server.kill()
		server.start()
		r.aim(server.addr)
	})
}

// onReal plays a plan on a real server, over both networks at once.
func onReal(t *testing.T, server *testserver.Server, p plan) {
	t.Helper()
	r := newRelay(t, server.Addr, p.seed)
	open := behind(t, r, server.Key("hmac-sha256").Access("r0."+zone), "tcp", "udp")
	onServer(t, p, r, open, func() {
		server.Kill()
		server.Start()
	})
}

func TestLinear_BIND(t *testing.T) {
	t.Parallel()
	onReal(t, testserver.BIND(t), plan{clients: 6, calls: 150, registers: 8, timeout: 200 * time.Millisecond, all: 8 * time.Second}.nightly(2))
}

// Knot holds an update up to the next full second now and then.
func TestLinear_Knot(t *testing.T) {
	t.Parallel()
	onReal(t, testserver.Knot(t), plan{clients: 6, calls: 100, registers: 6, timeout: 400 * time.Millisecond, all: 8 * time.Second}.nightly(3))
}

func TestLinear_PowerDNS(t *testing.T) {
	t.Parallel()
	onReal(t, testserver.PowerDNS(t), plan{clients: 6, calls: 120, registers: 8, timeout: 300 * time.Millisecond, all: 8 * time.Second}.nightly(4))
}
