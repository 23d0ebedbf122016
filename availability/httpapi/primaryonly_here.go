package httpapi

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// enterWithin bounds the wait for a tenure that the role promises: it begins a
// moment after the role shows, and may have ended a moment ago.
const enterWithin = 20 * time.Millisecond

// enter joins the present tenure, whose end then waits for leave. It does not
// wait to become Primary.
func (p *primaryOnly) enter(ctx context.Context) (tenure context.Context, term uint64, leave func()) {
	if !p.group.IsPrimary() {
		return nil, 0, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	alarm := p.cfg.Clock.AfterFunc(enterWithin, cancel)
	tenure, done, err := p.group.PrimaryContext(ctx)
	if err != nil {
		alarm.Stop()
		cancel()
		return nil, 0, nil
	}
	leave = func() { done(); cancel() }
	if !alarm.Stop() { // ctx has ended, or will
		leave()
		return nil, 0, nil
	}
	// The tenure may be one whose end nobody has noticed yet.
	term, err = p.group.Guard(tenure)
	if err != nil {
		leave()
		return nil, 0, nil
	}
	return tenure, term, leave
}

// here serves the request if this node is Primary.
func (v *visit) here(ctx context.Context) (served bool, no *obstacle) {
	tenure, term, leave := v.enter(ctx)
	switch {
	case leave == nil:
		return false, nil
	case term <= v.passedOn, !v.body.rewind(): // a later tenure, and too late for the body
		leave()
		return false, nil
	case v.asked > term:
		leave() // what follows may take a while
		return false, v.doubt(ctx, term)
	}
	defer leave()
	v.letGo()
	out := &passing{}
	r := v.r.WithContext(context.WithValue(tenure, passingKey{}, out))
	r.Body = v.offer(false)
	v.mark(event.RolePrimary, term)
	v.next.ServeHTTP(v.w, r)
	if !out.on.Load() {
		return true, nil
	}
	v.passedOn = term
	v.wait.anew()
	v.unmark()
	return false, nil
}

// mark sets the fields that tell who answers.
func (v *visit) mark(role event.Role, term uint64) {
	h := v.w.Header()
	h.Set(RoleField, string(role))
	if term != 0 {
		h.Set(TermField, strconv.FormatUint(term, 10))
	}
}

// unmark takes back what was set for an answer that is not given.
func (v *visit) unmark() {
	h := v.w.Header()
	clear(h)
	maps.Copy(h, v.given)
}

// passing is what the handler has said about a request.
type passing struct{ on atomic.Bool }

type passingKey struct{}

// PassOn says that the handler behind [PrimaryOnly] has done nothing of what r
// asks for and will not, since its node is no longer Primary: from the moment
// that it returns, r goes the way of a request that has just come to a node
// that is not. That way a request that came just before a planned failover is
// not lost:
//
//	if _, err := g.Guard(r.Context()); err != nil && httpapi.PassOn(r) {
//		return
//	}
//
// The handler must not have written anything of an answer; the fields that it
// has set are dropped. If it has read of the body, the request can be
// redirected, but not be forwarded, nor be served here again. PassOn returns
// false, and does nothing, for a request that did not come through PrimaryOnly
// to the Primary.
func PassOn(r *http.Request) bool {
	out, ok := r.Context().Value(passingKey{}).(*passing)
	if ok {
		out.on.Store(true)
	}
	return ok
}
