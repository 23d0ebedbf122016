package httpapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// obstacle is why a request is not served, for now or for good.
type obstacle struct {
	status       int
	kind, detail string
	passing      bool // it is worth while to wait
}

func (o *obstacle) pass() *obstacle {
	o.passing = true
	return o
}

func unavailable(kind, detail string) *obstacle {
	return &obstacle{status: http.StatusServiceUnavailable, kind: kind, detail: detail}
}

func badRequest(kind, detail string) *obstacle {
	return &obstacle{status: http.StatusBadRequest, kind: kind, detail: detail}
}

func badTerm() *obstacle {
	return badRequest("bad_term", "The field "+TermField+" must be there once, with a number.")
}

const kindNewerTerm = "newer_term"

func newerTerm() *obstacle {
	return unavailable(kindNewerTerm, "The request has seen a newer term than this node, which therefore does not serve it.")
}

func noPrimary() *obstacle {
	return unavailable("no_primary", "This node is not Primary, and knows of none that is.").pass()
}

// bodyGone: nobody has served the request, and its client alone can send it
// again.
func bodyGone(detail string) *obstacle { return unavailable("body_gone", detail) }

func notPrimary(role event.Role) *obstacle {
	if role == event.RoleNotInGroup {
		return unavailable("not_in_group", "This node is in no group.")
	}
	return unavailable("not_primary", "This node is not Primary. Look the name up again, and ask there.")
}

func forwardedTwice() *obstacle {
	return unavailable("forwarded", "The request was forwarded to this node, which is not Primary.")
}

// notice is the body of an answer that PrimaryOnly gives itself: RFC 9457
// §3.1, where without a type it is "about:blank", and the title is the status
// in words (§4.2.1). Programs decide by the status and by reason.
type notice struct {
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	Reason  string `json:"reason"`
	Node    string `json:"node"`
	Primary string `json:"primary,omitempty"`
}

// refuse answers that the request was not served, or, with 502, that it is not
// known whether it was.
func (v *visit) refuse(o *obstacle) {
	s := v.group.GetNodeState()
	v.mark(s.NodeRole, s.Term)
	if s.NodeRole != event.RolePrimary {
		v.closeAfter()
	}
	h := v.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Content-Type-Options", "nosniff")
	if o.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(retryAfter(v.timing().W)))
	}
	text, err := json.Marshal(notice{
		Title: http.StatusText(o.status), Status: o.status, Detail: o.detail, Reason: o.kind, Node: s.NodeID, Primary: s.PrimaryID,
	})
	if err != nil { // not reachable: strings and a number
		text = []byte("{}")
	}
	v.w.WriteHeader(o.status)
	_, _ = v.w.Write(text) // a client that has gone needs no answer
}

// retryAfter is W/12 in whole seconds, at least one: a planned failover is
// over by then, and of those that wait for a takeover not all come at once.
func retryAfter(allowedAbsence time.Duration) int {
	return int(max(1, (allowedAbsence/12+time.Second-1)/time.Second))
}
