package rfc2136

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

// overUDP tries the addresses in turn until one does not refuse. A refusal is
// an ICMP message, which anybody can send: it ends the wait at this address,
// but does not prove that the server has not got the request.
func (s *Store) overUDP(ctx context.Context, addrs []string, r *request, out *outcome) {
	for _, addr := range addrs {
		out.server = addr
		conn, err := s.dialContext(ctx, "udp", addr) // a socket and so a port of its own
		if err != nil {
			out.err = err
			continue
		}
		refused := s.onSocket(ctx, conn, r, out)
		if !refused || ctx.Err() != nil || out.copies > 0 && !r.again {
			return
		}
	}
}

// onSocket sends a request, the same octets up to four times, and waits for
// its answer as long as ctx lasts. It tells whether the address refused.
func (s *Store) onSocket(ctx context.Context, conn net.Conn, r *request, out *outcome) (refused bool) {
	defer closeWhenDone(ctx, conn)()
	schedule := waits(s.remaining(ctx), r.again)
	buf := make([]byte, maxMessage)
	for i, wait := range schedule {
		if _, err := conn.Write(r.wire); err != nil {
			out.err = err
			return true
		}
		out.copies++
		if i > 0 {
			s.counters.retransmissions.Add(1)
		}
		until := s.mono().Add(wait)
		if i == len(schedule)-1 {
			until = time.Time{} // ctx ends it
		}
		if done, refused := s.await(ctx, conn, until, buf, r, out); done {
			return refused
		}
	}
	return false // not reached: the last wait ends with an answer or an error
}

// await reads until an answer has come or the time is over. What is no answer
// is as if it had not come. It tells whether the exchange is over.
func (s *Store) await(ctx context.Context, conn net.Conn, until time.Time, buf []byte, r *request, out *outcome) (done, refused bool) {
	if err := conn.SetReadDeadline(until); err != nil {
		out.err = err
		return true, false
	}
	for {
		n, err := conn.Read(buf)
		switch {
		case err == nil:
			s.take(r, buf[:n], out)
			if out.answer != nil || out.cutOff() {
				return true, false
			}
		case ctx.Err() != nil:
			out.err = err
			return true, false
		case errors.Is(err, os.ErrDeadlineExceeded):
			return false, false
		default:
			out.err = err
			return true, true
		}
	}
}
