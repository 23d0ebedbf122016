package embedded

import (
	"log/slog"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/zone"
)

// maxWaiting bounds the updates that wait for the writer.
const maxWaiting = 512

// job is an update on its way through the writer. It always gets an outcome.
type job struct {
	key           *key
	prerequisites []dns.RR
	updates       []dns.RR
	outcome       chan int // a response code; has room for one
}

// update carries out an UPDATE and returns the response code. What needs no
// state is checked here, all else by the writer.
func (s *Server) update(req *dns.Msg, a auth) int {
	if !a.signed() {
		return dns.RcodeRefused
	}
	if rcode := checkZone(req.Question, s.initial.Apex()); rcode != dns.RcodeSuccess {
		return rcode
	}
	j := &job{key: a.key, prerequisites: req.Answer, updates: req.Ns, outcome: make(chan int, 1)}
	select {
	case s.jobs <- j:
	default:
		// The disk is far behind. An answer at once is better than a queue in
		// which every client has given up before its turn.
		return dns.RcodeServerFailure
	}
	rcode := <-j.outcome
	s.log.Debug("update", slog.String("key", a.key.name), slog.String("rcode", dns.RcodeToString[rcode]))
	return rcode
}

// checkZone checks the zone section (RFC 2136 section 3.1).
func checkZone(section []dns.Question, apex string) int {
	switch {
	case len(section) != 1 || section[0].Qtype != dns.TypeSOA:
		return dns.RcodeFormatError
	case section[0].Qclass != dns.ClassINET || dns.CanonicalName(section[0].Name) != apex:
		return dns.RcodeNotAuth
	}
	return dns.RcodeSuccess
}

// apply returns what the update changes in z, and the response code if it is
// applied. The order of the checks is that of RFC 2136 section 3.
func (j *job) apply(z *zone.Zone) ([]zone.Change, int) {
	if rcode := z.Check(j.prerequisites); rcode != dns.RcodeSuccess {
		return nil, rcode
	}
	if rcode := z.Prescan(j.updates); rcode != dns.RcodeSuccess {
		return nil, rcode
	}
	for _, rr := range j.updates {
		if !j.key.policy.permits(z, rr) {
			return nil, dns.RcodeRefused
		}
	}
	changes, err := z.Update(j.updates)
	if err != nil {
		return nil, dns.RcodeFormatError
	}
	return changes, dns.RcodeSuccess
}
