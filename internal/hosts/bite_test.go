//go:build linux

package hosts_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver"
	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// What the scenarios rest on is shown to report what it is for.
func TestHosts_Bites(t *testing.T) {
	t.Parallel()
	need(t)
	s := scenario{"bites", testserver.BIND, short(), nil}
	t.Run("two arbiters", func(t *testing.T) {
		t.Parallel()
		twoArbiters(newLab(t, s, &totals{}))
	})
	t.Run("a lease too long", func(t *testing.T) {
		t.Parallel()
		leaseTooLong(newLab(t, s, &totals{}))
	})
	t.Run("an old term", func(t *testing.T) {
		t.Parallel()
		oldTerm(newLab(t, s, &totals{}))
	})
	t.Run("cuts and loss", func(t *testing.T) {
		t.Parallel()
		n := newNetwork(t)
		cutsCut(t, n)
		lossLoses(t, n)
	})
}

// Two nodes with a server each have nothing that stops them both being
// Primary, here in different terms: the observer reports it.
func twoArbiters(l *lab) {
	other := l.server(testserver.BIND)
	key := other.Key("hmac-sha256")
	a := l.node(hostA)
	b := l.node(hostB, options{"server": other.Addr, ".tsig_name": key.Name, ".tsig_secret": key.Secret})
	for _, n := range []*node{a, b} {
		n.start()
		l.watch.watch(n)
		l.all.Go(func() { l.writeFor(n) })
	}
	l.enter(a, "/create")
	await(l.t, "the next term will be another", func() bool {
		x := l.watch.Tenure(hostA)
		return x.Term > 0 && time.Now().Unix() > int64(x.Term)
	})
	l.enter(b, "/create")
	await(l.t, "both are Primary", func() bool { return l.watch.roles() == "primary primary" })
	await(l.t, "the observer has seen it", func() bool { return len(l.watch.Judge()) > 0 })
	wrong := strings.Join(l.watch.Judge(), "; ")
	l.t.Logf("reported: %s", wrong)
	if !strings.HasPrefix(wrong, "TWO PRIMARIES: for") && !strings.HasPrefix(wrong, "TWO PRIMARIES: at") {
		l.t.Errorf("the observer says %q of two Primaries", wrong)
	}
}

// A node whose lease is longer than the failover period, and that is cut off
// from the other node and the server but not from the ledger, is Primary beside
// the other: the observer reports it, and the ledger refuses what it writes.
func leaseTooLong(l *lab) {
	a, b := l.node(hostA), l.node(hostB)
	a.program = mutant(l.t, testnode.Node, "internal/failover/time.go", "return t.counted(t.W) }", "return 2 * t.W }")
	l.form(a, b)
	l.net.cut(append(both(hostA, hostB), both(hostA, dnsHost)...)...)
	await(l.t, "both are Primary", func() bool { return l.watch.roles() == "primary primary" })
	await(l.t, "the observer has seen it", func() bool { return len(l.watch.Judge()) > 0 })
	await(l.t, "the ledger has refused writes", func() bool {
		_, refused := count(l.ledger.kept())
		return refused > 0
	})
	l.t.Logf("reported: %s", strings.Join(l.watch.Judge(), "; "))
	if wrong := judge(l.ledger.kept()); len(wrong) > 0 {
		l.t.Errorf("the ledger did its work and is found wrong: %q", wrong)
	}
}

// mutant builds a program of the module with one line of a file changed.
func mutant(t *testing.T, folder, file, old, replacement string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(root, filepath.FromSlash(file))
	text, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), old) != 1 {
		t.Fatalf("%s has not exactly one %q: the mutant has to follow the code", file, old)
	}
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), old, replacement, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "node")
	if err := testnode.Build(t.Context(), program, folder, append(unraced(), "-overlay="+overlay)...); err != nil {
		t.Fatal(err)
	}
	return program
}

// A writer with an old term is refused, however late it comes.
func oldTerm(l *lab) {
	p := &pen{dial: l.net.hosts[hostB].dial, to: net.JoinHostPort(addressOf(outside), ledgerPort)}
	defer p.close()
	for _, tt := range []struct {
		node string
		term uint64
		want error
	}{{hostA, 7, nil}, {hostA, 7, nil}, {hostB, 8, nil}, {hostA, 7, errStale}, {hostB, 8, nil}} {
		if err := p.write(l.t.Context(), tt.node, tt.term); !errors.Is(err, tt.want) {
			l.t.Errorf("write of %s in term %d: %v, want %v", tt.node, tt.term, err, tt.want)
		}
	}
	if accepted, refused := count(l.ledger.kept()); accepted != 4 || refused != 1 {
		l.t.Errorf("the ledger has accepted %d and refused %d writes, want 4 and 1", accepted, refused)
	}
	if wrong := judge(l.ledger.kept()); len(wrong) > 0 {
		l.t.Errorf("the ledger did its work and is found wrong: %q", wrong)
	}
}

// cutsCut checks the switch: a way that is cut is, and no other.
func cutsCut(t *testing.T, n *network) {
	t.Helper()
	passes := func(w way) bool { return n.passed(w, 3) > 0 }
	every := append(append(both(hostA, hostB), both(hostA, dnsHost)...), both(hostB, outside)...)
	for _, cut := range [][]way{nil, {{hostA, hostB}}, both(hostA, dnsHost), alone(hostB)} {
		n.cut(cut...)
		for _, w := range every {
			want := true
			for _, c := range cut {
				want = want && c != w
			}
			if got := passes(w); got != want {
				t.Errorf("with %v cut, %v passes: %t, want %t", cut, w, got, want)
			}
		}
		n.heal()
	}
}

// lossLoses checks that about as much is lost as is asked for.
func lossLoses(t *testing.T, n *network) {
	t.Helper()
	n.lose(30)
	const sent = 1000
	got := n.passed(way{hostA, hostB}, sent)
	t.Logf("of %d packets %d have passed", sent, got)
	if got < 600 || got > 800 {
		t.Errorf("of %d packets %d have passed, want about 700", sent, got)
	}
	n.heal()
}

// passed sends packets one way, and returns how many have arrived.
func (n *network) passed(w way, packets int) int {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	var in net.PacketConn
	err := n.hosts[w.to].do(func() (err error) {
		in, err = new(net.ListenConfig).ListenPacket(ctx, "udp", net.JoinHostPort(addressOf(w.to), "0"))
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	defer in.Close()
	out, err := n.hosts[w.from].dial(ctx, "udp", in.LocalAddr().String())
	if err != nil {
		n.t.Fatal(err)
	}
	defer out.Close()
	const batch = 50 // as many as a socket keeps for sure
	arrived := 0
	for sent := 0; sent < packets; sent += batch {
		for range min(batch, packets-sent) {
			if _, err := out.Write([]byte("x")); err != nil {
				n.t.Fatal(err)
			}
		}
		arrived += n.drain(in)
	}
	return arrived
}

// drain counts what has arrived. What is under way on this machine comes long
// before the wait is over.
func (n *network) drain(in net.PacketConn) int {
	n.t.Helper()
	buffer := make([]byte, 16)
	for arrived := 0; ; arrived++ {
		if err := in.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			n.t.Fatal(err)
		}
		if _, _, err := in.ReadFrom(buffer); err != nil {
			return arrived
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		entries []entry
		want    int
	}{
		"in order":                  {[]entry{{node: "a", term: 1, accepted: true}, {node: "b", term: 2, accepted: true}}, 0},
		"an old one refused":        {[]entry{{node: "b", term: 2, accepted: true}, {node: "a", term: 1}}, 0},
		"an old one accepted":       {[]entry{{node: "b", term: 2, accepted: true}, {node: "a", term: 1, accepted: true}}, 1},
		"two writers":               {[]entry{{node: "b", term: 2, accepted: true}, {node: "a", term: 2, accepted: true}}, 1},
		"two writers, one too late": {[]entry{{node: "b", term: 2, accepted: true}, {node: "c", term: 3, accepted: true}, {node: "a", term: 2}}, 1},
	} {
		if got := judge(tt.entries); len(got) != tt.want {
			t.Errorf("%s: judge = %q, want %d", name, got, tt.want)
		}
	}
}
