package httptransport

import (
	"slices"
	"sync"
)

const (
	// maxPeers is more nodes than a record can list.
	maxPeers = 256
	// maxUsed is how many uses of nonces are remembered per peer: 34 a second.
	maxUsed = 4096
	// maxSpare is how many nonces are kept for exchanges that overlap.
	maxSpare = 8
)

// verdict is what a nonce is worth.
type verdict int

const (
	fresh  verdict = iota // good
	stale                 // never used; too old, or none of ours
	reused                // used before, or perhaps
)

// peers is what is known of the other nodes of a group. Only authentic
// messages add to it.
type peers struct {
	mu     sync.Mutex // guards the following
	byID   map[string]*peer
	seq    uint64 // counts the touches
	forgot ticket // the latest nonce used by any peer that was put out
}

type peer struct {
	touched uint64
	keyID   string   // of its last authentic message
	spare   []string // nonces it gave us, newest last
	used    uses
}

// keyID returns the ID of the key of the peer's last authentic message.
func (p *peers) keyID(id string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.byID[id]; known != nil {
		return known.keyID
	}
	return ""
}

// take returns the newest spare nonce, empty if there is none.
func (p *peers) take(id string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.byID[id]
	if known == nil || len(known.spare) == 0 {
		return ""
	}
	last := len(known.spare) - 1
	nonce := known.spare[last]
	known.spare = known.spare[:last]
	return nonce
}

// put keeps a nonce. A full store gives up its oldest.
func (p *peers) put(id, nonce string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.touchLocked(id)
	if len(known.spare) == maxSpare {
		known.spare = slices.Delete(known.spare, 0, 1)
	}
	known.spare = append(known.spare, nonce)
}

// heard notes an authentic message.
func (p *peers) heard(id, keyID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.touchLocked(id).keyID = keyID
}

// use uses a nonce of an authentic request.
func (p *peers) use(id string, k, now ticket) verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.touchLocked(id).used.add(k, now)
}

// spent tells whether a nonce was used. It notes nothing: the request need not
// be authentic.
func (p *peers) spent(id string, k, now ticket) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	used := uses{floor: p.forgot}
	if known := p.byID[id]; known != nil {
		used = known.used
	}
	return used.verdict(k, now) == reused
}

// touchLocked returns a peer, a new one if need be; it then puts out the one
// that was silent for longest. The nonces of a new one count as used up to the
// latest of those that were put out: it may be one of them.
func (p *peers) touchLocked(id string) *peer {
	if p.byID == nil {
		p.byID = map[string]*peer{}
	}
	known := p.byID[id]
	if known == nil {
		if len(p.byID) == maxPeers {
			p.putOutLocked()
		}
		known = &peer{used: uses{floor: p.forgot}}
		p.byID[id] = known
	}
	p.seq++
	known.touched = p.seq
	return known
}

func (p *peers) putOutLocked() {
	var silent string
	for id, known := range p.byID {
		if oldest := p.byID[silent]; oldest == nil || known.touched < oldest.touched {
			silent = id
		}
	}
	p.forgot = max(p.forgot, p.byID[silent].used.latest())
	delete(p.byID, silent)
}

// uses remembers the nonces that one sender has used.
type uses struct {
	floor   ticket   // all up to it count as used
	tickets []ticket // above the floor, ascending
}

// verdict returns what a nonce is worth.
func (u *uses) verdict(k, now ticket) verdict {
	_, found := slices.BinarySearch(u.tickets, k)
	switch {
	case k.age(now) >= nonceKept:
		return stale
	case found, k <= u.floor:
		return reused
	case k.age(now) >= nonceLife:
		return stale
	}
	return fresh
}

// add uses a nonce, if it is good for that.
func (u *uses) add(k, now ticket) verdict {
	v := u.verdict(k, now)
	if v == fresh {
		i, _ := slices.BinarySearch(u.tickets, k)
		u.tickets = slices.Insert(u.tickets, i, k)
		u.forget(now)
	}
	return v
}

// forget drops what needs no memory any more, and what there is no room for.
func (u *uses) forget(now ticket) {
	n := 0
	for n < len(u.tickets) && u.tickets[n].age(now) >= nonceKept {
		n++
	}
	if over := len(u.tickets) - maxUsed; over > n {
		n = over
		u.floor = u.tickets[n-1]
	}
	u.tickets = slices.Delete(u.tickets, 0, n)
}

func (u *uses) latest() ticket {
	if len(u.tickets) == 0 {
		return u.floor
	}
	return u.tickets[len(u.tickets)-1]
}
