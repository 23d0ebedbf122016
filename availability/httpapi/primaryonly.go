package httpapi

import (
	"context"
	"crypto/tls"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

// The fields of HTTP that [PrimaryOnly] sets and understands.
const (
	// TermField has, in an answer, the term in which the request was served;
	// in one that says that it was not, the highest term that the node knows.
	// In a request it is the highest term that the client has seen in answers.
	TermField = "Ag-Term"
	// RoleField has, in an answer, the role in which the node gave it.
	RoleField = "Ag-Role"
	// ForwardedField has, in a request, the ID of the node that forwarded it.
	ForwardedField = "Ag-Forwarded-By"
)

// Elsewhere is what becomes of a request at a node that is not Primary.
type Elsewhere string

// What can become of it. Any other value refuses.
const (
	// ElsewhereRedirect answers 307 with the Primary's own address. The default.
	ElsewhereRedirect Elsewhere = "redirect"
	// ElsewhereForward sends it to the Primary, and its answer back.
	ElsewhereForward Elsewhere = "forward"
	// ElsewhereRefuse answers 503 with Retry-After.
	ElsewhereRefuse Elsewhere = "refuse"
)

// PrimaryOnlyConfig is how [PrimaryOnly] works. The zero value redirects.
type PrimaryOnlyConfig struct {
	// Elsewhere is what becomes of a request at a node that is not Primary;
	// empty means ElsewhereRedirect.
	Elsewhere Elsewhere
	// SafeMethods lets a Secondary serve GET, HEAD, OPTIONS and TRACE (RFC 9110
	// §9.2.1), but no change of the protocol. What it answers may be old.
	SafeMethods bool
	// BaseURL is where clients, and forwarding nodes, reach a member: scheme,
	// host and port, and perhaps a path that is put in front of that of the
	// request. Nil, and a nil URL, mean the member's URL in the record. It is
	// called for each request that is redirected or forwarded, concurrently.
	BaseURL func(availability.Member) *url.URL
	// Transport carries forwarded requests. Nil means a transport of its own,
	// of HTTP/1.1, without a proxy of the environment. It is used as it is: an
	// http.Transport should have an ExpectContinueTimeout above HoldFor, or a
	// node that refuses a body of more than 64 KiB, or of unknown length, has
	// been sent it, and it is lost (body_gone).
	Transport http.RoundTripper
	// TLS is for a nil Transport. Where it has no ServerName, a member that is
	// reached by its address has to prove that it is the group's FQDN.
	TLS *tls.Config
	// HoldFor is how long a request is held, all in all, while it is not known
	// who is Primary. It is counted from the first obstacle on, and anew when
	// somebody has worked on the request; to try again takes of it. 0 means
	// W/4, but at most the stop budget of 0.075·W and two seconds; negative:
	// not at all. ElsewhereRefuse holds none.
	HoldFor time.Duration
	// HoldLimit is how many requests are held at one time, each with up to
	// 64 KiB of its body; 0 means 1024, negative none.
	HoldLimit int
	// Clock is the time; nil means the system's. Only the interface is used.
	Clock clock.Clock
	// Logger is where it is logged that requests cannot be forwarded, and that
	// this node's role is in doubt; nil means nowhere.
	Logger *slog.Logger
}

// PrimaryOnly serves requests by next on the Primary, and elsewhere sends them
// to it; the package comment tells how. The context of a request at next is
// that of the tenure: it ends with the cause [availability.ErrNotPrimary] when
// the node is no longer Primary, [availability.TermFromContext] finds the term
// in it, and [availability.Group.Guard] accepts it. A planned failover waits
// for the requests under way, no longer than the stop budget.
//
// It may be called before the group runs. The handler is safe for concurrent
// use; it listens to the group's events for as long as the group lives.
func PrimaryOnly(g *availability.Group, next http.Handler, c PrimaryOnlyConfig) http.Handler {
	switch c.Elsewhere {
	case "":
		c.Elsewhere = ElsewhereRedirect
	case ElsewhereRedirect, ElsewhereForward:
	default:
		c.Elsewhere, c.HoldFor = ElsewhereRefuse, -1
	}
	if c.HoldLimit == 0 {
		c.HoldLimit = 1024
	}
	if c.Clock == nil {
		c.Clock = clock.New()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Transport == nil {
		c.Transport = newMembersTransport(c.TLS, func() string { return g.Info().Configuration.GroupFQDN })
	}
	p := &primaryOnly{group: g, next: next, cfg: c, news: newWatch(c.Clock, func() string { return g.GetNodeState().PrimaryID })}
	p.proxy = p.newProxy()
	// It fails for an unknown event and a nil handler, nothing else.
	_, _ = g.Subscribe(event.Any, p.news.hear)
	return p
}

// primaryOnly is the handler. It is not changed after PrimaryOnly, but for what
// counts.
type primaryOnly struct {
	group  *availability.Group
	next   http.Handler
	cfg    PrimaryOnlyConfig
	news   *watch
	proxy  *httputil.ReverseProxy
	held   held
	doubts doubts
}

// ServeHTTP serves, sends on, holds or refuses a request.
func (p *primaryOnly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{primaryOnly: p, w: w, r: r, given: maps.Clone(w.Header())}
	defer v.letGo()
	asked, ok := askedTerm(r.Header)
	if !ok {
		v.refuse(badTerm())
		return
	}
	v.asked = asked
	if no := v.serve(r.Context()); no != nil {
		v.refuse(no)
	}
}

// visit is one request, and what has become of it so far.
type visit struct {
	*primaryOnly
	w     http.ResponseWriter
	r     *http.Request
	given http.Header // the fields of the answer that the host has set before

	asked    uint64  // the term that the request has seen
	passedOn uint64  // the term in which the handler here passed it on
	body     *replay // what was read of its body; nil without one
	tried    bool    // sent to a Primary that may have served it
	wait     wait
}

// serve returns an obstacle instead of an answer, never both.
func (v *visit) serve(ctx context.Context) *obstacle {
	for {
		news := v.news.next()
		no := v.try(ctx)
		if no == nil || !no.passing {
			return no
		}
		if no = v.hold(ctx, news, no); no != nil {
			return no
		}
	}
}

// try serves the request here, or has it served elsewhere.
func (v *visit) try(ctx context.Context) *obstacle {
	if served, no := v.here(ctx); served || no != nil {
		return no
	}
	return v.elsewhere(ctx)
}

// safe: the method asks for no change (RFC 9110 §9.2.1), and the request for
// no other protocol, in which anything may be asked.
func safe(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return r.Header.Get("Upgrade") == ""
	}
	return false
}
