package linear_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/availabilitygroup/ag/dnsstore"
)

// TestBite shows that the check finds stores that break their promise, each in
// one way and seldom.
func TestBite(t *testing.T) {
	t.Parallel()
	faults := []string{
		"ignores conditions", "reads what was there before", "applies one half", "applies the other half",
		"applies one half on a conflict", "calls what it has applied refused", "calls what it has applied a conflict",
		"calls what it has not applied applied", "applies later what it has called a conflict",
		"goes back to what was there before", "applies an old change once more",
	}
	t.Attr("prove.planted-faults", strconv.Itoa(len(faults)))
	for _, fault := range append(faults, "none") {
		t.Run(strings.ReplaceAll(fault, " ", "_"), func(t *testing.T) {
			t.Parallel()
			p := plan{seed: 7, clients: 5, calls: 200, registers: 4, timeout: 5 * time.Millisecond, all: 10 * time.Second}
			store := &liar{below: dnsstore.NewMemory(), fault: fault, before: map[dnsstore.Key]dnsstore.RRSet{}}
			h := newHistory()
			p.play(t, h, p.stores(stumble(t, store, p.seed)), func() {})
			bad := judge(h)
			if fault == "none" {
				mustHaveShown(t, h.soFar())
			}
			if (len(bad) > 0) != (fault != "none") {
				t.Fatalf("found %d registers that no order explains in %d calls; the fault: %s", len(bad), h.soFar().calls(), fault)
			}
			for _, v := range bad {
				wantReadable(t, v)
			}
		})
	}
}

// wantReadable checks that what was found can be shown.
func wantReadable(t *testing.T, v verdict) {
	t.Helper()
	if v.result != porcupine.Illegal {
		t.Errorf("register %s: %s, want it decided", v.register, v.result)
	}
	file := filepath.Join(t.TempDir(), "history.html")
	if err := v.draw(file); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(page), "nonce=") {
		t.Errorf("the page of %d octets does not show the history: %v", len(page), err)
	}
	if text := v.String(); !strings.Contains(text, "nonce=") || !strings.Contains(text, "the longest order") {
		t.Errorf("the text does not show the history: %s", text)
	}
}

// liar is a store with one fault, which shows at one call of several.
type liar struct {
	below *dnsstore.Memory
	fault string

	mu     sync.Mutex // held by each call: what goes wrong is the fault alone
	calls  int
	before map[dnsstore.Key]dnsstore.RRSet // what the last change has replaced
	kept   []dnsstore.Change               // to be made, or made again
}

func (l *liar) due(fault string, every int) bool {
	return l.fault == fault && l.calls%every == 0
}

func (l *liar) Lookup(ctx context.Context, k dnsstore.Key) (dnsstore.RRSet, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if old, ok := l.before[k]; ok && l.due("reads what was there before", 11) {
		return old, nil
	}
	return l.below.Lookup(ctx, k)
}

func (l *liar) Apply(ctx context.Context, c dnsstore.Change) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if len(c.Set) == 0 {
		return l.below.Apply(ctx, c)
	}
	if l.due("calls what it has not applied applied", 11) {
		return l.below.Apply(ctx, dnsstore.Change{If: c.If})
	}
	before := map[dnsstore.Key]dnsstore.RRSet{}
	for _, s := range c.Set {
		before[s.Key], _ = l.below.Lookup(ctx, s.Key) // fails if ctx has ended, as the change then does
	}
	err := l.below.Apply(ctx, l.spoilt(c))
	switch {
	case errors.Is(err, dnsstore.ErrConflict):
		return l.afterConflict(ctx, c, err)
	case err != nil:
		return err
	}
	l.before = before
	return l.afterChange(ctx, c)
}

// spoilt is the change that is made in the place of c.
func (l *liar) spoilt(c dnsstore.Change) dnsstore.Change {
	switch {
	case l.due("applies one half", 7):
		c.Set = c.Set[:1]
	case l.due("applies the other half", 7):
		c.Set = c.Set[1:]
	}
	return c
}

func (l *liar) afterConflict(ctx context.Context, c dnsstore.Change, err error) error {
	switch {
	case l.due("ignores conditions", 5):
		return l.below.Apply(ctx, dnsstore.Change{Set: c.Set})
	case l.due("applies one half on a conflict", 5):
		_ = l.below.Apply(ctx, dnsstore.Change{Set: c.Set[1:]}) // the lie stands either way
	case l.due("applies later what it has called a conflict", 5):
		l.kept = append(l.kept, c)
	}
	return err
}

func (l *liar) afterChange(ctx context.Context, c dnsstore.Change) error {
	switch {
	case l.due("calls what it has applied refused", 7):
		return dnsstore.ErrRefused
	case l.due("calls what it has applied a conflict", 7):
		return dnsstore.ErrConflict
	case l.due("goes back to what was there before", 11):
		for _, s := range l.before {
			_ = l.below.Apply(ctx, dnsstore.Change{Set: []dnsstore.RRSet{s}}) // a part is a fault, too
		}
	case l.due("applies an old change once more", 7) && len(l.kept) > 0, l.fault == "applies later what it has called a conflict" && len(l.kept) > 0:
		_ = l.below.Apply(ctx, dnsstore.Change{Set: l.kept[0].Set}) // the lie stands either way
		l.kept = l.kept[1:]
	case l.fault == "applies an old change once more":
		l.kept = append(l.kept, c)
	}
	return nil
}
