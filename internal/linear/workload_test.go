package linear_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

// plan is what the clients do.
type plan struct {
	// seed makes what they ask for the same in each run. When it comes to pass
	// is up to the machine.
	seed uint64
	// clients, and the calls that each of them makes, on this many registers.
	clients, calls, registers int
	// timeout bounds one call, and all the time within which calls are begun.
	// If too little has happened by then, because the machine is busy, the run
	// goes on, and gives calls more time.
	timeout, all time.Duration
	// deletes: registers are deleted and created again.
	deletes bool
}

// nightly is a plan for more time.
func (p plan) nightly(seed uint64) plan {
	p.seed = seed
	if os.Getenv("AG_NIGHTLY") == "1" {
		p.calls, p.registers, p.all = 40*p.calls, 40*p.registers, 20*p.all
	}
	return p
}

const zone = "lab.test"

// client is one of those who read and write.
type client struct {
	plan
	id    int
	store dnsstore.Store
	rng   *rand.Rand
	seen  map[string]dnsstore.RRSet // the TXT sets as they were last seen
	hosts map[string]dnsstore.RRSet // the A sets
	wrote int
	// patience is how long a call may take.
	patience time.Duration
}

// play runs the plan and notes what happens. The stores are those of the
// clients and one more; calm ends all disturbances, and then all is read once
// more. It may be called on any goroutine.
func (p plan) play(t *testing.T, h *history, stores []opened, calm func()) {
	t.Helper()
	ctx := t.Context()
	var all sync.WaitGroup
	for id, store := range stores[:p.clients] {
		c := &client{
			plan: p, id: id, store: &recorder{store.Store, id, h, store.doubled}, rng: rand.New(rand.NewPCG(p.seed, uint64(id))),
			seen: map[string]dnsstore.RRSet{}, hosts: map[string]dnsstore.RRSet{},
		}
		all.Go(func() {
			for n := 0; n < p.calls && c.goesOn(h); n++ {
				c.next(ctx)
			}
		})
	}
	all.Wait()
	calm()
	last := &recorder{stores[p.clients].Store, p.clients, h, false}
	for n := range p.registers {
		for _, kind := range []string{"TXT", "A", "AAAA", "TXT"} {
			readAtLast(t, last, p.key(n, kind))
		}
	}
}

// opened is a store, and whether messages are doubled on the way to it.
type opened struct {
	dnsstore.Store
	doubled bool
}

// stores opens one for each client and one more.
func (p plan) stores(open func(client int) opened) []opened {
	var all []opened
	for id := range p.clients + 1 {
		all = append(all, open(id))
	}
	return all
}

// goesOn tells whether there is time for another call.
func (c *client) goesOn(h *history) bool {
	const longest = 8 // times the time that there should be
	spent := time.Since(h.start) / c.all
	c.patience = c.timeout * (1 + spent)
	return spent < 1 || spent < longest && !h.soFar().shown()
}

// readAtLast reads when nothing is in the way any more.
func readAtLast(t *testing.T, s dnsstore.Store, k dnsstore.Key) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		_, err := s.Lookup(ctx, k)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Errorf("read at last: %v", err)
			return
		}
	}
}

// key names a set of a register. Every second one has its TXT apart.
func (p plan) key(n int, kind string) dnsstore.Key {
	name := fmt.Sprintf("r%d.%s", n, zone)
	if kind == "TXT" && n%2 == 1 {
		name = apart + name
	}
	return dnsstore.Key{Name: name, Type: kind}
}

// next makes one call, or a write and the read that has to follow it.
func (c *client) next(ctx context.Context) {
	// The registers take turns, so that their histories are short.
	n := c.rng.IntN(2)
	if c.registers > 2 {
		n = (c.wrote/16 + n) % c.registers
	}
	c.wrote++
	switch dice := c.rng.IntN(100); {
	case dice < 30:
		c.read(ctx, n, "TXT")
	case dice < 42:
		c.read(ctx, n, "A")
	case dice < 48:
		c.read(ctx, n, "AAAA")
	case dice < 54:
		c.ask(ctx, n)
	case dice < 56:
		c.writeNonsense(ctx, n)
	default:
		c.write(ctx, n)
	}
}

func (c *client) read(ctx context.Context, n int, kind string) {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	k := c.key(n, kind)
	set, err := c.store.Lookup(ctx, k)
	switch {
	case err != nil:
	case kind == "TXT":
		c.seen[k.Name] = set
	case kind == "A":
		c.hosts[k.Name] = set
	}
}

// ask asks whether the register is still as it was seen.
func (c *client) ask(ctx context.Context, n int) {
	set, ok := c.seen[c.key(n, "TXT").Name]
	if !ok {
		c.read(ctx, n, "TXT")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	_ = c.store.Apply(ctx, dnsstore.Change{If: []dnsstore.RRSet{set}}) // it is on record
}

// writeNonsense asks for what no server can do: addresses beside an alias.
func (c *client) writeNonsense(ctx context.Context, n int) {
	seen, ok := c.seen[c.key(n, "TXT").Name]
	if !ok {
		c.read(ctx, n, "TXT")
		return
	}
	change := c.change(n, seen)
	alias := dnsstore.RRSet{Key: c.key(n, "CNAME"), TTL: time.Minute, Data: []string{"other." + zone + "."}}
	host := dnsstore.RRSet{Key: c.key(n, "A"), TTL: time.Minute, Data: []string{"192.0.2.66"}}
	change.Set = []dnsstore.RRSet{change.Set[0], host, alias}
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	_ = c.store.Apply(ctx, change) // it is on record
}

// write replaces what was seen, be it old. What was not seen to be there is
// never a condition: after any end but success the client reads first.
func (c *client) write(ctx context.Context, n int) {
	k := c.key(n, "TXT")
	seen, ok := c.seen[k.Name]
	if !ok {
		c.read(ctx, n, "TXT")
		return
	}
	change := c.change(n, seen)
	call, cancel := context.WithTimeout(ctx, c.patience)
	err := c.store.Apply(call, change)
	cancel()
	if err == nil {
		c.seen[k.Name] = change.Set[0]
		return
	}
	if c.rng.IntN(4) > 0 { // else it goes on from what it has seen before
		delete(c.seen, k.Name)
		c.read(ctx, n, "TXT")
	}
}

// change makes values that were never there before.
func (c *client) change(n int, seen dnsstore.RRSet) dnsstore.Change {
	change := dnsstore.Change{If: []dnsstore.RRSet{seen}}
	if host, ok := c.hosts[c.key(n, "A").Name]; ok && c.rng.IntN(5) == 0 {
		change.If = append(change.If, host)
	}
	at := func(kind string, data ...string) dnsstore.RRSet {
		return dnsstore.RRSet{Key: c.key(n, kind), TTL: time.Minute, Data: data}
	}
	number := c.wrote
	text := dnsstore.FormatTXT([]string{"ag=1", fmt.Sprintf("c=%d", c.id), fmt.Sprintf("n=%d", number), fmt.Sprintf("nonce=%016x", c.rng.Uint64())})
	v4 := fmt.Sprintf("10.%d.%d.%d", c.id, number>>8&255, number&255)
	v6 := fmt.Sprintf("2001:db8::%x:%x", c.id+1, number)
	switch dice := c.rng.IntN(12); {
	case dice == 0 && c.deletes:
		change.Set = []dnsstore.RRSet{at("TXT"), at("A"), at("AAAA")}
	case dice <= 1: // a tombstone
		change.Set = []dnsstore.RRSet{at("TXT", text), at("A"), at("AAAA")}
	case dice <= 3: // beside what is not ours
		change.Set = []dnsstore.RRSet{at("TXT", text, `"v=spf1 -all"`), at("A", v4), at("AAAA", v6)}
	case dice <= 6:
		change.Set = []dnsstore.RRSet{at("TXT", text), at("A", v4), at("AAAA")}
	default:
		change.Set = []dnsstore.RRSet{at("TXT", text), at("A", v4, "192.0.2.1"), at("AAAA", v6)}
	}
	return change
}
