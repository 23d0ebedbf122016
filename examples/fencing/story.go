package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/transport"

	"github.com/availabilitygroup/ag/examples/fencing/internal/objectserver"
)

const (
	fqdn     = "app.example.net"
	path     = "/bucket/count"
	database = "file:/fencing?vfs=memdb&_pragma=busy_timeout(10000)"
	few      = 3 // counts that are waited for
)

// story is all that takes part.
type story struct {
	screen  *screen
	records *dnsstore.Memory
	network *transport.Memory
	server  *objectserver.Server
	objects *httptest.Server
	db      *sql.DB // keeps the database in memory while the story lasts
	a, b    *node
	all     sync.WaitGroup
	end     context.CancelFunc
}

func newStory(ctx context.Context, out io.Writer) (*story, error) {
	s := &story{
		screen: &screen{out: out, start: time.Now()}, records: dnsstore.NewMemory(), network: transport.NewMemory(),
		server: &objectserver.Server{}, end: func() {},
	}
	s.objects = httptest.NewServer(s.server)
	if err := s.prepare(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *story) prepare(ctx context.Context) (err error) {
	if s.db, err = sql.Open("sqlite", database); err != nil {
		return err
	}
	for _, table := range []string{"counted", "unguarded"} {
		if _, err := s.db.ExecContext(ctx, "CREATE TABLE "+table+" (n INTEGER PRIMARY KEY AUTOINCREMENT, term BIGINT NOT NULL)"); err != nil {
			return err
		}
	}
	if s.a, err = s.newNode(ctx, "a", "192.0.2.10"); err != nil {
		return err
	}
	s.b, err = s.newNode(ctx, "b", "192.0.2.11")
	return err
}

// close ends the nodes and waits for them.
func (s *story) close() {
	s.end()
	s.all.Wait()
	for _, n := range []*node{s.a, s.b} {
		if n != nil {
			_ = n.db.Close()
		}
	}
	if s.db != nil {
		_ = s.db.Close()
	}
	s.objects.Close()
}

func (s *story) tell(ctx context.Context) error {
	ctx, s.end = context.WithCancel(ctx)
	for _, n := range []*node{s.a, s.b} {
		s.all.Go(func() { _ = n.group.Run(ctx) })
		s.all.Go(func() { n.serve(ctx) })
	}
	if err := errors.Join(s.a.group.Create(ctx), s.b.group.Join(ctx)); err != nil {
		return err
	}
	first := s.a.group.GetNodeState().Term
	if err := s.counts(ctx, first, 0); err != nil {
		return err
	}
	s.stopA()
	second, err := s.takeover(ctx)
	if err != nil {
		return err
	}
	if err := s.counts(ctx, second, 0); err != nil {
		return err
	}
	end, err := s.goOn(ctx)
	if err != nil {
		return err
	}
	if err := s.counts(ctx, second, few); err != nil {
		return err
	}
	return s.judge(ctx, end, first, second)
}

// stopA stops a: its goroutine between Guard and the writes, and its node, as
// far as others can see.
func (s *story) stopA() {
	s.screen.line("", "a is stopped: Guard has said yes, and the writes are not yet done")
	s.a.stopper.stop()
	s.network.Cut("a", "b")
	s.network.Cut("b", "a")
}

func (s *story) takeover(ctx context.Context) (term uint64, err error) {
	held, release, err := s.b.group.PrimaryContext(ctx)
	if err != nil {
		return 0, fmt.Errorf("b did not take over: %w", err)
	}
	defer release()
	term, _ = availability.TermFromContext(held)
	return term, nil
}

// goOn lets a go on, and waits for the end of its writes.
func (s *story) goOn(ctx context.Context) (late, error) {
	s.screen.line("", "a goes on, with the writes of its old term")
	s.network.Heal("a", "b")
	s.network.Heal("b", "a")
	s.a.stopper.goOn()
	select {
	case end := <-s.a.late:
		return end, nil
	case <-ctx.Done():
		return late{}, fmt.Errorf("wait for the writes of a: %w", context.Cause(ctx))
	}
}
