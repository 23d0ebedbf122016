package main

import (
	"fmt"
	"time"
)

// tenure is the time for which a node was seen to be Primary in one term.
type tenure struct {
	id          string
	term        uint64
	first, last time.Time
}

// noteLocked takes one look at a Primary, and compares it with what was seen of
// the others.
func (w *watcher) noteLocked(t tenure) {
	for i := range w.tenures {
		known := &w.tenures[i]
		if known.id == t.id && known.term == t.term {
			known.last = t.last
			t = *known
		}
	}
	for _, other := range w.tenures {
		if other.id != t.id && other.first.Before(t.last) && t.first.Before(other.last) {
			w.overlaps = append(w.overlaps, fmt.Sprintf("%s and %s at %s", t.id, other.id, t.last.Format(time.StampMilli)))
		}
	}
	if t.first.Equal(t.last) {
		w.tenures = append(w.tenures, t)
	}
}
