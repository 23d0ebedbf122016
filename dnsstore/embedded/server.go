package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/zone"
)

// Server is a DNS server for one zone. Make one with [New]. Its methods are
// safe for concurrent use.
type Server struct {
	addr     string
	listener net.Listener
	packets  net.PacketConn
	dir      string
	keys     map[string]*key
	initial  *zone.Zone
	maxConns int
	idle     time.Duration
	log      *slog.Logger
	now      func() time.Time // for signatures
	wall     func() time.Time // for timeouts

	zone    atomic.Pointer[zone.Zone] // changed by the writer only
	jobs    chan *job                 // closed when no request is left
	started atomic.Bool

	bound   chan struct{} // closed when address is set
	address string
	ended   chan struct{} // closed when failure is set, and Run ends
	failure error
}

// Run opens the journal, binds the sockets, and serves until ctx ends; then it
// answers the requests that it has, and returns nil. It returns early with an
// error that wraps ErrLocked or ErrCorrupt, or that of the socket or the disk,
// if it cannot serve. It runs once; after that it returns ErrStopped.
func (s *Server) Run(ctx context.Context) error {
	if !s.started.CompareAndSwap(false, true) {
		return ErrStopped
	}
	defer close(s.ended)
	s.failure = s.run(ctx)
	return s.failure
}

// Addr waits until the server serves and returns the address, host and port.
// If Run ends before that, the error wraps ErrStopped and what Run returns; if
// ctx ends before, that of ctx.
func (s *Server) Addr(ctx context.Context) (string, error) {
	select {
	case <-s.bound:
		return s.address, nil
	case <-ctx.Done():
		return "", fmt.Errorf("embedded: address: %w", ctx.Err())
	case <-s.ended:
	}
	if s.failure != nil {
		return "", fmt.Errorf("%w: %w", ErrStopped, s.failure)
	}
	return "", ErrStopped
}

func (s *Server) run(ctx context.Context) error {
	sockets, err := s.bind(ctx)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	archive, z, err := openArchive(s.dir, s.initial, s.log)
	if err != nil {
		return errors.Join(err, sockets.close())
	}
	s.zone.Store(z)
	s.address = sockets.packets.LocalAddr().String()
	close(s.bound)
	s.log.Info("serving", slog.String("zone", z.Apex()), slog.String("addr", s.address))

	var writer sync.WaitGroup
	writer.Go(func() { s.write(archive) })
	err = s.serveSockets(ctx, sockets)
	close(s.jobs)
	writer.Wait()
	s.log.Info("stopped", slog.String("zone", z.Apex()))
	return errors.Join(err, sockets.close(), archive.close())
}

// unlessEnded drops an error that may come from the end of the context, as
// that is no failure.
func unlessEnded(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

// serveSockets returns when ctx has ended, or a socket has failed, and no
// request is left.
func (s *Server) serveSockets(ctx context.Context, k sockets) error {
	g, ctx := errgroup.WithContext(ctx)
	conns := newConns(s.maxConns)
	g.Go(func() error { return s.serveUDP(ctx, k.packets) })
	g.Go(func() error { return s.serveTCP(ctx, k.listener, conns) })
	g.Go(func() error {
		<-ctx.Done()
		k.wake()
		conns.shut()
		return nil
	})
	return g.Wait()
}
