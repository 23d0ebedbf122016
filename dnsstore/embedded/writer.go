package embedded

import (
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/zone"
)

// maxBatch bounds the updates that share one sync of the disk.
const maxBatch = 64

// write applies updates, one after the other, until there are no more to come.
// Those that have piled up while the disk was busy are synced together. It is
// the only one that changes the zone.
func (s *Server) write(a *archive) {
	for first := range s.jobs {
		s.commit(gather(first, s.jobs), a)
		a.tidy(s.zone.Load())
	}
}

// gather returns the job and those that wait behind it.
func gather(first *job, waiting <-chan *job) []*job {
	batch := []*job{first}
	for len(batch) < maxBatch {
		select {
		case j, open := <-waiting:
			if !open {
				return batch
			}
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// commit applies a batch: in memory, on the disk, for all to see, and only
// then are the clients answered. If the disk refuses, none of it has happened;
// since each outcome may rest on the updates before it, all get SERVFAIL.
func (s *Server) commit(batch []*job, a *archive) {
	present := s.zone.Load()
	next := present
	var octets []byte
	outcomes := make([]int, len(batch))
	for i, j := range batch {
		var changes []zone.Change
		changes, outcomes[i] = j.apply(next)
		encoded, err := zone.Encode(changes)
		if err != nil {
			outcomes[i] = dns.RcodeServerFailure
			continue
		}
		octets = append(octets, encoded...)
		next = next.With(changes)
	}
	err := a.save(octets, present)
	if err == nil {
		s.zone.Store(next)
	}
	for i, j := range batch {
		if err != nil {
			outcomes[i] = dns.RcodeServerFailure
		}
		j.outcome <- outcomes[i]
	}
}
