package agclient

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/availabilitygroup/ag/event"
)

// end is how an attempt ended.
type end int

const (
	served    end = iota // there is an answer, of whatever status
	refused              // there is an answer, and it says that nothing was done
	unreached            // nothing was sent
	broken               // something may have been sent, and no answer came
)

// attempt is one sending of a request.
type attempt struct {
	view     view
	end      end
	response *http.Response
	err      error
}

// RoundTrip sends a request to the Primary of the group if the host of its URL
// is the name of the group, else as Base does. It sends it a second time if the
// first did not succeed and that does no harm; see Retries in the package
// comment. An answer that is returned has the status that a node sent, also
// 307 and 503 of one that is not Primary. The errors are those of
// http.Transport.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL == nil || r.Header == nil || !c.concerns(r.URL.Hostname()) {
		return c.cfg.Base.RoundTrip(r)
	}
	first := c.try(r, c.primary(r.Context()))
	c.learn(r, first)
	if first.end == served {
		return first.response, nil
	}
	again, next, ok := c.retry(r, first)
	if !ok {
		return first.response, first.err
	}
	if first.response != nil {
		first.response.Body.Close()
	}
	second := c.try(again, next)
	c.learn(again, second)
	if second.response != nil {
		second.response.Request = r
	}
	return second.response, second.err
}

// try sends a request to the place of a view.
func (c *Client) try(r *http.Request, v view) attempt {
	p := c.pool(v.place)
	send := p.RoundTrip
	if recallable(r) {
		send = p.send
	}
	response, err := send(c.withTerm(r)) //nolint:bodyclose // RoundTrip returns it, or closes it
	if err != nil {
		return failure(v, err)
	}
	no := isRefusal(response, termOf(response.Request.Header))
	response.Request = r
	if no {
		return attempt{view: v, end: refused, response: response}
	}
	return attempt{view: v, end: served, response: response}
}

// failure is an attempt without an answer. The error is that of the dialer, as
// http.Transport has it.
func failure(v view, err error) attempt {
	if none, ok := errors.AsType[*unreachedError](err); ok {
		return attempt{view: v, end: unreached, err: none.err}
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return attempt{view: v, end: unreached, err: err} // the address belongs to somebody else now
	}
	return attempt{view: v, end: broken, err: err}
}

// lost tells whether an error is that of a connection, and not, say, one of
// the caller's body.
func lost(err error) bool {
	_, ok := errors.AsType[net.Error](err)
	return ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// withTerm is the request with the highest known term.
func (c *Client) withTerm(r *http.Request) *http.Request {
	term := c.know.highest()
	if _, ok := r.Header[headerTerm]; ok || term == 0 {
		return r
	}
	sent := r.WithContext(r.Context()) // a shallow copy: the caller's is not changed
	sent.Header = r.Header.Clone()
	sent.Header.Set(headerTerm, strconv.FormatUint(term, 10))
	return sent
}

// isRefusal tells whether a node says that it has not done what the request
// asks for, since it is not Primary, or is Primary in an older term than sent,
// the one that the request had seen. What a Primary serves has no older term.
func isRefusal(r *http.Response, sent uint64) bool {
	switch r.StatusCode {
	case http.StatusTemporaryRedirect:
		return elsewhere(r)
	case http.StatusServiceUnavailable:
		said := termOf(r.Header)
		return elsewhere(r) || said > 0 && said < sent
	}
	return false
}

// elsewhere tells whether the node that answers is not Primary.
func elsewhere(r *http.Response) bool {
	said := event.Role(r.Header.Get(headerRole))
	return said == event.RoleSecondary || said == event.RoleNotInGroup
}

// learn takes in what an attempt shows of the Primary.
func (c *Client) learn(r *http.Request, a attempt) {
	if a.response != nil {
		c.know.hear(termOf(a.response.Header))
	}
	switch a.end {
	case served:
		if c.moving(r, a) {
			c.know.doubt(a.view)
		}
		return
	case refused:
		if m, ok := redirected(a.response, c.cfg.RolePath); ok {
			c.know.heed(m)
		}
	case unreached, broken:
		switch err := r.Context().Err(); {
		case errors.Is(err, context.Canceled):
			return
		case err != nil, a.end == broken && !lost(a.err):
			c.know.doubt(a.view)
			return
		}
	}
	c.know.suspect(a.view, c.cfg.Clock.Now())
	c.pools.drop(a.view.place)
}

// moving tells whether an answer is a sign that the Primary is another one now:
// a node that passes requests on says who it is, a node after a demotion closes
// its connections, and a new Primary has a new term.
func (c *Client) moving(r *http.Request, a attempt) bool {
	closes := a.response.Close && !r.Close && !c.cfg.Base.DisableKeepAlives
	later := a.view.term > 0 && termOf(a.response.Header) > a.view.term
	return closes || later || elsewhere(a.response)
}

// redirected is the node that a refusal names as Primary.
func redirected(r *http.Response, rolePath string) (member, bool) {
	if r.StatusCode != http.StatusTemporaryRedirect {
		return member{}, false
	}
	u, err := r.Location()
	if err != nil || !u.IsAbs() {
		return member{}, false
	}
	m, err := memberAt(&url.URL{Scheme: u.Scheme, Host: u.Host}, rolePath)
	return m, err == nil && (u.Scheme == "http" || u.Scheme == "https")
}

// retry is the request to send again and where to, if it may be.
func (c *Client) retry(r *http.Request, a attempt) (*http.Request, view, bool) {
	ctx := r.Context()
	if ctx.Err() != nil || !rewindable(r) || a.end == broken && !idempotent(r) {
		return nil, view{}, false
	}
	patience := leastRest
	if a.end == refused {
		patience = max(c.cfg.Patience, leastRest)
	}
	next, ok := c.another(ctx, a.view, patience)
	if !ok && a.end == unreached && a.view.place != anywhere && ctx.Err() == nil {
		next, ok = view{number: a.view.number}, true // as if nothing were known
	}
	if !ok {
		return nil, view{}, false
	}
	again, ok := rewound(r)
	return again, next, ok
}

// rewindable tells whether the body can be had a second time.
func rewindable(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// rewound is the request with its body from the beginning.
func rewound(r *http.Request) (*http.Request, bool) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, true
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, false
	}
	again := r.WithContext(r.Context())
	again.Body = body
	return again, true
}

// idempotent tells whether a request that was perhaps carried out may be sent
// again (RFC 9110 §9.2.2).
func idempotent(r *http.Request) bool {
	methods := []string{
		"", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete,
	}
	if slices.Contains(methods, r.Method) {
		return true
	}
	_, key := r.Header["Idempotency-Key"]
	_, old := r.Header["X-Idempotency-Key"]
	return key || old
}
