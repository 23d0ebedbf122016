//go:build linux

package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver"
	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// The times of the groups: short, for the tests, and as long as a machine that
// is busy needs to keep them. What follows from W is as in the protocol.
const (
	w          = 3 * time.Second
	lease      = w / 4 * 3
	stopBudget = w / 40 * 3
	attempt    = w / 15
	// slack is how much later than at best something may be on a busy machine,
	// besides what the machine is seen to be late.
	slack = w / 2
	// calm is the failover period of the groups in which nothing waits for it: no
	// attempt fails because the machine is busy.
	calm = 10 * w
)

// machine is how late this one is, for as long as the tests run.
var machine testnode.Lateness

// allowed is slack for what has begun then.
func allowed(since time.Time) time.Duration { return slack + machine.Between(since, time.Now()) }

func withPeriod(d time.Duration) options { return options{".allowed_absence_interval": d.Seconds()} }

const fqdn = "svc.lab.test"

// lab is one name server, a group of nodes to be, and whoever watches them.
type lab struct {
	t      *testing.T
	dns    *testserver.Server
	key    testserver.Key
	client testnode.Client
	watch  *observer
}

func newLab(t *testing.T, o ...testserver.Option) *lab {
	t.Helper()
	machine.Start()
	l := &lab{t: t, dns: testserver.BIND(t, o...), client: newClient(t, nil)}
	l.key = l.dns.Key("hmac-sha256")
	l.watch = newObserver(t)
	return l
}

// node prepares a node that starts in no group; a is at 127.0.0.1, b at
// 127.0.0.2 and so on.
func (l *lab) node(id string, o ...options) *node {
	l.t.Helper()
	ip := "127.0.0." + string('1'+id[0]-'a')
	n := &node{t: l.t, id: id, ip: ip, dir: l.t.TempDir(), key: l.key.Secret}
	n.relay = newRelay(l.t, ip)
	n.conf = map[string]any{
		"server": l.dns.Addr, "zone": l.dns.Zone, "node_id": id, "bootstrap": "manual",
		"listen": ip + ":0", "elsewhere": "refuse", "log_format": "json", "tsig_key_file": l.keyFile(l.key),
		"settings": map[string]any{
			"group_fqdn": fqdn, "group_fqdn_ttl": 1, "external_scheme": "http",
			"external_ipv4_address": ip, "external_port": n.relay.port(),
			"health_report_interval": 0.5, "health_check_interval": 1, "allowed_absence_interval": w.Seconds(),
		},
	}
	for _, more := range o {
		n.set(more)
	}
	l.t.Cleanup(n.end)
	return n
}

// keyFile writes a key as tsig-keygen does.
func (l *lab) keyFile(k testserver.Key) string {
	l.t.Helper()
	file := filepath.Join(l.t.TempDir(), "ag.key")
	text := "key \"" + k.Name + "\" {\n\talgorithm " + k.Algorithm + ";\n\tsecret \"" + k.Secret + "\";\n};\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return file
}

// pair is a settled group of two, with a as Primary.
func (l *lab) pair(o ...options) (a, b *node) {
	l.t.Helper()
	a, b = l.node("a", o...), l.node("b", o...)
	l.form(a, b)
	return a, b
}

// form starts nodes and makes a group of them, with the first as Primary.
func (l *lab) form(nodes ...*node) {
	l.t.Helper()
	for i, n := range nodes {
		n.start()
		l.watch.watch(n, nil)
		if i == 0 {
			l.do(n, "/create")
			continue
		}
		l.do(n, "/join")
		l.settle(nodes[0], n)
	}
}

// settle waits until all is well: a is Primary, b Secondary, both hear each
// other and the server, and the name has a's address.
func (l *lab) settle(a, b *node) {
	l.t.Helper()
	await(l.t, a.id+" is Primary, "+b.id+" Secondary, and all is well", func() bool {
		x, y := l.watch.Last(a.id), l.watch.Last(b.id)
		return x.Role == "primary" && y.Role == "secondary" && y.PrimaryID == a.id &&
			x.DNS == "connected" && y.DNS == "connected" && x.Method == "direct" && y.Method == "direct"
	})
	l.awaitAddress(a)
}

// awaitAddress waits until the name has the node's address, and no other.
func (l *lab) awaitAddress(n *node) {
	l.t.Helper()
	await(l.t, "the name has the address of "+n.id, func() bool {
		got := l.addresses()
		return len(got) == 1 && got[0] == n.ip
	})
}

// work asks for what the Primary alone does.
func (l *lab) work(n *node) int {
	l.t.Helper()
	return l.get(n, "/work", &map[string]any{})
}

// wantWorker checks that a does the work and b does not.
func (l *lab) wantWorker(a, b *node) {
	l.t.Helper()
	if got := l.work(a); got != http.StatusOK {
		l.t.Errorf("work of the Primary %s: status %d", a.id, got)
	}
	if got := l.work(b); got != http.StatusServiceUnavailable {
		l.t.Errorf("work of the Secondary %s: status %d", b.id, got)
	}
}

func (l *lab) members(n *node) map[string]string {
	l.t.Helper()
	var info struct {
		Members []struct{ ID, Role string } `json:"nodes"`
	}
	l.get(n, "/group", &info)
	roles := map[string]string{}
	for _, m := range info.Members {
		roles[m.ID] = m.Role
	}
	return roles
}
