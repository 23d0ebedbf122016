package availability

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/availabilitygroup/ag/event"
)

// queueModel is the plainest queue that does the same: one list, in which the
// oldest of too many other events is looked for.
type queueModel struct{ list []event.Event }

func isOther(e event.Event) bool { return e.Meta().ID != event.NodeRoleChanged }

func (m *queueModel) push(e event.Event) (dropped bool) {
	m.list = append(m.list, e)
	others := 0
	for _, e := range m.list {
		if isOther(e) {
			others++
		}
	}
	if others <= maxQueued {
		return false
	}
	i := slices.IndexFunc(m.list, isOther)
	m.list = slices.Delete(m.list, i, i+1)
	return true
}

func TestProperty_Queue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var m queueModel
		var seq uint64
		push := func(e event.Event) {
			if got, want := q.push(e), m.push(e); got != want {
				t.Fatalf("push of %d dropped: %v, want %v", seq, got, want)
			}
			seq++
		}
		pop := func() {
			if q.next() == nil || len(m.list) == 0 {
				return
			}
			if got, want := q.next().pop().Meta().Seq, m.list[0].Meta().Seq; got != want {
				t.Fatalf("next is %d, want %d", got, want)
			}
			m.list = m.list[1:]
		}
		t.Repeat(map[string]func(*rapid.T){
			"other": func(t *rapid.T) {
				for range rapid.IntRange(1, 100).Draw(t, "n") {
					push(pauseChange(seq))
				}
			},
			"role": func(*rapid.T) { push(roleChange(seq)) },
			"pop": func(t *rapid.T) {
				for range rapid.IntRange(1, 100).Draw(t, "n") {
					pop()
				}
			},
			"clear": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "seldom") == 0 {
					q.clear()
					m.list = nil
				}
			},
			"": func(t *rapid.T) {
				if q.len() != len(m.list) || (q.next() == nil) != (len(m.list) == 0) {
					t.Fatalf("%d queued, want %d", q.len(), len(m.list))
				}
			},
		})
		for len(m.list) > 0 {
			pop()
		}
		if q.len() != 0 {
			t.Fatalf("%d left", q.len())
		}
	})
}
