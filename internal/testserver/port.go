package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// errAddressInUse: somebody else has taken the port in the meantime.
var errAddressInUse = errors.New("address in use")

// freePort returns a port of host that is free for TCP and UDP now.
func freePort(ctx context.Context, host string) (int, error) {
	const attempts = 20
	var errs []error
	for range attempts {
		port, err := tryPort(ctx, host)
		if err == nil {
			return port, nil
		}
		errs = append(errs, err)
	}
	return 0, fmt.Errorf("no free port: %w", errors.Join(errs...))
}

func tryPort(ctx context.Context, host string) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, err
	}
	defer l.Close()
	c, err := lc.ListenPacket(ctx, "udp", l.Addr().String())
	if err != nil {
		return 0, err
	}
	defer c.Close()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("no TCP address: %v", l.Addr())
	}
	return addr.Port, nil
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
