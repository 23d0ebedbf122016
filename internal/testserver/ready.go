package testserver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// awaitReady waits until the server answers for every zone over both protocols.
func (s *Server) awaitReady(ctx context.Context) error {
	for _, zone := range s.set.zones {
		for _, network := range []string{"udp", "tcp"} {
			if err := s.awaitSOA(ctx, network, zone); err != nil {
				return fmt.Errorf("wait for %s over %s: %w", zone, network, err)
			}
		}
	}
	return nil
}

func (s *Server) awaitSOA(ctx context.Context, network, zone string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.set.enter(func() error { return askSOA(ctx, network, s.Addr, zone) })
		if err == nil {
			return nil
		}
		if s.addressInUse() {
			return err
		}
		select {
		case <-s.proc.done:
			return errors.Join(errors.New("the server has ended"), err)
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// askSOA asks once for the SOA of a zone; nil means an authoritative answer.
func askSOA(ctx context.Context, network, addr, zone string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	header, err := exchange(conn, network == "tcp", soaQuery(zone))
	if err != nil {
		return err
	}
	return checkHeader(header)
}

const (
	headerLen = 12
	queryID   = 0x6167
)

// soaQuery is a query for SOA (RFC 1035 section 4.1).
func soaQuery(zone string) []byte {
	m := binary.BigEndian.AppendUint16(nil, queryID)
	m = append(m, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) // no flags, one question
	for label := range strings.SplitSeq(zone, ".") {
		m = append(m, byte(len(label)))
		m = append(m, label...)
	}
	return append(m, 0, 0, 6, 0, 1) // the root, type SOA, class IN
}

// exchange sends a query and returns the header of the answer.
func exchange(conn net.Conn, stream bool, query []byte) ([]byte, error) {
	if stream {
		query = append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	}
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	if stream {
		answer := make([]byte, 2+headerLen)
		_, err := io.ReadFull(conn, answer)
		return answer[2:], err
	}
	answer := make([]byte, 512)
	n, err := conn.Read(answer)
	if err == nil && n < headerLen {
		err = io.ErrUnexpectedEOF
	}
	return answer[:headerLen], err
}

// checkHeader wants our ID, an authoritative answer without error, a record.
func checkHeader(h []byte) error {
	const answerAuthoritative, rcode = 0x8400, 0x000f
	flags := binary.BigEndian.Uint16(h[2:])
	switch {
	case binary.BigEndian.Uint16(h) != queryID:
		return errors.New("answer to another question")
	case flags&answerAuthoritative != answerAuthoritative, flags&rcode != 0, binary.BigEndian.Uint16(h[6:]) == 0:
		return fmt.Errorf("no authoritative answer (flags %#04x)", flags)
	}
	return nil
}
