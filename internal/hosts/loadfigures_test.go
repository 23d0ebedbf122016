//go:build linux

package hosts_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// figures are what became of the requests of a load.
type figures struct {
	requests, served, redirected, refused, failed, unsent int
	gap, p50, p99                                         time.Duration
}

func (f figures) String() string {
	return fmt.Sprintf("requests %d, served %d (redirected %d), refused %d, failed %d, not sent %d, longest gap %d ms, p50 %d ms, p99 %d ms",
		f.requests, f.served, f.redirected, f.refused, f.failed, f.unsent, f.gap.Milliseconds(), f.p50.Milliseconds(), f.p99.Milliseconds())
}

// count makes them up.
func countRequests(all []request) figures {
	f := figures{requests: len(all)}
	var took []time.Duration
	var ends []time.Time
	for _, r := range all {
		switch {
		case r.status == http.StatusOK:
			f.served++
			took = append(took, r.answered.Sub(r.sent))
			ends = append(ends, r.answered)
			if r.redirected {
				f.redirected++
			}
		case r.refused():
			f.refused++
		case errors.Is(r.err, errTooMany):
			f.unsent++
		default:
			f.failed++
		}
	}
	slices.Sort(took)
	slices.SortFunc(ends, time.Time.Compare)
	for i := 1; i < len(ends); i++ {
		f.gap = max(f.gap, ends[i].Sub(ends[i-1]))
	}
	if n := len(took); n > 0 {
		f.p50, f.p99 = took[n/2], took[n*99/100]
	}
	return f
}

// refused tells whether the answer says that nothing was done, and when to come
// again.
func (r request) refused() bool {
	return r.status == http.StatusServiceUnavailable && r.retryAfter != ""
}

// judgeRequests returns what is wrong with the answers, in the light of what
// the ledger has: each request is there once at most, if it was served in the
// term and by the node that the answer says, and if it was refused not at all.
func judgeRequests(all []request, entries []entry) []string {
	var wrong []string
	kept := map[string]entry{}
	for _, e := range entries {
		if !e.accepted || e.id == "" {
			continue
		}
		if was, ok := kept[e.id]; ok {
			wrong = append(wrong, fmt.Sprintf("SERVED TWICE: request %s by %s in term %d and by %s in term %d", e.id, was.node, was.term, e.node, e.term))
		}
		kept[e.id] = e
	}
	for _, r := range all {
		e, ok := kept[r.id]
		switch {
		case r.status == http.StatusOK && (!ok || e.node != r.written.Node || e.term != r.written.Term || r.written.ID != r.id):
			wrong = append(wrong, fmt.Sprintf("WRONG ANSWER: request %s: the client has %+v, the ledger %+v", r.id, r.written, e))
		case r.status == http.StatusServiceUnavailable && ok:
			wrong = append(wrong, fmt.Sprintf("SERVED AND REFUSED: request %s by %s in term %d: %v", r.id, e.node, e.term, r.err))
		}
	}
	return wrong
}

// lost returns the requests that a planned failover has lost: all must be
// served, but for those at a path that is refused elsewhere.
func lost(all []request) []string {
	var wrong []string
	for _, r := range all {
		if r.status == http.StatusOK || r.path == reminders && r.refused() || errors.Is(r.err, errTooMany) {
			continue
		}
		wrong = append(wrong, fmt.Sprintf("LOST: request %s to %s, sent %s, after %v: %v",
			r.id, r.path, r.sent.Format("15:04:05.000"), r.answered.Sub(r.sent), r.err))
	}
	return wrong
}
