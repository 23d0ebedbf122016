package journal

import (
	"encoding/binary"
	"hash/crc32"
)

// magic begins each file; its last octet but one is the version of the format.
const magic = "AGZONE1\n"

// An entry is framed as
//
//	length of payload  4 octets
//	number             8 octets, one more than that of the entry before
//	checksum of these  4 octets, CRC-32C
//	checksum of payload 4 octets, CRC-32C
//	payload
//
// all numbers big endian. The header has a checksum of its own, so that a
// damaged length is not taken for the length of an unfinished entry.
const headerSize = 20

func checksum(octets []byte) uint32 {
	return crc32.Checksum(octets, crc32.MakeTable(crc32.Castagnoli))
}

func frame(number uint64, payload []byte) []byte {
	out := make([]byte, 0, headerSize+len(payload))
	out = binary.BigEndian.AppendUint32(out, uint32(len(payload)))
	out = binary.BigEndian.AppendUint64(out, number)
	out = binary.BigEndian.AppendUint32(out, checksum(out))
	out = binary.BigEndian.AppendUint32(out, checksum(payload))
	return append(out, payload...)
}

// unframe returns the entry at the start of octets, and ok if it is whole.
func unframe(octets []byte) (number uint64, payload []byte, ok bool) {
	if len(octets) < headerSize || checksum(octets[:12]) != binary.BigEndian.Uint32(octets[12:]) {
		return 0, nil, false
	}
	length := int64(binary.BigEndian.Uint32(octets))
	if length > int64(len(octets)-headerSize) {
		return 0, nil, false
	}
	payload = octets[headerSize : headerSize+length]
	if checksum(payload) != binary.BigEndian.Uint32(octets[16:]) {
		return 0, nil, false
	}
	return binary.BigEndian.Uint64(octets[4:]), payload, true
}

// contents is what is found in a file.
type contents struct {
	entries [][]byte
	size    int64  // up to the end of the last whole entry
	number  uint64 // of the last whole entry
}

// parse reads a file. Its error is nil or ErrCorrupt.
func parse(octets []byte) (contents, error) {
	if len(octets) < len(magic) || string(octets[:len(magic)]) != magic {
		return contents{}, ErrCorrupt
	}
	c := contents{size: int64(len(magic))}
	for rest := octets[len(magic):]; len(rest) > 0; rest = octets[c.size:] {
		number, payload, ok := unframe(rest)
		if !ok && followed(rest[1:]) || ok && c.number != 0 && number != c.number+1 {
			return contents{}, ErrCorrupt
		}
		if !ok {
			break
		}
		c.entries = append(c.entries, payload)
		c.size += int64(headerSize + len(payload))
		c.number = number
	}
	// The first entry was in the file before the file had its name.
	if len(c.entries) == 0 {
		return contents{}, ErrCorrupt
	}
	return c, nil
}

// followed tells whether a whole entry begins anywhere in octets.
func followed(octets []byte) bool {
	for i := range octets {
		if _, _, ok := unframe(octets[i:]); ok {
			return true
		}
	}
	return false
}
