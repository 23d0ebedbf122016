package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestShow runs the quickstart as a newcomer would, in processes of its own.
func TestShow(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "quickstart")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program).CombinedOutput()
	if err != nil {
		t.Fatalf("the quickstart failed: %v\n%s", err, out)
	}
	_, summary, ok := strings.Cut(string(out), "Summary")
	if !ok {
		t.Fatalf("no summary in:\n%s", out)
	}
	for _, want := range []string{"crash:", "restart:", "planned: b -> a", "planned: a -> b", "never two Primaries"} {
		if !strings.Contains(summary, want) {
			t.Errorf("the summary lacks %q:\n%s", want, summary)
		}
	}
	if strings.Contains(string(out), "\x1b") {
		t.Error("escape sequences in output that goes to no terminal")
	}
}

// TestTenures: the watcher that says "never two Primaries" can say otherwise.
func TestTenures(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	see := func(w *watcher, id string, term uint64, ms int) {
		w.noteLocked(tenure{id: id, term: term, first: at(ms), last: at(ms)})
	}
	for _, test := range []struct {
		name     string
		play     func(*watcher)
		overlaps bool
	}{
		{"one after the other", func(w *watcher) {
			see(w, "a", 1, 0)
			see(w, "a", 1, 10)
			see(w, "b", 2, 20)
			see(w, "a", 3, 30)
		}, false},
		{"again in the old term", func(w *watcher) {
			see(w, "a", 1, 0)
			see(w, "b", 2, 10)
			see(w, "a", 1, 20)
		}, true},
		{"seen late", func(w *watcher) {
			see(w, "a", 1, 0)
			see(w, "a", 1, 30)
			see(w, "b", 2, 20)
			see(w, "b", 2, 25)
		}, true},
	} {
		w := &watcher{}
		test.play(w)
		if got := len(w.overlaps) > 0; got != test.overlaps {
			t.Errorf("%s: overlaps %v, want %v", test.name, got, test.overlaps)
		}
	}
}
