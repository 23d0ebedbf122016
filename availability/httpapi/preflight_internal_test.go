package httpapi

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/availability"
)

// stage counts rehearsals, each of which takes a while.
type stage struct {
	rehearsals

	mu              sync.Mutex
	played, at, top int
}

func newStage(takes time.Duration) *stage {
	s := &stage{}
	s.rehearse = func(ctx context.Context) availability.Report {
		s.mu.Lock()
		s.played++
		s.at++
		s.top = max(s.top, s.at)
		name := strconv.Itoa(s.played)
		s.mu.Unlock()
		select {
		case <-time.After(takes):
		case <-ctx.Done():
		}
		s.mu.Lock()
		s.at--
		s.mu.Unlock()
		return availability.Report{Checks: []availability.Check{{Name: name}}}
	}
	return s
}

// ask returns the name of the rehearsal that answered.
func (s *stage) ask(ctx context.Context) (string, error) {
	r, err := s.report(ctx)
	if err != nil {
		return "", err
	}
	return r.Checks[0].Name, nil
}

func TestRehearsals_OneForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(time.Second)
		var all sync.WaitGroup
		for range maxWaiting {
			all.Go(func() {
				if name, err := s.ask(t.Context()); name != "1" || err != nil {
					t.Errorf("answered by rehearsal %q, %v", name, err)
				}
			})
		}
		synctest.Wait()
		_, err := s.ask(t.Context())
		if no, ok := errors.AsType[*refusal](err); !ok || no.reason != "preflights" {
			t.Errorf("one more that waits: %v", err)
		}
		all.Wait()
		if name, err := s.ask(t.Context()); name != "2" || err != nil || s.top != 1 {
			t.Errorf("the next was answered by rehearsal %q, %v; %d at once", name, err, s.top)
		}
	})
}

// A client that goes takes its rehearsal with it, and nobody else's answer.
func TestRehearsals_ClientGoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(10 * time.Second)
		gone, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := s.ask(gone); !errors.Is(err, context.Canceled) {
				t.Errorf("the client that went: %v", err)
			}
		})
		synctest.Wait()
		for range 2 {
			all.Go(func() {
				if name, err := s.ask(t.Context()); name != "2" || err != nil {
					t.Errorf("answered by rehearsal %q, %v", name, err)
				}
			})
		}
		waiting, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		all.Go(func() {
			if _, err := s.ask(waiting); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the client that did not wait: %v", err)
			}
		})
		time.Sleep(2 * time.Second)
		leave()
		all.Wait()
		if s.played != 2 || s.top != 1 {
			t.Errorf("%d rehearsals, %d at once", s.played, s.top)
		}
	})
}

// One that takes too long ends, and answers with what it has found.
func TestRehearsals_Limit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if name, err := newStage(time.Hour).ask(t.Context()); name != "1" || err != nil {
			t.Errorf("answered by rehearsal %q, %v", name, err)
		}
		if took := time.Since(start); took != rehearseFor {
			t.Errorf("took %v", took)
		}
	})
}

// A panic of a rehearsal, which the server of the host recovers, stops none
// that follows.
func TestRehearsals_Panic(t *testing.T) {
	t.Parallel()
	fail := true
	r := rehearsals{rehearse: func(context.Context) availability.Report {
		if fail {
			panic("planted")
		}
		return availability.Report{OK: true}
	}}
	func() {
		defer func() { _ = recover() }()
		_, _ = r.report(t.Context())
	}()
	fail = false
	if report, err := r.report(t.Context()); !report.OK || err != nil || r.waiting.Load() != 0 {
		t.Errorf("after a panic: %+v, %v, %d waiting", report, err, r.waiting.Load())
	}
}
