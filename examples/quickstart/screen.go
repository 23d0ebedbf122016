package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// screen writes the timeline, and on a terminal keeps the present state below
// it, in place.
type screen struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
	live  bool
	drawn int // lines of the present state on the screen
}

func newScreen(out io.Writer) *screen {
	s := &screen{out: out, start: time.Now()}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		s.live = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return s
}

// line adds one line to the timeline.
func (s *screen) line(who, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipeLocked()
	fmt.Fprintf(s.out, "%6.2fs  %-7s %s\n", time.Since(s.start).Seconds(), who, fmt.Sprintf(format, args...))
}

func (s *screen) head(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipeLocked()
	fmt.Fprintf(s.out, "\n%s\n", text)
}

// state shows lines below the timeline.
func (s *screen) state(lines []string) {
	if !s.live {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipeLocked()
	fmt.Fprint(s.out, strings.Join(lines, "\n"), "\n")
	s.drawn = len(lines)
}

// wipe takes the present state off the screen.
func (s *screen) wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipeLocked()
}

func (s *screen) wipeLocked() {
	if s.drawn > 0 {
		fmt.Fprintf(s.out, "\x1b[%dA\x1b[J", s.drawn) // up, then erase to the end
		s.drawn = 0
	}
}

// draw shows the state of the nodes and of the name.
func (s *show) draw() {
	w := s.watcher
	w.mu.Lock()
	lines := []string{""}
	for _, id := range []string{"a", "b"} {
		lines = append(lines, nodeLine(id, w.last[id]))
	}
	host := w.host
	if host == "" {
		host = "no address"
	}
	lines = append(lines, fmt.Sprintf("  %s -> %-10s  requests: %d served, %d not",
		s.settings.GroupFQDN, host, w.counted, w.lost))
	w.mu.Unlock()
	s.screen.state(lines)
}

const barWidth = 24

func nodeLine(id string, n sample) string {
	if n.Role == "" {
		return fmt.Sprintf("  %s  %-12s", id, "down")
	}
	text := fmt.Sprintf("  %s  %-12s term %-11d counted %-5d", id, n.Role, n.Term, n.Count)
	if n.Role != "primary" {
		return text + " heartbeats " + n.Beat
	}
	left := max(0, time.Until(n.Until))
	full := min(barWidth, int(left*barWidth/lease))
	return text + fmt.Sprintf(" authority %4.1fs %s%s", left.Seconds(), strings.Repeat("█", full), strings.Repeat("░", barWidth-full))
}
