package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"
)

// errNotServed: the node that a request was forwarded to said that it is not
// Primary, so it has done nothing of it.
var errNotServed = errors.New("httpapi: the node that was thought to be Primary is not")

// errOvertaken: another node has become Primary before the answer came.
var errOvertaken = errors.New("httpapi: the node that was Primary has not answered, and is not Primary any more")

// crossing is one attempt to have the Primary serve a request.
type crossing struct {
	visit    *visit
	node     string // this one
	primary  string
	to       *url.URL
	cancel   context.CancelFunc
	answered bool  // the Primary has answered, and its answer is passed on
	err      error // why it is not

	asked     atomic.Bool // the transport tells what it does
	connected atomic.Bool // it has had a connection for the request
}

type crossingKey struct{}

func crossingOf(ctx context.Context) *crossing {
	c, ok := ctx.Value(crossingKey{}).(*crossing)
	if !ok { // not reachable: forward has put it there
		return &crossing{visit: &visit{}, to: &url.URL{}}
	}
	return c
}

// unsent: nothing of the request can have left.
func (c *crossing) unsent() bool {
	if dial, ok := errors.AsType[*net.OpError](c.err); ok && dial.Op == "dial" {
		return true
	}
	return c.asked.Load() && !c.connected.Load()
}

// newProxy is the part that all attempts have in common.
func (p *primaryOnly) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport: p.cfg.Transport,
		ErrorLog:  slog.NewLogLogger(p.cfg.Logger.Handler(), slog.LevelDebug),
		Rewrite: func(r *httputil.ProxyRequest) {
			c := crossingOf(r.In.Context())
			r.Out.URL = c.to
			r.SetXForwarded()
			r.Out.Header.Set(ForwardedField, c.node)
			c.visit.prepare(r.Out)
		},
		ModifyResponse: func(r *http.Response) error { return crossingOf(r.Request.Context()).answer(r) },
		ErrorHandler:   func(_ http.ResponseWriter, r *http.Request, err error) { crossingOf(r.Context()).err = err },
	}
}

// answer makes ready what is passed on, or says why it is not.
func (c *crossing) answer(r *http.Response) error {
	if notServed(r) {
		return errNotServed
	}
	if c.visit.news.forget(c) {
		return errOvertaken
	}
	c.answered = true
	c.visit.letGo()
	c.visit.unmark()              // ReverseProxy clears the fields when it has passed on Early Hints
	for field := range r.Header { // the Primary's, not both: it has the same host program
		c.visit.w.Header().Del(field)
	}
	if r.StatusCode != http.StatusSwitchingProtocols {
		r.Header.Set("Connection", "close")
	}
	return nil
}

// notServed knows the answer of a PrimaryOnly that has refused: a Primary's
// own 503 says that it is Primary, in no older term than it was asked for.
func notServed(r *http.Response) bool {
	if r.StatusCode != http.StatusServiceUnavailable {
		return false
	}
	if role := r.Header.Get(RoleField); role == "secondary" || role == "not_in_group" {
		return true
	}
	asked, errAsked := strconv.ParseUint(r.Request.Header.Get(TermField), 10, 64)
	said, errSaid := strconv.ParseUint(r.Header.Get(TermField), 10, 64)
	return errAsked == nil && errSaid == nil && said < asked
}

// forward has the Primary serve the request, and passes its answer on. Until
// that comes, the request keeps its place among those that are held: the
// attempt may be in vain.
func (v *visit) forward(ctx context.Context, id string, to *url.URL) *obstacle {
	if !v.body.rewind() {
		return bodyGone("This node lost the role when the body had been read, and cannot forward it.")
	}
	body := v.offer(true)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &crossing{visit: v, node: v.group.GetNodeState().NodeID, primary: id, to: to, cancel: cancel}
	if idempotent(v.r) {
		v.news.follow(c)
		defer v.news.forget(c)
		if now := v.group.GetNodeState().PrimaryID; now != "" && now != id { // it may have been told before
			return noPrimary()
		}
	}
	ctx = httptrace.WithClientTrace(context.WithValue(ctx, crossingKey{}, c), &httptrace.ClientTrace{
		GetConn: func(string) { c.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { c.connected.Store(true) },
	})
	r := v.r.WithContext(ctx)
	r.Body = body
	v.proxy.ServeHTTP(unasked{v.w}, r)
	if c.err == nil {
		return nil
	}
	v.unmark()
	v.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "a request could not be forwarded",
		slog.String("to", to.Host), slog.String("err", c.err.Error()))
	return v.obstacleOf(c)
}

// obstacleOf says what becomes of a request that was forwarded in vain. It is
// sent again if nobody can have served it, and once if it may be served twice
// (RFC 9110 §9.2.2), provided that its body can be sent again.
func (v *visit) obstacleOf(c *crossing) *obstacle {
	again := v.body.rewind()
	switch {
	case c.answered:
		return &obstacle{status: http.StatusBadGateway, kind: "answer", detail: "The answer of the Primary cannot be passed on."}
	case errors.Is(c.err, errNotServed) && again:
		return unavailable("no_primary", "The node that was thought to be Primary is not.").pass()
	case c.unsent() && again:
		return unavailable("unreachable", "The Primary cannot be reached.").pass()
	case errors.Is(c.err, errNotServed), c.unsent():
		return bodyGone("Nobody has served the request, but too much of its body was read for another attempt.")
	}
	no := &obstacle{
		status: http.StatusBadGateway, kind: "unknown_end",
		detail: "The Primary did not answer. It may have served the request, or not.",
	}
	no.passing = again && !v.tried && idempotent(v.r)
	v.tried = true
	v.wait.anew()
	return no
}

// idempotent: RFC 9110 §9.2.2, or the client says so, as net/http has it.
func idempotent(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return r.Header.Get("Idempotency-Key") != "" || r.Header.Get("X-Idempotency-Key") != ""
}
