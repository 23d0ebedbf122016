package embedded

import (
	"encoding/binary"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/zone"
)

// Sizes of messages in octets.
const (
	headerSize = 12
	maxMessage = 65535
	// maxUDP is the longest answer over UDP: it fits into any network's
	// packets, so that none is fragmented.
	maxUDP = 1232
)

// respond returns the answer to a packet; nil: none is due. It is safe for
// concurrent use. Only updates wait, for the writer.
func (s *Server) respond(packet []byte, stream bool) []byte {
	if len(packet) < headerSize || isResponse(packet) {
		return nil
	}
	req := new(dns.Msg)
	if err := req.Unpack(packet); err != nil || !complete(req, packet) {
		return formatError(packet)
	}
	a, ok := s.authenticate(req, packet)
	if !ok {
		return formatError(packet)
	}
	resp := new(dns.Msg).SetReply(req)
	resp.Compress = true
	limit := s.extend(req, resp)
	switch {
	case resp.Rcode != dns.RcodeSuccess: // by extend
	case a.err != 0:
		resp.Rcode = dns.RcodeNotAuth
	default:
		s.serve(req, resp, a)
	}
	if stream {
		limit = maxMessage
	}
	return s.fit(resp, a, limit)
}

func isResponse(packet []byte) bool { return packet[2]&0x80 != 0 }

// complete tells whether the sections have as many records as the header says;
// the library lets a message end early.
func complete(m *dns.Msg, packet []byte) bool {
	counts := []int{len(m.Question), len(m.Answer), len(m.Ns), len(m.Extra)}
	for i, n := range counts {
		if int(binary.BigEndian.Uint16(packet[4+2*i:])) != n {
			return false
		}
	}
	return true
}

// formatError answers a packet that cannot be understood, with nothing of it
// but its number and operation.
func formatError(packet []byte) []byte {
	out := make([]byte, headerSize)
	copy(out, packet[:2])
	out[2] = 0x80 | packet[2]&0x79 // response, opcode, recursion desired
	out[3] = dns.RcodeFormatError
	return out
}

// extend takes and answers EDNS (RFC 6891). It returns the longest answer that
// the client takes over UDP.
func (s *Server) extend(req, resp *dns.Msg) (limit int) {
	var opts []*dns.OPT
	for _, rr := range req.Extra {
		if opt, ok := rr.(*dns.OPT); ok {
			opts = append(opts, opt)
		}
	}
	if len(opts) == 0 {
		return dns.MinMsgSize
	}
	if len(opts) > 1 || opts[0].Hdr.Name != "." {
		resp.Rcode = dns.RcodeFormatError
		return dns.MinMsgSize
	}
	resp.SetEdns0(maxUDP, opts[0].Do())
	if opts[0].Version() != 0 {
		resp.Rcode = dns.RcodeBadVers
	}
	return min(max(int(opts[0].UDPSize()), dns.MinMsgSize), maxUDP)
}

// serve fills the answer.
func (s *Server) serve(req, resp *dns.Msg, a auth) {
	switch req.Opcode {
	case dns.OpcodeQuery:
		s.query(req, resp)
	case dns.OpcodeUpdate:
		resp.Rcode = s.update(req, a)
	default:
		resp.Rcode = dns.RcodeNotImplemented
	}
}

func (s *Server) query(req, resp *dns.Msg) {
	if len(req.Question) != 1 {
		resp.Rcode = dns.RcodeFormatError
		return
	}
	answer := zone.Answer{Rcode: dns.RcodeRefused}
	if q := req.Question[0]; q.Qclass == dns.ClassINET {
		answer = s.zone.Load().Query(q.Name, q.Qtype)
	}
	resp.Rcode = answer.Rcode
	resp.Authoritative = answer.Authoritative
	resp.Answer, resp.Ns = answer.Answer, answer.Authority
	resp.Extra = append(resp.Extra, answer.Additional...)
}

// fit packs the answer. One that is too long is sent without records, so that
// nobody takes a part of an RRset for the whole: with TC over UDP (RFC 2181
// section 9), as SERVFAIL where there is no other way to send it.
func (s *Server) fit(resp *dns.Msg, a auth, limit int) []byte {
	opt := resp.IsEdns0()
	wire, err := s.pack(resp, a)
	if err == nil && len(wire) <= limit {
		return wire
	}
	if err != nil || limit == maxMessage {
		resp.Rcode = dns.RcodeServerFailure
	} else {
		resp.Truncated = true
	}
	resp.Answer, resp.Ns, resp.Extra = nil, nil, nil
	if opt != nil {
		resp.Extra = []dns.RR{opt}
	}
	if wire, err = s.pack(resp, a); err != nil {
		return nil
	}
	return wire
}
