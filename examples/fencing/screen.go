package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// screen writes the timeline.
type screen struct {
	mu    sync.Mutex
	out   io.Writer // guarded by mu
	start time.Time
}

func (s *screen) line(who, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "%5.1fs  %-7s %s\n", time.Since(s.start).Seconds(), who, fmt.Sprintf(format, args...))
}
