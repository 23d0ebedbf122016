package rfc2136

import (
	"context"
	"errors"
	"net"
	"time"
)

// maxDatagram is what every server takes over UDP (RFC 1035 section 4.2.1).
// Servers built on miekg/dns take no more by default.
const maxDatagram = 512

// errFalse is why an exchange ended if what came was no answer.
var errFalse = errors.New("what came was not a verified answer")

// outcome is all that is known of an exchange.
type outcome struct {
	request *request
	answer  *answer // nil: none was accepted
	copies  int     // that may have reached the server
	server  string  // the address last spoken to
	claim   claim   // what the last message said that was not accepted
	err     error   // why there is no answer
}

// exchange sends a request to a server and waits for its answer.
func (s *Store) exchange(ctx context.Context, addrs []string, r *request) outcome {
	out := outcome{request: r}
	s.send(ctx, addrs, r, &out)
	if out.answer == nil {
		out.err = ended(ctx, out.err)
	}
	return out
}

func (s *Store) send(ctx context.Context, addrs []string, r *request, out *outcome) {
	if s.net == "udp" && len(r.wire) <= maxDatagram {
		s.overUDP(ctx, addrs, r, out)
		if !out.cutOff() {
			return
		}
		s.counters.truncated.Add(1)
		out.answer = nil
	}
	s.overTCP(ctx, addrs, r, out)
}

// cutOff tells whether to ask again over TCP. An answer to an update is never
// too long: all there is to say stands in its header. That a truncated answer
// may lack its signature does no harm, since it is not believed.
func (o *outcome) cutOff() bool {
	if o.request.opcode != opcodeQuery {
		return false
	}
	return o.answer != nil && o.answer.Truncated || o.answer == nil && o.claim.truncated
}

// overTCP tries the addresses in turn until one takes a connection. An address
// that does not answer gets its share of the time that is left only.
func (s *Store) overTCP(ctx context.Context, addrs []string, r *request, out *outcome) {
	for i, addr := range addrs {
		out.server = addr
		connect, cancel := s.share(ctx, len(addrs)-i)
		conn, err := s.dialContext(connect, "tcp", addr)
		cancel()
		if err == nil {
			s.overStream(ctx, conn, addr, r, out)
			return
		}
		out.err = err
		if ctx.Err() != nil {
			return
		}
	}
}

// overStream sends a request on a new connection. If that breaks, or brings
// something that is no answer, it sends the same octets once more on another
// one, if a second copy can do no harm.
func (s *Store) overStream(ctx context.Context, conn net.Conn, addr string, r *request, out *outcome) {
	s.onConn(ctx, conn, r, out)
	if out.answer != nil || !r.again || ctx.Err() != nil {
		return
	}
	conn, err := s.dialContext(ctx, "tcp", addr)
	if err != nil {
		out.err = err
		return
	}
	s.counters.reconnects.Add(1)
	s.onConn(ctx, conn, r, out)
}

// onConn sends a request on a connection, reads one message and closes it. A
// stream on which something false has come is not worth reading on: whoever
// can put that in has the rest in hand, too.
func (s *Store) onConn(ctx context.Context, conn net.Conn, r *request, out *outcome) {
	defer closeWhenDone(ctx, conn)()
	n, err := conn.Write(frame(r.wire))
	if n > 0 {
		out.copies++
	}
	if err != nil {
		out.err = err
		return
	}
	raw, err := readFrame(conn)
	if err != nil {
		out.err = err
		return
	}
	s.take(r, raw, out)
}

// take looks at one message that has come.
func (s *Store) take(r *request, raw []byte, out *outcome) {
	a, said := r.accept(raw)
	if a != nil {
		out.answer, out.err = a, nil
		return
	}
	s.counters.unverified.Add(1)
	out.err = errFalse
	if said.made {
		out.claim = said
	}
}

// closeWhenDone closes a connection when ctx ends, so that whoever reads from
// it returns. The result closes it in any case, and waits for that.
func closeWhenDone(ctx context.Context, conn net.Conn) (finish func()) {
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = conn.Close()
	})
	return func() {
		if !stop() {
			<-closed
			return
		}
		_ = conn.Close()
	}
}

// ended is the error of an exchange: why the context ended if it did, since
// all that comes after that is a consequence.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	if errors.Is(cause, ctx.Err()) {
		return cause
	}
	return errors.Join(ctx.Err(), cause)
}

// waits returns how long to wait after each copy of a datagram: an eighth, an
// eighth and a quarter of the time that is left, and the rest.
func waits(left time.Duration, again bool) []time.Duration {
	if !again {
		return []time.Duration{left}
	}
	left = min(left, DefaultTimeout)
	return []time.Duration{left / 8, left / 8, left / 4, left}
}
