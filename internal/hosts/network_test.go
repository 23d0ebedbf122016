//go:build linux

package hosts_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The hosts of every network, and their addresses.
const (
	hostA   = "a"
	hostB   = "b"
	dnsHost = "dns"
	outside = "outside"
)

func addressOf(host string) string {
	return map[string]string{hostA: "10.77.0.1", hostB: "10.77.0.2", dnsHost: "10.77.0.53", outside: "10.77.0.100"}[host]
}

func allHosts() []string { return []string{hostA, hostB, dnsHost, outside} }

// network is a switch with the hosts at it. What goes from one host to another
// passes the filter of the switch; what stays on a host does not.
type network struct {
	t     *testing.T
	sw    *namespace
	hosts map[string]*namespace

	mu   sync.Mutex
	cuts map[way]string // guarded by mu; which packets, "" for all
	loss int            // guarded by mu; of 100 packets
}

// way is one direction between two hosts.
type way struct{ from, to string }

func (w way) back() way { return way{w.to, w.from} }

func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{t: t, hosts: map[string]*namespace{}, cuts: map[way]string{}}
	n.sw = n.namespace()
	wires := "link set lo up\nlink add br0 type bridge\nlink set br0 up\n"
	for _, h := range allHosts() {
		n.hosts[h] = n.namespace()
		wires += fmt.Sprintf("link add to-%s type veth peer name eth0 netns %s\nlink set to-%[1]s master br0 up\n", h, n.hosts[h].path())
	}
	n.run(n.sw, wires, "ip", "-batch", "-")
	for h, ns := range n.hosts {
		n.run(ns, fmt.Sprintf("addr add %s/24 dev eth0\nlink set eth0 up\nlink set lo up\n", addressOf(h)), "ip", "-batch", "-")
	}
	n.run(n.sw, "table bridge ag { chain forward { type filter hook forward priority 0; policy accept; }\n}\n", "nft", "-f", "-")
	return n
}

func (n *network) namespace() *namespace {
	n.t.Helper()
	ns, err := newNamespace()
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = ns.file.Close() })
	return ns
}

func (n *network) run(ns *namespace, input, program string, args ...string) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	if _, err := ns.run(ctx, input, program, args...); err != nil {
		n.t.Fatal(err)
	}
}

// cut drops what goes these ways from now on. Nobody is told. It returns the
// instant after which nothing more got through.
func (n *network) cut(ways ...way) time.Time {
	n.t.Helper()
	n.change(func() {
		for _, w := range ways {
			n.cuts[w] = ""
		}
	})
	return time.Now()
}

// What can be dropped of a way, besides all.
const (
	// content: connections are made and ended, and nothing is said. Without
	// content a packet has 60 octets at most.
	content = "ip length > 100 "
	// updates: the answers to DNS UPDATE (RFC 2136 section 2.2) over TCP, by
	// the bit and the opcode that follow the message's length and ID. The
	// header of TCP has 32 octets here: it carries a timestamp, as Linux does.
	updates = "ip protocol tcp @th,288,8 & 0xf8 == 0xa8 "
)

// swallow drops some of what goes these ways.
func (n *network) swallow(which string, ways ...way) {
	n.t.Helper()
	n.change(func() {
		for _, w := range ways {
			n.cuts[w] = which
		}
	})
}

// heal opens all ways and ends the loss. It returns the instant before it did:
// what is measured from then is rather too long.
func (n *network) heal() time.Time {
	n.t.Helper()
	before := time.Now()
	n.change(func() { clear(n.cuts); n.loss = 0 })
	return before
}

// lose drops some of a hundred packets, wherever they go.
func (n *network) lose(percent int) {
	n.t.Helper()
	n.change(func() { n.loss = percent })
}

// change replaces the rules of the filter, all at once.
func (n *network) change(f func()) {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	rules := []string{"flush chain bridge ag forward"}
	for w, which := range n.cuts {
		rules = append(rules, fmt.Sprintf("add rule bridge ag forward ip saddr %s ip daddr %s %sdrop", addressOf(w.from), addressOf(w.to), which))
	}
	if n.loss > 0 {
		rules = append(rules, fmt.Sprintf("add rule bridge ag forward meta protocol ip numgen random mod 100 < %d drop", n.loss))
	}
	n.run(n.sw, strings.Join(rules, "\n")+"\n", "nft", "-f", "-")
}

// both are the two directions between two hosts.
func both(x, y string) []way { return []way{{x, y}, {y, x}} }

// alone are all ways from and to a host.
func alone(host string) []way { return slices.Concat(from(host), to(host)) }

// from are all ways from a host to another.
func from(host string) []way {
	var ways []way
	for _, h := range allHosts() {
		if h != host {
			ways = append(ways, way{host, h})
		}
	}
	return ways
}

// to are all ways to a host from another.
func to(host string) []way {
	ways := from(host)
	for i := range ways {
		ways[i] = ways[i].back()
	}
	return ways
}
