package availability

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/failover"
	"github.com/availabilitygroup/ag/internal/record"
	"github.com/availabilitygroup/ag/transport"
)

// The kinds of messages between nodes.
const (
	kindHeartbeat = "heartbeat"
	kindQuery     = "query"
	kindTold      = "told"
	kindAsk       = "ask"
	kindReport    = "report"
	kindVerdict   = "verdict"
)

// body is every message's JSON form. Unknown keys are ignored, so that nodes
// of different versions understand each other. Durations are nanoseconds.
type body struct {
	Group       string        `json:"group,omitempty"`
	Run         string        `json:"run,omitempty"`
	Term        uint64        `json:"term,omitempty"`
	Seq         uint64        `json:"seq,omitempty"`
	Fresh       bool          `json:"fresh,omitempty"`
	Primary     string        `json:"primary,omitempty"`
	Promise     time.Duration `json:"promise,omitempty"`
	Role        event.Role    `json:"role,omitempty"`
	Healthy     bool          `json:"healthy,omitempty"`
	Read        bool          `json:"read,omitempty"`
	PromisedTo  string        `json:"promised_to,omitempty"`
	PromisedRun string        `json:"promised_run,omitempty"`
	PromisedAgo time.Duration `json:"promised_ago,omitempty"`
	Code        failover.Code `json:"code,omitempty"`
	Text        string        `json:"text,omitempty"`
	Verb        failover.Verb `json:"verb,omitempty"`
	Target      string        `json:"target,omitempty"`
	Reason      string        `json:"reason,omitempty"`
	W           time.Duration `json:"w,omitempty"`
	R           time.Duration `json:"r,omitempty"`
	C           time.Duration `json:"c,omitempty"`
	TTL         time.Duration `json:"ttl,omitempty"`
}

// errBadMessage: a message that no version of this library sends.
var errBadMessage = errors.New("availability: bad message")

// encode gives a message its JSON form.
func encode(m failover.Message) (kind string, b body) {
	switch m := m.(type) {
	case failover.Heartbeat:
		return kindHeartbeat, body{Group: m.Group, Run: m.Run, Term: m.Term, Seq: m.Seq}
	case failover.Query:
		return kindQuery, body{Group: m.Group, Fresh: m.Fresh}
	case failover.Told:
		return kindTold, body{Group: m.Group}
	case failover.Ask:
		r := m.Request
		return kindAsk, body{
			Group: m.Group, Verb: r.Verb, Target: r.Target, Reason: r.Reason,
			W: r.Timing.W, R: r.Timing.R, C: r.Timing.C, TTL: r.Timing.TTL,
		}
	case failover.Report:
		return kindReport, body{
			Group: m.Group, Run: m.Run, Term: m.Term, Seq: m.Seq, Primary: m.Primary, Promise: m.Promise,
			Role: m.Role, Healthy: m.Healthy, Read: m.Read,
			PromisedTo: m.PromisedTo, PromisedRun: m.PromisedRun, PromisedAgo: m.PromisedAgo,
		}
	case failover.Verdict:
		return kindVerdict, body{Code: m.Code, Text: m.Text}
	}
	return "", body{}
}

// pack makes a transport's message.
func pack(group, from, to string, m failover.Message) (transport.Message, error) {
	kind, b := encode(m)
	text, err := json.Marshal(b)
	if err != nil {
		return transport.Message{}, fmt.Errorf("encode %s: %w", kind, err)
	}
	return transport.Message{Group: group, From: from, To: to, Kind: kind, Body: text}, nil
}

// unpack reads one, and refuses what is not to be believed.
func unpack(m transport.Message) (failover.Message, error) {
	var b body
	if err := json.Unmarshal(m.Body, &b); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errBadMessage, m.Kind, err)
	}
	if problem := b.problem(); problem != "" {
		return nil, fmt.Errorf("%w: %s: %s", errBadMessage, m.Kind, problem)
	}
	switch m.Kind {
	case kindHeartbeat:
		return failover.Heartbeat{Group: b.Group, Run: b.Run, Term: b.Term, Seq: b.Seq}, nil
	case kindQuery:
		return failover.Query{Group: b.Group, Fresh: b.Fresh}, nil
	case kindTold:
		return failover.Told{Group: b.Group}, nil
	case kindAsk:
		return failover.Ask{Group: b.Group, Request: failover.Request{
			Verb: b.Verb, Target: b.Target, Reason: b.Reason,
			Timing: failover.Timing{W: b.W, R: b.R, C: b.C, TTL: b.TTL},
		}}, nil
	case kindReport:
		return failover.Report{
			Group: b.Group, Run: b.Run, Term: b.Term, Seq: b.Seq, Primary: b.Primary, Promise: b.Promise,
			Role: b.Role, Healthy: b.Healthy, Read: b.Read,
			PromisedTo: b.PromisedTo, PromisedRun: b.PromisedRun, PromisedAgo: b.PromisedAgo,
		}, nil
	case kindVerdict:
		return failover.Verdict{Code: b.Code, Text: b.Text}, nil
	}
	return nil, fmt.Errorf("%w: unknown kind %q", errBadMessage, clip(m.Kind))
}

// problem says what is impossible in a message, "" if nothing is.
func (b body) problem() string {
	switch {
	case b.Term > record.MaxNumber || b.Seq > record.MaxNumber:
		return "a number is out of range"
	case b.Promise < 0 || b.PromisedAgo < 0 || b.Promise > 2*failover.MaxAllowedAbsence:
		return "a duration is out of range"
	case b.W < 0 || b.R < 0 || b.C < 0 || b.TTL < 0:
		return "a timing is negative"
	}
	return ""
}

// clip keeps what a peer sent from filling a log.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
