package rfc2136

import (
	"time"

	"github.com/miekg/dns"
)

// ForgetAge makes all known addresses old, which would take a minute.
func ForgetAge(s *Store) {
	s.addresses.mu.Lock()
	defer s.addresses.mu.Unlock()
	for name, e := range s.addresses.known {
		e.at = e.at.Add(-time.Hour)
		s.addresses.known[name] = e
	}
}

// Accepts tells whether octets would be taken for the answer to a message that
// s signs, and returns that message's octets to make such an answer from.
func Accepts(s *Store, m *dns.Msg) (wire []byte, accepts func(raw []byte) bool, err error) {
	r, err := s.sign(m, true)
	if err != nil {
		return nil, nil, err
	}
	return r.wire, func(raw []byte) bool {
		a, said := r.accept(raw)
		_ = said.String()
		_ = s.guess(said)
		if a != nil {
			a.badTime()
		}
		return a != nil
	}, nil
}

// AcceptsUnsigned is the same for the answers of a resolver.
func AcceptsUnsigned(id uint16, question dns.Question, raw []byte) bool {
	r := &request{id: id, question: question}
	a, _ := r.accept(raw)
	return a != nil
}

// FindTSIG walks over a message.
func FindTSIG(raw []byte) (at int, found bool, err error) { return findTSIG(raw) }

// SystemResolvers reads a file such as resolv.conf(5) describes.
func SystemResolvers(file string) (string, error) {
	hs, err := systemResolvers(file)
	return hs.String(), err
}
