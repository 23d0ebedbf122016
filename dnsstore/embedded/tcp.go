package embedded

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// acceptPause is how long nothing is accepted after that has failed, since it
// is most likely for want of file descriptors.
const acceptPause = 10 * time.Millisecond

// serveTCP answers connections until ctx ends.
func (s *Server) serveTCP(ctx context.Context, l net.Listener, open *conns) error {
	var serving sync.WaitGroup
	defer serving.Wait()
	for failures := 0; ; {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close() // nothing was read from it
			}
			return nil
		}
		if err != nil {
			if failures++; failures >= maxFailures {
				return fmt.Errorf("embedded: accept: %w", err)
			}
			pause(ctx, acceptPause)
			continue
		}
		failures = 0
		serving.Go(func() { s.serveConn(conn, open) })
	}
}

func pause(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}

// serveConn answers the requests of one connection in their order, as many as
// come (RFC 7766 section 6.2.1).
func (s *Server) serveConn(conn net.Conn, open *conns) {
	defer func() { _ = conn.Close() }() // all that matters was written
	if !open.add(conn) {
		return
	}
	defer open.remove(conn)
	for open.await(conn, s.wall().Add(s.idle)) {
		packet, err := readMessage(conn)
		if err != nil {
			return
		}
		answer := s.respond(packet, true)
		if answer == nil {
			return
		}
		if err := s.writeMessage(conn, answer); err != nil {
			return
		}
	}
}

// readMessage reads a message and its length (RFC 1035 section 4.2.2).
func readMessage(conn net.Conn) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	packet := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(conn, packet)
	return packet, err
}

func (s *Server) writeMessage(conn net.Conn, answer []byte) error {
	if err := conn.SetWriteDeadline(s.wall().Add(s.idle)); err != nil {
		return err
	}
	// In one write, and so most likely in one segment (RFC 7766 section 8).
	octets := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(answer)), uint16(len(answer)))
	_, err := conn.Write(append(octets, answer...))
	return err
}

// conns are the open connections.
type conns struct {
	limit int

	mu   sync.Mutex
	open map[net.Conn]struct{} // guarded by mu; nil: shut
}

func newConns(limit int) *conns {
	return &conns{limit: limit, open: map[net.Conn]struct{}{}}
}

// add tells whether there is room for one more.
func (c *conns) add(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil || len(c.open) >= c.limit {
		return false
	}
	c.open[conn] = struct{}{}
	return true
}

func (c *conns) remove(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
}

// await sets the deadline of the next request, and tells whether there is to
// be one.
func (c *conns) await(conn net.Conn, deadline time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open != nil && conn.SetReadDeadline(deadline) == nil
}

// shut wakes up all that wait for a request.
func (c *conns) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		_ = conn.SetReadDeadline(longAgo()) // a closed one waits no more
	}
	c.open = nil
}
