package agclient

import (
	"maps"
	"sync"
	"time"
)

const (
	// leastRest is between two look-ups, also if the first found something.
	leastRest = 50 * time.Millisecond
	// mostRest is between two look-ups while members answer that they are not
	// Primary.
	mostRest = time.Second
)

// view is what a look-up found.
type view struct {
	place     place
	term      uint64    // 0: not known
	confirmed bool      // the node at the place said that it is Primary
	number    uint64    // of the look-up
	at, until time.Time // when it was found, and how long it is good
}

// better tells whether a request that failed in one view may be sent again in
// this one.
func (v view) better(failed view) bool {
	return v.number > failed.number && v.place != anywhere && (v.place != failed.place || v.confirmed)
}

// finding is the end of one look-up.
type finding struct {
	place     place
	term      uint64
	confirmed bool
	ttl       time.Duration // of the group; negative: not known
	members   []member      // of the record; nil: not known
	answered  bool          // by the store or by a member
	err       error         // of the store
}

// knowledge is what the client knows. It does no I/O.
type knowledge struct {
	trust time.Duration

	mu           sync.Mutex // guards the following
	view         view
	term         uint64              // the highest seen
	ttl          time.Duration       // negative: not known
	members      []member            // of the record that was read last
	hint         member              // whom a redirect named
	suspects     map[place]time.Time // who failed, and until when that counts
	begun, ended uint64              // look-ups
	rest         time.Time           // no look-up before
	fruitless    int                 // look-ups in a row
}

// present is the view, whether a look-up is due, how long that has to wait, and
// the number that it must have at least to be newer than the view.
func (k *knowledge) present(now time.Time) (v view, due bool, wait time.Duration, need uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.view, !now.Before(k.view.until), k.rest.Sub(now), k.ended + 1
}

// again is the view, how long the next look-up has to wait, and the number of
// one that has not begun.
func (k *knowledge) again(now time.Time) (v view, wait time.Duration, need uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.view, k.rest.Sub(now), k.begun + 1
}

// begin numbers a look-up, unless one with that number has ended.
func (k *knowledge) begin(need uint64) (number uint64, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended >= need {
		return 0, false
	}
	k.begun++
	return k.begun, true
}

// known is what a look-up starts from.
type known struct {
	term     uint64
	members  []member
	hint     member
	suspects map[place]time.Time
}

func (k *knowledge) known(now time.Time) known {
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.suspects, func(_ place, until time.Time) bool { return !now.Before(until) })
	return known{term: k.term, members: k.members, hint: k.hint, suspects: maps.Clone(k.suspects)}
}

// finish takes in what a look-up found, and returns the views before and after.
func (k *knowledge) finish(number uint64, f finding, now time.Time) (was, is view, fruitless int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	was = k.view
	k.ended = number
	k.term = max(k.term, f.term)
	if f.members != nil {
		k.members = f.members
	}
	if f.ttl >= 0 {
		k.ttl = f.ttl
	}
	if f.confirmed {
		delete(k.suspects, f.place)
	}
	rest := k.pauseLocked(f)
	k.rest = now.Add(rest)
	k.view = view{place: f.place, term: f.term, confirmed: f.confirmed, number: number, at: now, until: k.rest}
	if f.place != anywhere {
		k.view.until = now.Add(k.goodForLocked())
	}
	return was, k.view, k.fruitless
}

// pauseLocked is how long the next look-up has to wait.
func (k *knowledge) pauseLocked(f finding) time.Duration {
	if f.place != anywhere {
		k.fruitless = 0
		return leastRest
	}
	limit := mostRest
	if !f.answered {
		limit = k.goodForLocked()
	}
	rest := min(leastRest<<min(k.fruitless, 20), limit)
	k.fruitless++
	return rest
}

// goodForLocked is how long a finding is trusted, and a failure held against
// somebody.
func (k *knowledge) goodForLocked() time.Duration {
	if k.ttl < 0 {
		return max(k.trust, leastRest)
	}
	return max(min(k.trust, k.ttl), leastRest)
}

// connAge is the group's TTL if it is known and not zero.
func (k *knowledge) connAge() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ttl
}

// highest is the highest term that was seen.
func (k *knowledge) highest() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.term
}

// hear notes the term of an answer.
func (k *knowledge) hear(term uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.term = max(k.term, term)
}

// heed notes a node that a redirect named, to be asked for its role.
func (k *knowledge) heed(m member) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hint = m
}

// suspect holds a failure against the place of a view. What was found after
// that view stays.
func (k *knowledge) suspect(v view, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.view.number != v.number {
		return
	}
	if v.place != anywhere {
		if k.suspects == nil {
			k.suspects = make(map[place]time.Time)
		}
		k.suspects[v.place] = now.Add(k.goodForLocked())
	}
	k.view.place, k.view.confirmed, k.view.until = anywhere, false, now
}

// doubt ends a view early, since there is a sign that the Primary has moved.
// Some servers give that sign with each answer: a second is the least.
func (k *knowledge) doubt(v view) {
	k.mu.Lock()
	defer k.mu.Unlock()
	soonest := k.view.at.Add(mostRest)
	if k.view.number == v.number && soonest.Before(k.view.until) {
		k.view.until = soonest
	}
}
