//go:build linux

package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCreateAndJoin(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair(options{"log_level": "debug"}) // which must not print secrets either
	want := map[string]string{"a": "primary", "b": "secondary"}
	for _, n := range []*node{a, b} {
		if diff := cmp.Diff(want, l.members(n)); diff != "" {
			t.Errorf("members as %s has them: mismatch (-want +got):\n%s", n.id, diff)
		}
	}
	r := l.record()
	if diff := cmp.Diff([]string{"a", "b"}, memberIDs(r)); diff != "" {
		t.Errorf("members in DNS: mismatch (-want +got):\n%s", diff)
	}
	if r.Primary != "a" || r.AllowedAbsence != w {
		t.Errorf("record = %+v, want a as Primary and a failover period of %v", r, w)
	}
	l.wantWorker(a, b)
	l.wantWorkAtName(a)
	for _, tt := range []struct {
		n    *node
		path string
		want int
	}{
		{a, "/create", http.StatusConflict},
		{b, "/create", http.StatusConflict},
		{b, "/join", http.StatusConflict},
		{a, "/remove?id=zzz", http.StatusNotFound},
		{b, "/failover?to=zzz", http.StatusNotFound},
	} {
		if status, problem := l.post(tt.n, tt.path); status != tt.want || problem == "" {
			t.Errorf("POST %s to %s = %d %q, want %d and why", tt.path, tt.n.id, status, problem, tt.want)
		}
	}
}

// wantWorkAtName goes where the name says, as a client does.
func (l *lab) wantWorkAtName(n *node) {
	l.t.Helper()
	l.awaitAddress(n)
	base := fmt.Sprintf("http://%s:%d", l.addresses()[0], n.relay.port())
	status, body, err := l.client.Ask(l.t.Context(), http.MethodGet, base, "/work")
	if err != nil || status != http.StatusOK {
		l.t.Errorf("work at %s: %d %s %v", base, status, body, err)
	}
}

// Both nodes start with the same configuration and nobody tells them anything:
// one of them creates the group, once it has seen for W that there is none.
func TestBootstrapCreate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.node("a", options{"bootstrap": "create"}), l.node("b", options{"bootstrap": "create"})
	begin := time.Now()
	for _, n := range []*node{a, b} {
		n.start()
		l.watch.watch(n, nil)
	}
	await(t, "one node is Primary and the other Secondary", func() bool {
		return l.watch.Last("a").Role+l.watch.Last("b").Role == "primarysecondary" ||
			l.watch.Last("a").Role+l.watch.Last("b").Role == "secondaryprimary"
	})
	first := a
	if l.watch.Last("b").Role == "primary" {
		first = b
	}
	if got := l.watch.Tenure(first.id).From.Sub(begin); got < w {
		t.Errorf("the group was created %v after the start, want %v of seen absence", got, w)
	}
	l.awaitAddress(first)
}

func TestLeaveAndRemove(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair()

	l.do(b, "/leave")
	if got := l.state(b).Role; got != "not_in_group" {
		t.Errorf("role of b after it has left = %s", got)
	}
	if diff := cmp.Diff([]string{"a"}, memberIDs(l.record())); diff != "" {
		t.Errorf("members after b has left: mismatch (-want +got):\n%s", diff)
	}
	if status, problem := l.post(a, "/leave"); status != http.StatusPreconditionFailed {
		t.Errorf("the last member leaves = %d %q, want %d", status, problem, http.StatusPreconditionFailed)
	}
	l.do(b, "/join")
	l.settle(a, b)

	l.do(a, "/leave") // the Primary: it hands over first
	if got := l.state(a).Role; got != "not_in_group" {
		t.Errorf("role of a after it has left = %s", got)
	}
	await(t, "b is Primary", func() bool { return l.watch.Last("b").Role == "primary" })
	l.awaitAddress(b)
	l.do(a, "/join")
	l.settle(b, a)

	a.crash()
	l.do(b, "/remove?id=a")
	if diff := cmp.Diff([]string{"b"}, memberIDs(l.record())); diff != "" {
		t.Errorf("members after a was removed: mismatch (-want +got):\n%s", diff)
	}
	a.start()
	during(t, w, "a node that was removed stays out", func() bool { return l.state(a).Role == "not_in_group" })
	l.do(a, "/join")
	l.settle(b, a)
}

func TestDissolveAndCreateAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair()
	before := l.record().Term

	l.do(b, "/dissolve") // a Secondary: the Primary carries it out
	await(t, "both nodes are in no group", func() bool {
		return l.state(a).Role == "not_in_group" && l.state(b).Role == "not_in_group"
	})
	if got := l.addresses(); len(got) > 0 {
		t.Errorf("addresses after the end of the group: %v", got)
	}
	if got := l.texts(); !slices.Contains(got, "dissolved=1") || !slices.Contains(got, "primary=-") {
		t.Errorf("TXT after the end of the group = %q, want a tombstone", got)
	}
	during(t, w, "a dissolved group stays so", func() bool {
		return l.state(a).Role == "not_in_group" && l.state(b).Role == "not_in_group"
	})

	l.do(b, "/create")
	l.do(a, "/join")
	l.settle(b, a)
	if got := l.record().Term; got <= before {
		t.Errorf("term of the new group = %d, want more than the old one's %d", got, before)
	}
}

// A node that is asked to end hands over, and the last one leaves a record
// that anybody may take at once.
func TestStop(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair(withPeriod(calm))
	old := l.watch.Tenure("a")

	// Run promises δ + 2·U, the HTTP server has a second.
	const promised = calm/w*(stopBudget+2*attempt) + time.Second
	begin := time.Now()
	a.signal(syscall.SIGTERM)
	if status := a.exit(patience); status != 0 {
		t.Errorf("exit status after SIGTERM = %d, want 0", status)
	}
	took := time.Since(begin)
	next := l.watch.awaitTenure("b", old.Term)
	most, least := gap(l.watch.Tenure("a"), next)
	t.Logf("SIGTERM: the process ended after %v; no Primary for %v to %v", took, least, most)
	if took > promised+allowed(begin) {
		t.Errorf("the process ended after %v, promised are %v", took, promised)
	}
	if most > calm/2 {
		t.Errorf("no Primary for up to %v: the role was not handed over", most)
	}
	l.awaitAddress(b)

	b.signal(syscall.SIGINT)
	if status := b.exit(patience); status != 0 {
		t.Errorf("exit status after SIGINT = %d, want 0", status)
	}
	if got := l.texts(); !slices.Contains(got, "primary=-") {
		t.Errorf("TXT after the last node has stopped = %q, want a release", got)
	}
	if got := l.addresses(); len(got) != 1 || got[0] != b.ip {
		t.Errorf("addresses after the last node has stopped = %v, want those of the last Primary", got)
	}
	begin = time.Now()
	a.start()
	again := l.watch.awaitTenure("a", next.Term)
	t.Logf("released: Primary %v after the start", again.From.Sub(begin))
	if got := again.From.Sub(begin); got >= calm {
		t.Errorf("a released role was taken after %v, want at once", got)
	}
}

// What is wrong with a process from the start ends it, with a status and words.
func TestMisuse(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.node("a", options{"state_dir": "state"})
	a.start()
	for name, tt := range map[string]struct {
		options options
		flags   []string
		status  int
		want    string
	}{
		"same directory":  {options{"state_dir": a.dir + "/state"}, nil, 1, "the state directory is in use"},
		"unknown key":     {options{"colour": "blue"}, nil, 2, `unknown field "colour"`},
		"wrong settings":  {options{".health_report_interval": 2.5}, nil, 2, "health_report_interval: must be at most"},
		"secret by flag":  {nil, []string{"-tsig_secret", l.key.Secret}, 2, "flag provided but not defined: -tsig_secret"},
		"no certificate":  {options{".external_scheme": "https"}, nil, 2, "tls_cert: external_scheme https needs a certificate"},
		"address is used": {options{"listen": strings.TrimPrefix(*a.base.Load(), "http://")}, nil, 1, "address already in use"},
		"bad server":      {options{"server": "ns1:port"}, nil, 2, "Server"},
	} {
		n := l.node("b", tt.options)
		n.run(tt.flags...)
		status := n.exit(patience)
		if status != tt.status || !strings.Contains(n.log(), tt.want) {
			t.Errorf("%s: exit status %d, want %d; %q, want %q in it", name, status, tt.status, n.log(), tt.want)
		}
	}
}
