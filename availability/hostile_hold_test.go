package availability_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// garble spoils every answer of a node.
func garble(n *wiredNode) {
	n.attack(func(w http.ResponseWriter, r *http.Request, to http.Handler) {
		answer := httptest.NewRecorder()
		to.ServeHTTP(answer, r)
		w.Header().Set("Ag-Peer", answer.Header().Get("Ag-Peer"))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(append(answer.Body.Bytes(), ' '))
	})
}

// holder keeps signed messages that have never arrived.
type holder struct {
	mu   sync.Mutex
	held []*http.Request // guarded by mu
}

// pass lets the contact through that brings a sender its nonces, and keeps the
// messages that are signed with one.
func (h *holder) pass(w http.ResponseWriter, r *http.Request, to http.Handler) {
	if strings.Contains(r.Header.Get("Ag-Peer"), ";nonce=;") {
		to.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	kept := r.Clone(r.Context())
	kept.Body = io.NopCloser(bytes.NewReader(body))
	h.mu.Lock()
	if len(h.held) == 0 || h.held[len(h.held)-1].Header.Get("Ag-Peer") != r.Header.Get("Ag-Peer") { // not the same on another connection
		h.held = append(h.held, kept)
	}
	h.mu.Unlock()
	panic(http.ErrAbortHandler) // closes the connection
}

func (h *holder) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.held)
}

// next delivers the message that was held for the shortest time, and returns
// the status of the answer; 0: there is none left.
func (h *holder) next(t *testing.T, to http.Handler) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.held) == 0 {
		return 0
	}
	last := len(h.held) - 1
	r := h.held[last].WithContext(t.Context())
	h.held = h.held[:last]
	answer := httptest.NewRecorder()
	to.ServeHTTP(answer, r)
	return answer.Code
}

// TestHostileHeldUp has somebody on the path who holds up the heartbeats of a
// Primary, and delivers one now and then after its death. Each of them is
// authentic and new, so it brings a promise; but no longer than its nonce
// lives, which is half a minute: here five seconds, by a clock that runs faster.
func TestHostileHeldUp(t *testing.T) {
	t.Parallel()
	const w, nonceLife, faster = 2400 * time.Millisecond, 5 * time.Second, 6
	l := newWired(t, w)
	begin := time.Now()
	l.now = func() time.Time { return begin.Add(faster * time.Since(begin)) }
	a, b := l.pair()
	var h holder
	b.attack(h.pass)
	l.until("some heartbeats are held up", func() bool { return h.count() >= 12 })
	if !a.IsPrimary() {
		t.Fatal("a is not Primary: it could not reach the other node, but the store")
	}
	a.faulty.Cut()
	b.attack(func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) })
	died := time.Now()

	tick := time.NewTicker(w / 2)
	defer tick.Stop()
	delivered := map[int]int{}
	for !b.IsPrimary() && time.Since(died) < 30*time.Second {
		select {
		case <-tick.C:
			delivered[h.next(t, b.transport)]++
		case <-time.After(time.Millisecond):
		}
	}
	took := time.Since(died)
	t.Logf("b is Primary %v after the death of a, W = %v; answers to what was held up, by status: %v", took, w, delivered)
	if a.IsPrimary() {
		t.Error("a is Primary, too")
	}
	if delivered[http.StatusOK] == 0 {
		t.Error("nothing that was held up has arrived: the test shows nothing")
	}
	if most := nonceLife + w + w/2; took > most {
		t.Errorf("b is Primary after %v, want %v at most", took, most)
	}
}
