package rfc2136

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

// Store is a [dnsstore.Store] on an authoritative server. It is made by [New]
// or [Config.Open]. All methods are safe for concurrent use. It keeps no
// connection and runs no goroutine between calls.
type Store struct {
	key         tsigKey
	net         string
	timeout     time.Duration
	fudge       time.Duration
	dialContext func(ctx context.Context, network, address string) (net.Conn, error)
	random      io.Reader
	now         func() time.Time // of signatures
	mono        func() time.Time // of waits

	calls     calls
	clock     clock
	counters  counters
	finder    finder
	addresses addressBook
	doubts    doubts
}

var (
	_ dnsstore.Store = (*Store)(nil)
	_ io.Closer      = (*Store)(nil)
)

// Skew returns the server's time minus this host's, as the last verified
// answer showed it, with an error of about a second; 0 if there was none.
// PowerDNS signs with the time that it was sent, so there it stays 0.
func (s *Store) Skew() time.Duration { return s.clock.measured() }

// Close ends the calls that are under way, with [ErrClosed], and waits for
// them. Later calls return ErrClosed at once. It returns nil.
func (s *Store) Close() error {
	s.calls.close()
	return nil
}

// newID returns a message ID.
func (s *Store) newID() (uint16, error) {
	var octets [2]byte
	if _, err := io.ReadFull(s.random, octets[:]); err != nil {
		return 0, fmt.Errorf("message ID: %w", err)
	}
	return binary.BigEndian.Uint16(octets[:]), nil
}

// sign makes a request of a message: a new ID, the present time, our key.
func (s *Store) sign(m *dns.Msg, again bool) (*request, error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	m = m.Copy()
	m.Id = id
	signed := s.now()
	wire, mac, err := s.key.sign(m, signed.Add(s.clock.correction()), s.fudge)
	if err != nil {
		return nil, err
	}
	if len(wire) > maxMessage {
		return nil, fmt.Errorf("message of %d octets; at most %d", len(wire), maxMessage)
	}
	if m.Opcode == dns.OpcodeUpdate {
		s.counters.updates.Add(1)
	} else {
		s.counters.queries.Add(1)
	}
	return &request{
		wire: wire, mac: mac, key: s.key, id: id, opcode: m.Opcode,
		question: m.Question[0], again: again, signed: signed,
	}, nil
}

// ask sends a message, which it signs, and returns what came of it. If the
// server says that our clock is off, it is asked once more by its own time.
func (s *Store) ask(ctx context.Context, t target, m *dns.Msg, again bool) outcome {
	carried := 0 // copies of an earlier message that could still have an effect
	for tries := 1; ; tries++ {
		out := s.askOnce(ctx, t, m, again)
		out.copies += carried
		if out.answer == nil || !s.observe(out.request, out.answer) || tries > 1 || ctx.Err() != nil {
			return out
		}
		if out.copies > 1 { // of a single copy it is certain that nothing was done with it
			carried = out.copies
		}
	}
}

func (s *Store) askOnce(ctx context.Context, t target, m *dns.Msg, again bool) outcome {
	addrs, err := s.addresses.resolve(ctx, s, t.hosts)
	if err != nil {
		return outcome{server: t.hosts.String(), err: ended(ctx, err)}
	}
	r, err := s.sign(m, again)
	if err != nil {
		return outcome{server: t.hosts.String(), err: err}
	}
	out := s.exchange(ctx, addrs, r)
	if out.answer != nil {
		s.addresses.prefer(out.server)
	}
	return out
}

// observe reads the server's clock from a verified answer. It tells whether
// the request was refused for its time and has a chance now.
func (s *Store) observe(r *request, a *answer) (retry bool) {
	server, refused := a.badTime()
	if !refused {
		server = time.Unix(int64(a.tsig.TimeSigned), 0)
	}
	s.clock.observe(r.signed, s.now(), server, refused)
	if refused {
		s.counters.corrections.Add(1)
	}
	return refused
}
