package main

import (
	"fmt"
	"net"
	"net/netip"
)

// place finds two addresses of this machine with one port that is free at
// both: nodes of a group are told apart by their addresses.
func (s *show) place() (pair [2]netip.Addr, err error) {
	for _, texts := range [][2]string{{"127.0.0.2", "127.0.0.3"}, {"127.0.0.1", "::1"}} {
		pair = [2]netip.Addr{netip.MustParseAddr(texts[0]), netip.MustParseAddr(texts[1])}
		for range 5 {
			if s.port, err = freePort(pair); err == nil {
				return pair, nil
			}
		}
	}
	return pair, fmt.Errorf("no two loopback addresses to serve at: %w", err)
}

func freePort(pair [2]netip.Addr) (uint16, error) {
	first, err := net.Listen("tcp", netip.AddrPortFrom(pair[0], 0).String())
	if err != nil {
		return 0, err
	}
	defer first.Close()
	port := first.Addr().(*net.TCPAddr).AddrPort().Port()
	second, err := net.Listen("tcp", netip.AddrPortFrom(pair[1], port).String())
	if err != nil {
		return 0, err
	}
	return port, second.Close()
}
