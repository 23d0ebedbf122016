package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errAddressInUse: somebody else has taken the port in the meantime.
var errAddressInUse = errors.New("address in use")

// guard is a loopback address at which nothing is served. Whoever listens there
// on a port has that port at every other address, as far as servers of tests
// are concerned.
const guard = "127.255.255.254"

// reservation keeps a port from other tests' servers until it is closed. BIND
// and CoreDNS open their sockets with SO_REUSEPORT: two of them that are given
// one port both get it, without a word, and each takes some of what is sent to
// the other. BIND's control channel does so, too.
type reservation struct {
	port int
	held net.Listener // nil: this system has no address for it
}

func (r reservation) Close() error {
	if r.held == nil {
		return nil
	}
	return r.held.Close()
}

// reserve finds a port of host that is free for TCP and UDP now.
func reserve(ctx context.Context, host string) (reservation, error) {
	const attempts = 20
	var errs []error
	for range attempts {
		r, err := reservePort(ctx, host, 0)
		if err == nil {
			return r, nil
		}
		errs = append(errs, err)
	}
	return reservation{}, fmt.Errorf("no free port: %w", errors.Join(errs...))
}

// reservePort reserves a port of host, any if it is 0.
func reservePort(ctx context.Context, host string, port int) (reservation, error) {
	var r reservation
	held, err := listen(ctx, guard, port)
	switch {
	case err == nil:
		r.held, port = held, portOf(held)
	case !errors.Is(err, syscall.EADDRNOTAVAIL):
		return r, err
	}
	r.port, err = tryPort(ctx, host, port)
	if err != nil {
		return r, errors.Join(err, r.Close())
	}
	return r, nil
}

// tryPort returns the port if it is free for TCP and UDP now, any that is if
// it is 0.
func tryPort(ctx context.Context, host string, port int) (int, error) {
	l, err := listen(ctx, host, port)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	var lc net.ListenConfig
	c, err := lc.ListenPacket(ctx, "udp", l.Addr().String())
	if err != nil {
		return 0, err
	}
	return portOf(l), c.Close()
}

// awaitFree waits until a port is free for TCP and UDP. It may take a moment
// until the sockets of a process that was killed are closed, and a server that
// shares its port would share it with them.
func awaitFree(ctx context.Context, host string, port int) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := tryPort(ctx, host, port)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func listen(ctx context.Context, host string, port int) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}

func portOf(l net.Listener) int {
	return int(netip.MustParseAddrPort(l.Addr().String()).Port())
}

// addressInUse tells whether a server's log speaks of a port that was taken.
// BIND says so for TCP, and goes on without it; for UDP it only says that it
// cannot listen.
func addressInUse(log string) bool {
	log = strings.ToLower(log)
	for _, text := range []string{"address already in use", "address in use", "unable to listen on any configured interfaces"} {
		if strings.Contains(log, text) {
			return true
		}
	}
	return false
}
