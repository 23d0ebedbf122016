package availability

import "github.com/availabilitygroup/ag/event"

// maxQueued is how many events other than role changes wait for a subscriber.
const maxQueued = 256

// queue is what waits for one subscriber, in order. Role changes stand apart,
// since they are never dropped.
type queue struct {
	pushed       uint64
	roles, other fifo
}

type numbered struct {
	number uint64
	event  event.Event
}

// push adds e, and tells whether that pushed the oldest of the other events out.
func (q *queue) push(e event.Event) (dropped bool) {
	q.pushed++
	n := numbered{number: q.pushed, event: e}
	if _, ok := e.(event.RoleChange); ok {
		q.roles = append(q.roles, n)
		return false
	}
	if len(q.other) == maxQueued {
		q.other.pop()
		dropped = true
	}
	q.other = append(q.other, n)
	return dropped
}

// next returns the queue that the oldest event is in, nil if there is none.
func (q *queue) next() *fifo {
	switch {
	case len(q.roles) == 0 && len(q.other) == 0:
		return nil
	case len(q.other) == 0 || len(q.roles) > 0 && q.roles[0].number < q.other[0].number:
		return &q.roles
	default:
		return &q.other
	}
}

func (q *queue) len() int { return len(q.roles) + len(q.other) }

func (q *queue) clear() { q.roles, q.other = nil, nil }

// fifo is a first-in first-out list; append adds to it.
type fifo []numbered

// pop takes the oldest off; there must be one.
func (f *fifo) pop() event.Event {
	e := (*f)[0].event
	(*f)[0] = numbered{} // lets go of it before the array goes
	*f = (*f)[1:]
	return e
}
