package dnsstoretest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
)

// plantedFaults are stores that break one promise each, and the case of the
// suite that must notice it.
func plantedFaults() map[string]string {
	return map[string]string{
		"absent is an error":              "absent",
		"follows aliases":                 "no-alias",
		"keeps an old time to live":       "time-to-live",
		"reads from a cache":              "read-your-writes",
		"keeps the caller's slices":       "own-copies",
		"returns its own slices":          "own-copies",
		"absence always holds":            "create",
		"no condition is checked":         "swap",
		"a conflict is called refused":    "swap",
		"a conflict is called unknown":    "swap",
		"a subset is enough":              "whole-set",
		"a superset is enough":            "whole-set",
		"compares in order":               "no-order",
		"compares times to live":          "no-order",
		"no alias is ever seen":           "alias-absent",
		"only the first condition counts": "all-conditions",
		"a condition alone holds":         "condition-alone",
		"only the first content is set":   "together",
		"sets a part on a conflict":       "together",
		"only one name":                   "two-names",
		"adds instead of replacing":       "replace",
		"deletes all types":               "delete",
		"joins strings":                   "strings",
		"loses backslashes":               "octets",
		"cuts long text":                  "long-text",
		"shows one record only":           "foreign-text",
		"refuses other forms":             "other-forms",
		"compares without case":           "letter-case",
		"takes any key":                   "bad-key",
		"a bad key is a conflict":         "bad-key",
		"skips bad data":                  "bad-data",
		"checks, then acts":               "race",
		"checks, then acts (counter)":     "counter",
		"answers from the past":           "readers",
		"one caller at a time":            "many-names",
		"an ended context is a conflict":  "ended-context",
		"an ended context is not seen":    "ended-context",
		"does not look at its context":    "cancelled",
		"a conflict after it was made":    "deadline",
		"refused after it was made":       "cancelled",
		"without a fault":                 "",
	}
}

// TestRun_NoticesPlantedFaults runs the suite on the faulty stores in a
// process of its own, where it is to fail.
func TestRun_NoticesPlantedFaults(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPlanted$", "-test.v", "-test.timeout=3m", "-test.parallel=64")
	cmd.Env = append(os.Environ(), "AG_PLANTED_FAULTS=1")
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Fatalf("the suite ended with %v\n%s", err, out)
	}
	text := string(out)
	for fault, name := range plantedFaults() {
		path := "TestPlanted/" + strings.ReplaceAll(fault, " ", "_")
		if name == "" {
			if !strings.Contains(text, "--- PASS: "+path+" ") {
				t.Errorf("the store without a fault did not pass\n%s", out)
			}
			continue
		}
		if !strings.Contains(text, "--- FAIL: "+path+"/"+name+" ") {
			t.Errorf("case %q did not notice that a store %s", name, fault)
		}
	}
	if !strings.Contains(text, "The rule: ") {
		t.Error("no failure names the rule")
	}
	if strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic:") {
		t.Errorf("the suite itself is wrong:\n%s", out)
	}
}

// TestPlanted is what TestRun_NoticesPlantedFaults runs.
func TestPlanted(t *testing.T) {
	if os.Getenv("AG_PLANTED_FAULTS") == "" {
		t.Skip("fails by design; TestRun_NoticesPlantedFaults runs it")
	}
	t.Parallel()
	for fault := range plantedFaults() {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			dnsstoretest.Run(t, func(testing.TB) dnsstore.Store {
				return &planted{fault: fault, sets: make(map[dnsstore.Key]dnsstore.RRSet), past: make(map[dnsstore.Key]dnsstore.RRSet)}
			}, dnsstoretest.CallTimeout(10*time.Second))
		})
	}
}

// planted is a store of its own, with one fault.
type planted struct {
	fault string

	mu    sync.Mutex
	sets  map[dnsstore.Key]dnsstore.RRSet // guarded by mu
	past  map[dnsstore.Key]dnsstore.RRSet // guarded by mu; what was there before the last change
	reads int                             // guarded by mu
	busy  int                             // guarded by mu
	hung  bool                            // guarded by mu
}

func (p *planted) has(fault string) bool { return strings.HasPrefix(p.fault, fault) }

func (p *planted) Lookup(ctx context.Context, k dnsstore.Key) (dnsstore.RRSet, error) {
	if err := ctx.Err(); err != nil && !p.has("an ended context is not seen") {
		return dnsstore.RRSet{}, err
	}
	if err := dnsstore.CheckKey(k); err != nil && !p.has("takes any key") {
		return dnsstore.RRSet{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.readLocked(k)
	got.Key = k
	if len(got.Data) == 0 && p.has("absent is an error") {
		return got, errors.New("not found")
	}
	if !p.has("returns its own slices") {
		got.Data = slices.Clone(got.Data)
	}
	return got, nil
}

func (p *planted) readLocked(k dnsstore.Key) dnsstore.RRSet {
	p.reads++
	got := p.sets[k]
	switch {
	case p.has("follows aliases") && len(got.Data) == 0:
		if alias := p.sets[dnsstore.Key{Name: k.Name, Type: "CNAME"}]; len(alias.Data) > 0 {
			got = p.sets[dnsstore.Key{Name: dnsstore.Canonical(alias.Data[0]), Type: k.Type}]
		}
	case p.has("reads from a cache"), p.has("answers from the past") && p.reads%3 == 0:
		got = p.past[k]
	case p.has("shows one record only") && len(got.Data) > 1:
		got.Data = got.Data[:1]
	}
	return got
}

func (p *planted) Apply(ctx context.Context, c dnsstore.Change) error {
	if err := ctx.Err(); err != nil && !p.has("an ended context is not seen") {
		if p.has("an ended context is a conflict") {
			return dnsstore.ErrConflict
		}
		return err
	}
	raw := c
	c, err := p.check(c)
	if err != nil {
		return err
	}
	p.hang(ctx)
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.holdsLocked(c) {
		return p.conflictLocked(c)
	}
	if p.has("checks, then acts") {
		p.mu.Unlock()
		linger(time.Millisecond) // the fault: others come in between
		p.mu.Lock()
	}
	p.setLocked(c, raw)
	if _, short := ctx.Deadline(); (short && p.fault == "a conflict after it was made" || p.fault == "refused after it was made") && p.ends(ctx) {
		return map[bool]error{true: dnsstore.ErrConflict, false: dnsstore.ErrRefused}[short]
	}
	return nil
}

// ends tells whether the context is one of those that end during the call.
func (p *planted) ends(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	case <-time.After(18 * time.Millisecond):
		return false
	}
}

func (p *planted) check(c dnsstore.Change) (dnsstore.Change, error) {
	n, err := c.Normal()
	switch {
	case err == nil && p.has("refuses other forms") && !slices.EqualFunc(n.Set, c.Set, sameData):
		return n, dnsstore.ErrRefused
	case err == nil:
		return n, nil
	case p.has("takes any key"):
		return c, nil
	case p.has("a bad key is a conflict"):
		return c, dnsstore.ErrConflict
	case p.has("skips bad data"):
		good := func(s dnsstore.RRSet) bool { _, err := s.Normal(); return err != nil }
		return dnsstore.Change{
			If: slices.DeleteFunc(slices.Clone(c.If), good), Set: slices.DeleteFunc(slices.Clone(c.Set), good),
		}, nil
	}
	return c, err
}

func sameData(a, b dnsstore.RRSet) bool {
	return slices.Equal(slices.Sorted(slices.Values(a.Data)), slices.Compact(slices.Sorted(slices.Values(b.Data))))
}

// hang ignores, once, that the context ends.
func (p *planted) hang(ctx context.Context) {
	if !p.has("does not look at its context") {
		return
	}
	if _, ok := ctx.Deadline(); ok {
		return // not one of those that are cancelled
	}
	p.mu.Lock()
	hung := p.hung
	p.hung = true
	p.mu.Unlock()
	if !hung {
		linger(4500 * time.Millisecond)
	}
}

// linger is how a slow store takes its time.
func linger(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

func (p *planted) enter() error {
	if !p.has("one caller at a time") {
		return nil
	}
	p.mu.Lock()
	p.busy++
	busy := p.busy
	p.mu.Unlock()
	linger(time.Millisecond)
	if busy > 1 {
		p.leave()
		return dnsstore.ErrUnknown
	}
	return nil
}

func (p *planted) leave() {
	if p.has("one caller at a time") {
		p.mu.Lock()
		p.busy--
		p.mu.Unlock()
	}
}

func (p *planted) holdsLocked(c dnsstore.Change) bool {
	conditions := c.If
	switch {
	case p.has("no condition is checked"), p.has("a condition alone holds") && len(c.Set) == 0:
		return true
	case p.has("only the first condition counts") && len(conditions) > 0:
		conditions = conditions[:1]
	}
	return !slices.ContainsFunc(conditions, func(s dnsstore.RRSet) bool { return !p.equal(p.sets[s.Key], s) })
}

func (p *planted) equal(present, want dnsstore.RRSet) bool {
	contains := func(all []string) func(string) bool {
		return func(s string) bool { return !slices.Contains(all, s) }
	}
	switch {
	case len(want.Data) == 0 && p.has("absence always holds"), want.Type == "CNAME" && p.has("no alias is ever seen"):
		return true
	case len(want.Data) > 0 && p.has("a subset is enough"):
		return !slices.ContainsFunc(want.Data, contains(present.Data))
	case len(present.Data) > 0 && p.has("a superset is enough"):
		return !slices.ContainsFunc(present.Data, contains(want.Data))
	case p.has("compares in order"):
		return slices.Equal(present.Data, want.Data)
	case p.has("compares times to live") && present.TTL != want.TTL:
		return false
	}
	return slices.Equal(p.folded(present.Data), p.folded(want.Data))
}

func (p *planted) folded(data []string) []string {
	data = slices.Sorted(slices.Values(data))
	for i := range data {
		switch {
		case p.has("compares without case"):
			data[i] = strings.ToLower(data[i])
		case p.has("joins strings"):
			data[i] = strings.ReplaceAll(data[i], `" "`, "")
		}
	}
	return data
}

func (p *planted) conflictLocked(c dnsstore.Change) error {
	switch {
	case p.has("a conflict is called refused"):
		return dnsstore.ErrRefused
	case p.has("a conflict is called unknown"):
		return dnsstore.ErrUnknown
	case p.has("sets a part on a conflict") && len(c.Set) > 0:
		last := c.Set[len(c.Set)-1]
		p.sets[last.Key] = last
	}
	return dnsstore.ErrConflict
}

// setLocked makes a change; raw is the change as the caller gave it.
func (p *planted) setLocked(c, raw dnsstore.Change) {
	for i, s := range c.Set {
		before := p.sets[s.Key]
		p.past[s.Key] = before
		switch {
		case i > 0 && (p.has("only the first content is set") || p.has("only one name") && s.Name != c.Set[0].Name):
			continue
		case p.has("keeps the caller's slices"):
			s.Data = raw.Set[i].Data
		case p.has("compares in order"):
			s.Data = slices.Clone(raw.Set[i].Data)
		case p.has("keeps an old time to live") && sameData(before, s):
			s.TTL = before.TTL
		case p.has("adds instead of replacing") && len(s.Data) > 0:
			s.Data = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(before.Data), s.Data...))))
		case p.has("deletes all types") && len(s.Data) == 0:
			for _, kind := range []string{"TXT", "A", "AAAA", "CNAME"} {
				delete(p.sets, dnsstore.Key{Name: s.Name, Type: kind})
			}
		case s.Type == "TXT":
			s.Data = p.spoilt(s.Data)
		}
		p.sets[s.Key] = s
	}
}

func (p *planted) spoilt(data []string) []string {
	data = slices.Clone(data)
	for i := range data {
		switch {
		case p.has("loses backslashes"):
			data[i] = strings.ReplaceAll(data[i], `\\`, "")
		case p.has("cuts long text") && len(data[i]) > 512:
			data[i] = data[i][:511] + `"`
		}
	}
	return data
}
