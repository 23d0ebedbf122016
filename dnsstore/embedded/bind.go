package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// bindTries is how often a free port is sought that is free for both TCP and
// UDP.
const bindTries = 20

// sockets are what a server serves at.
type sockets struct {
	listener net.Listener
	packets  net.PacketConn
}

// wake ends what waits for a request, but not the answers on their way. The
// errors do not matter: a socket that does not end is a closed one.
func (k sockets) wake() {
	_ = k.listener.Close()
	_ = k.packets.SetReadDeadline(longAgo())
}

// close closes both, also if they are closed already.
func (k sockets) close() error {
	return errors.Join(ignoreClosed(k.listener.Close()), ignoreClosed(k.packets.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// longAgo is a deadline that has passed, whatever the clock says.
func longAgo() time.Time { return time.Unix(1, 0) }

func (s *Server) bind(ctx context.Context) (sockets, error) {
	if s.listener != nil {
		return sockets{listener: s.listener, packets: s.packets}, nil
	}
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return sockets{}, fmt.Errorf("embedded: %w", err)
	}
	tries := 1
	if port == "0" || port == "" {
		tries = bindTries
	}
	var k sockets
	for range tries {
		if k, err = bindOnce(ctx, s.addr); err == nil {
			return k, nil
		}
	}
	return sockets{}, fmt.Errorf("embedded: %w", err)
}

func bindOnce(ctx context.Context, addr string) (sockets, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", addr)
	if err != nil {
		return sockets{}, err
	}
	// The same port, and the same address that a name was resolved to.
	p, err := c.ListenPacket(ctx, "udp", l.Addr().String())
	if err != nil {
		return sockets{}, errors.Join(err, l.Close())
	}
	return sockets{listener: l, packets: p}, nil
}
