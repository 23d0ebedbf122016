package rfc2136

import (
	"encoding/binary"
	"io"

	"github.com/miekg/dns"
)

const (
	opcodeQuery = dns.OpcodeQuery
	maxMessage  = 65535
)

// frame puts the length before a message (RFC 1035 section 4.2.2), so that
// both go out in one write.
func frame(wire []byte) []byte {
	return append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(wire)), uint16(len(wire))), wire...)
}

// readFrame reads one message.
func readFrame(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	raw := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, err
	}
	return raw, nil
}
