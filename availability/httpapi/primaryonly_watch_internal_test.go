package httpapi

import (
	"errors"
	"net/http"
	"testing"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/event"
)

// News may be older than an attempt: it ends those alone that wait for another
// node than the present Primary.
func TestWatch_Overtake(t *testing.T) {
	t.Parallel()
	present := "c"
	w := newWatch(clock.New(), func() string { return present })
	canceled := map[string]int{}
	attempts := map[string]*crossing{}
	for _, id := range []string{"a", "b", "c", "over"} {
		attempts[id] = &crossing{primary: id, cancel: func() { canceled[id]++ }}
		w.follow(attempts[id])
	}
	w.forget(attempts["over"])
	w.hear(t.Context(), event.PauseChange{})
	present = ""
	w.hear(t.Context(), event.PrimaryChange{})
	if len(canceled) > 0 {
		t.Errorf("ended without another Primary: %v", canceled)
	}
	present = "c"
	w.hear(t.Context(), event.PrimaryChange{Previous: "b", New: "a"})
	for id, want := range map[string]bool{"a": true, "b": true, "c": false, "over": false} {
		if got := w.forget(attempts[id]); got != want || (canceled[id] == 1) != want {
			t.Errorf("an attempt at %s: overtaken %t, canceled %d times", id, got, canceled[id])
		}
	}
	late := &crossing{visit: &visit{primaryOnly: &primaryOnly{news: w}}, primary: "a", cancel: func() {}}
	w.follow(late)
	w.hear(t.Context(), event.PrimaryChange{})
	answer := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: &http.Request{}}
	if err := late.answer(answer); !errors.Is(err, errOvertaken) || late.answered {
		t.Errorf("an answer to an attempt that was ended: %v", err)
	}
	if len(w.waiting) > 0 {
		t.Errorf("%d attempts are left", len(w.waiting))
	}
}
