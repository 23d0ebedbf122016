package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

// elsewhere answers at a node that is not Primary.
func (v *visit) elsewhere(ctx context.Context) *obstacle {
	by := v.r.Header.Get(ForwardedField)
	s := v.group.GetNodeState()
	switch {
	case s.NodeRole == event.RolePrimary:
		return noPrimary() // since a moment; or it was, and passed the request on
	case v.asked > s.Term:
		return v.ahead(s.Term)
	case by == "" && v.cfg.SafeMethods && s.NodeRole == event.RoleSecondary && safe(v.r) && v.body.rewind():
		v.stale(ctx, s)
		return nil
	case by != "" && s.PrimaryID != "" && s.PrimaryID != s.NodeID:
		return forwardedTwice()
	case v.cfg.Elsewhere == ElsewhereRefuse:
		return notPrimary(s.NodeRole)
	}
	id, to, no := v.primary(ctx, s)
	switch {
	case no != nil:
		return no
	case by != "":
		return forwardedTwice()
	case v.cfg.Elsewhere == ElsewhereForward:
		return v.forward(ctx, id, to)
	}
	v.redirect(s, to)
	return nil
}

// stale serves a read at a Secondary.
func (v *visit) stale(ctx context.Context, s availability.NodeState) {
	v.letGo()
	v.mark(event.RoleSecondary, s.Term)
	v.closeAfter()
	r := v.r.WithContext(ctx)
	r.Body = v.offer(false)
	v.next.ServeHTTP(v.w, r)
}

// closeAfter ends the connection with the answer, so that the client looks the
// name up again: by the field in HTTP/1, by GOAWAY in HTTP/2, which net/http
// makes of it.
func (v *visit) closeAfter() { v.w.Header().Set("Connection", "close") }

// primary is who is Primary and where it is reached, if it is known and knows it.
func (v *visit) primary(ctx context.Context, s availability.NodeState) (id string, to *url.URL, no *obstacle) {
	info := v.group.Info()
	m, ok := primaryOf(info.Members)
	switch {
	case !ok && s.NodeRole == event.RoleNotInGroup:
		return "", nil, notPrimary(s.NodeRole)
	case !ok, m.ID == s.NodeID, m.ID != s.PrimaryID && s.PrimaryID != "":
		return "", nil, noPrimary()
	case !v.news.settled(info.State, timingOf(info).Attempt()):
		return "", nil, noPrimary()
	}
	to, no = v.target(ctx, m)
	return m.ID, to, no
}

// primaryOf also finds the Primary of a group that this node has left, and
// that of one that it has yet to join: whoever is asked there knows better.
func primaryOf(members []availability.Member) (availability.Member, bool) {
	for _, m := range members {
		if m.Role == event.RolePrimary {
			return m, true
		}
	}
	return availability.Member{}, false
}

// target is the URL of the request at a member. Scheme and host are those of
// the member, whatever the request says; path and query are as they came, also
// if a prefix was stripped on the way here.
func (v *visit) target(ctx context.Context, m availability.Member) (*url.URL, *obstacle) {
	base, err := v.baseURL(m)
	if err != nil {
		v.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "no address of the Primary", slog.String("err", err.Error()))
		return nil, unavailable("no_address", "The address of the Primary cannot be used.")
	}
	asked := v.r.URL
	if u, err := url.ParseRequestURI(v.r.RequestURI); err == nil {
		asked = u
	}
	path := asked.EscapedPath()
	if path == "" && asked.Host != "" && v.r.Method != http.MethodConnect {
		path = "/" // RFC 9112 §3.2.2
	}
	if !strings.HasPrefix(path, "/") || v.r.Method == http.MethodConnect { // "*", or a tunnel
		return nil, unavailable("no_path", "Only the Primary serves a request that is for no path.")
	}
	to := &url.URL{Scheme: base.Scheme, Host: base.Host, RawQuery: asked.RawQuery, ForceQuery: asked.ForceQuery}
	to.RawPath = strings.TrimSuffix(base.EscapedPath(), "/") + path
	if to.Path, err = url.PathUnescape(to.RawPath); err != nil { // not reachable: both were escaped
		return nil, badRequest("path", "The path is not one.")
	}
	return to, nil
}

func (v *visit) baseURL(m availability.Member) (*url.URL, error) {
	if v.cfg.BaseURL != nil {
		if u := v.cfg.BaseURL(m); u != nil {
			return checkBase(u)
		}
	}
	u, err := url.Parse(m.URL)
	if err != nil {
		return nil, fmt.Errorf("the URL of member %s: %w", m.ID, err)
	}
	return checkBase(u)
}

// checkBase refuses what would make the target relative to the client's.
func checkBase(u *url.URL) (*url.URL, error) {
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the URL of a member has scheme %.20q and host %.80q", u.Scheme, u.Host)
	}
	return u, nil
}

// redirect sends the client to the Primary. 307 keeps method and body (RFC
// 9110 §15.4.8).
func (v *visit) redirect(s availability.NodeState, to *url.URL) {
	v.mark(s.NodeRole, s.Term)
	v.closeAfter()
	h := v.w.Header()
	h.Set("Location", ascii(to.String()))
	h.Set("Cache-Control", "no-store")
	v.w.WriteHeader(http.StatusTemporaryRedirect)
}

// ascii escapes what may stand raw in a query, and not in a field of HTTP.
func ascii(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
