package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// slack is what a busy machine may add to three round trips.
const slack = 2 * time.Second

// play is the story. Every step waits for what it is about to show.
func (s *show) play(ctx context.Context, addressA, addressB netip.Addr) error {
	s.screen.head("1. A group of two: a creates it, b joins")
	a, err := s.run(ctx, "a", addressA, "create", "primary")
	if err != nil {
		return err
	}
	b, err := s.run(ctx, "b", addressB, "join", "secondary")
	if err != nil {
		return err
	}
	if err := s.serves(ctx, addressA); err != nil {
		return err
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	if err := s.crash(ctx, a, b); err != nil {
		return err
	}
	s.screen.head("3. The killed node comes back")
	if a, err = s.run(ctx, "a", addressA, "", "secondary"); err != nil {
		return err
	}
	s.result("restart: a came back as Secondary, and b stayed Primary")
	s.screen.head("4. A planned failover, and back")
	if err := s.handover(ctx, b, a); err != nil {
		return err
	}
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	return s.handover(ctx, a, b)
}

// run starts a node and waits for its role.
func (s *show) run(ctx context.Context, id string, address netip.Addr, verb, role string) (*process, error) {
	p, err := s.spawn(id, address)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.nodes[id] = p
	s.mu.Unlock()
	if verb != "" {
		if err := p.do(ctx, verb); err != nil {
			return nil, fmt.Errorf("%s of node %s: %w", verb, id, err)
		}
	}
	_, err = p.becomes(ctx, role)
	return p, err
}

// crash kills the Primary and measures how long the group has none.
func (s *show) crash(ctx context.Context, primary, other *process) error {
	s.screen.head("2. The Primary dies: kill -9")
	s.mu.Lock()
	delete(s.nodes, primary.id)
	s.mu.Unlock()
	killed := time.Now()
	primary.kill()
	s.screen.line(primary.id, "is killed; %s may take over when it has heard nothing for %v", other.id, period)
	since, err := other.becomes(ctx, "primary")
	if err != nil {
		return err
	}
	took := since.Sub(killed)
	if err := s.serves(ctx, other.address); err != nil {
		return err
	}
	if took > period+slack {
		return fmt.Errorf("the takeover took %v, the promise is %v and three round trips", took, period)
	}
	s.result("crash:   %s was Primary %.2f s after the kill; promised: at most %.2f s + 3 round trips", other.id, took.Seconds(), period.Seconds())
	return nil
}

// handover moves the role by plan and measures the time without a Primary.
func (s *show) handover(ctx context.Context, from, to *process) error {
	s.screen.line("show", "asks %s to hand over", from.id)
	if err := from.do(ctx, "failover"); err != nil {
		return err
	}
	stopped, err := from.becomes(ctx, "secondary")
	if err != nil {
		return err
	}
	began, err := to.becomes(ctx, "primary")
	if err != nil {
		return err
	}
	if err := s.serves(ctx, to.address); err != nil {
		return err
	}
	s.result("planned: %s -> %s, no Primary for %.1f ms", from.id, to.id, began.Sub(stopped).Seconds()*1000)
	return nil
}

func (s *show) result(format string, args ...any) {
	s.results = append(s.results, fmt.Sprintf(format, args...))
	s.screen.line("show", format, args...)
}

// summary says what was seen, and fails if two Primaries were.
func (s *show) summary() error {
	s.screen.head("Summary")
	for _, r := range s.results {
		fmt.Fprintln(s.screen.out, " ", r)
	}
	w := s.watcher
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(s.screen.out, "  clients: %d requests by name were served, %d were not (the crash is in it)\n", w.counted, w.lost)
	if len(w.overlaps) > 0 {
		return errors.New("two Primaries at once: " + w.overlaps[0])
	}
	fmt.Fprintf(s.screen.out, "  never two Primaries at once, in %d looks at both nodes\n", w.samples)
	return nil
}
