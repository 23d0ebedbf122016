package embedded

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/miekg/dns"
)

const (
	// maxInFlight bounds the UDP requests that are answered at a time. It is
	// above maxWaiting, so that queries are answered while updates wait.
	maxInFlight = 2 * maxWaiting
	// receiveBuffer is asked of the system, in octets: bursts are lost where
	// it is full.
	receiveBuffer = 4 << 20
	// maxFailures is how many reads may fail one after the other before the
	// socket is given up. Some systems report there that an earlier answer
	// did not arrive.
	maxFailures = 100
)

// serveUDP answers packets until ctx ends.
func (s *Server) serveUDP(ctx context.Context, conn net.PacketConn) error {
	p := newPackets(conn)
	var requests sync.WaitGroup
	defer requests.Wait()
	slots := make(chan struct{}, maxInFlight)
	buffer := make([]byte, maxMessage)
	for failures := 0; ; {
		n, reply, err := p.read(buffer)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			if failures++; failures >= maxFailures {
				return fmt.Errorf("embedded: read: %w", err)
			}
			continue
		}
		failures = 0
		packet := append([]byte(nil), buffer[:n]...)
		slots <- struct{}{} // each holder ends without this loop
		requests.Go(func() {
			defer func() { <-slots }()
			if answer := s.respond(packet, false); answer != nil {
				reply(answer)
			}
		})
	}
}

// packets reads and answers packets. On a socket that is bound to all
// addresses of a machine the answer has to leave from the address that the
// question was sent to; the library sees to that.
type packets struct {
	conn net.PacketConn
	udp  *net.UDPConn // nil: some other kind of connection
}

func newPackets(conn net.PacketConn) packets {
	p := packets{conn: conn}
	if udp, ok := conn.(*net.UDPConn); ok {
		p.udp = udp
		reportDestination(udp)
		_ = udp.SetReadBuffer(receiveBuffer) // the default will do
	}
	return p
}

// read returns the length of a packet and what answers it. An answer that
// cannot be sent is a lost one; the client asks again.
func (p packets) read(buffer []byte) (n int, reply func([]byte), err error) {
	if p.udp != nil {
		n, from, err := dns.ReadFromSessionUDP(p.udp, buffer)
		return n, func(answer []byte) { _, _ = dns.WriteToSessionUDP(p.udp, answer, from) }, err
	}
	n, from, err := p.conn.ReadFrom(buffer)
	return n, func(answer []byte) { _, _ = p.conn.WriteTo(answer, from) }, err
}
