package httptransport

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// second is a second, as a ticket.
const second = ticket(time.Second)

// TestUses_Model compares what is remembered with a memory of everything: a
// nonce that was used must never be called fresh, nor stale as long as a sender
// may still sign again; one that was not used must not be called fresh when it
// is too old.
func TestUses_Model(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var u uses
		used := map[ticket]bool{}
		now := 1000 * second
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now += second * ticket(rapid.IntRange(0, 60).Draw(t, "pause"))
			k := now - min(now, second*ticket(rapid.IntRange(0, 300).Draw(t, "age")))
			age := time.Duration(now - k)
			want := fresh
			switch {
			case age >= nonceKept:
				want = stale
			case used[k]:
				want = reused
			case age >= nonceLife:
				want = stale
			}
			if got := u.add(k, now); got != want {
				t.Fatalf("add of a nonce of age %v, used %v: got verdict %d, want %d", age, used[k], got, want)
			}
			used[k] = used[k] || want == fresh
		}
	})
}

// TestUses_Full uses more nonces than are remembered: those that are forgotten
// must count as used.
func TestUses_Full(t *testing.T) {
	t.Parallel()
	var u uses
	const more = 100
	for k := range ticket(maxUsed + more) {
		if got := u.add(2*k+2, 2*k+2); got != fresh {
			t.Fatalf("nonce %d: got verdict %d, want fresh", k, got)
		}
		if len(u.tickets) > maxUsed {
			t.Fatalf("%d nonces are remembered, want at most %d", len(u.tickets), maxUsed)
		}
	}
	now := ticket(2*(maxUsed+more) + 2)
	for _, k := range []ticket{2, 3, 2 * more, 2*more + 2, now - 2} {
		if got := u.add(k, now); got != reused {
			t.Errorf("nonce %d again: got verdict %d, want reused", k, got)
		}
	}
	for _, k := range []ticket{2*more + 3, now - 1, now} {
		if got := u.add(k, now); got != fresh {
			t.Errorf("nonce %d: got verdict %d, want fresh", k, got)
		}
	}
}

// TestPeers_Full has more senders than are remembered. What one of them used
// must not become good by that.
func TestPeers_Full(t *testing.T) {
	t.Parallel()
	var p peers
	for i := range ticket(3 * maxPeers) {
		if got := p.use(fmt.Sprint("n", i), i+1, i+1); got != fresh {
			t.Fatalf("first nonce of sender %d: got verdict %d, want fresh", i, got)
		}
		if len(p.byID) > maxPeers {
			t.Fatalf("%d senders are remembered, want at most %d", len(p.byID), maxPeers)
		}
	}
	now := ticket(3 * maxPeers)
	for i := range now {
		if got := p.use(fmt.Sprint("n", i), i+1, now); got != reused {
			t.Fatalf("nonce of sender %d again: got verdict %d, want reused", i, got)
		}
	}
	if got := p.use("n0", now+1, now+1); got != fresh {
		t.Errorf("next nonce of the first sender: got verdict %d, want fresh", got)
	}
}

func TestPeers_Spare(t *testing.T) {
	t.Parallel()
	var p peers
	if got := p.take("b"); got != "" {
		t.Errorf("take of nothing: got %q", got)
	}
	for i := range maxSpare + 2 {
		p.put("b", fmt.Sprint(i))
	}
	for i := maxSpare + 1; i >= 2; i-- {
		if got := p.take("b"); got != fmt.Sprint(i) {
			t.Errorf("take: got %q, want %d, the newest", got, i)
		}
	}
	if got := p.take("b"); got != "" {
		t.Errorf("take of what was pushed out: got %q", got)
	}
}

func TestMint(t *testing.T) {
	t.Parallel()
	now := time.Unix(1795290771, 0)
	m, err := newMint(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	seen := map[ticket]bool{}
	for i := range 100 {
		if i == 50 {
			now = now.Add(-time.Hour)
		}
		k, ok := m.open(m.issue("group.example", "a"), "group.example", "a")
		if !ok || seen[k] {
			t.Fatalf("nonce %d has ticket %d, good %v, seen before %v", i, k, ok, seen[k])
		}
		seen[k] = true
	}
	other, err := newMint(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	nonce := m.issue("group.example", "a")
	for name, foreign := range map[string]struct {
		by                   *mint
		nonce, group, sender string
	}{
		"nothing":            {m, "", "group.example", "a"},
		"another mint":       {other, nonce, "group.example", "a"},
		"another group":      {m, nonce, "another.example", "a"},
		"another sender":     {m, nonce, "group.example", "b"},
		"names run together": {m, nonce, "group.examplea", ""},
		"longer":             {m, nonce + "AAAA", "group.example", "a"},
		"shorter":            {m, nonce[:28], "group.example", "a"},
		"zeros":              {m, strings.Repeat("A", 32), "group.example", "a"},
		"another ticket":     {m, "B" + nonce[1:], "group.example", "a"},
		"line break":         {m, nonce[:4] + "\n" + nonce[4:], "group.example", "a"},
	} {
		if k, ok := foreign.by.open(foreign.nonce, foreign.group, foreign.sender); ok {
			t.Errorf("%s: got ticket %d, want none", name, k)
		}
	}
}
