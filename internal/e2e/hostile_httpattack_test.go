//go:build linux

package e2e_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"
)

// requestAttacks are what a host on the path to a node can do to requests
// without a key; answerAttacks to the answers of the node.
func requestAttacks() []httpAttack {
	onRequest := func(change func(octets) octets) func(context.Context, *tap, octets) octets {
		return func(ctx context.Context, p *tap, r octets) octets { return p.ask(ctx, p.node, change(r.clone())) }
	}
	return []httpAttack{
		{name: "request changed", lies: true, make: onRequest(func(r octets) octets {
			r.body = bytes.Replace(r.body, []byte(`"term":1`), []byte(`"term":2`), 1)
			r.body = append(r.body, ' ')
			return r
		})},
		{name: "request unsigned", lies: true, make: onRequest(func(r octets) octets { r.header.Del("Ag-Peer"); return r })},
		{name: "request signed with another key", lies: true, make: onRequest(func(r octets) octets { return r.set("mac", forgedMAC(r.body)) })},
		{name: "request of another sender", lies: true, make: onRequest(func(r octets) octets { return r.set("from", "mallory") })},
		{name: "request oversized", lies: true, make: onRequest(func(r octets) octets { r.body = append(r.body, make([]byte, 1<<20)...); return r })},
		{name: "request reflected", lies: true, make: func(_ context.Context, _ *tap, r octets) octets {
			r.status = http.StatusOK
			return r
		}},
		{name: "request replaced by an older one", lies: true, make: func(ctx context.Context, p *tap, _ octets) octets {
			return p.ask(ctx, p.node, p.pick().request)
		}},
		{name: "request kept", lies: true, make: func(context.Context, *tap, octets) octets { return octets{} }},
		{name: "request doubled ahead", make: func(ctx context.Context, p *tap, r octets) octets {
			p.ask(ctx, p.node, r)
			return p.ask(ctx, p.node, r)
		}},
		{name: "older requests replayed behind", make: func(ctx context.Context, p *tap, r octets) octets {
			answer := p.ask(ctx, p.node, r)
			for range 4 {
				p.ask(ctx, p.node, p.pick().request)
			}
			return answer
		}},
	}
}

func answerAttacks() []httpAttack {
	onAnswer := func(change func(octets) octets) func(context.Context, *tap, octets) octets {
		return func(ctx context.Context, p *tap, r octets) octets {
			answer := p.ask(ctx, p.node, r)
			if answer.status == 0 {
				return answer
			}
			return change(answer.clone())
		}
	}
	return []httpAttack{
		{name: "answer changed", lies: true, make: onAnswer(func(a octets) octets {
			a.body = bytes.Replace(a.body, []byte(`"promise":`), []byte(`"promise":9`), 1)
			a.body = append(a.body, ' ')
			return a
		})},
		{name: "answer unsigned", lies: true, make: onAnswer(func(a octets) octets { a.header.Del("Ag-Peer"); return a })},
		{name: "answer signed with another key", lies: true, make: onAnswer(func(a octets) octets { return a.set("mac", forgedMAC(a.body)) })},
		{name: "answer with another status", lies: true, make: onAnswer(func(a octets) octets {
			a.status = map[bool]int{true: http.StatusConflict, false: http.StatusOK}[a.status == http.StatusOK]
			return a
		})},
		{name: "answer oversized", lies: true, make: onAnswer(func(a octets) octets { a.body = append(a.body, make([]byte, 4<<20)...); return a })},
		{name: "answer slow", lies: true, drip: 20 * time.Millisecond, make: onAnswer(func(a octets) octets { return a })},
		{name: "answer replayed", lies: true, make: func(ctx context.Context, p *tap, r octets) octets {
			p.ask(ctx, p.node, r)
			return p.pick().answer
		}},
		{name: "answers re-ordered", lies: true, make: func(ctx context.Context, p *tap, r octets) octets {
			return p.swap(p.ask(ctx, p.node, r))
		}},
		{name: "answer of somewhere else", lies: true, make: onAnswer(func(octets) octets {
			return octets{http.StatusTemporaryRedirect, http.Header{"Location": {"http://192.0.2.66/ag/peer"}}, nil}
		})},
		{name: "answer kept", lies: true, make: onAnswer(func(octets) octets { return octets{} })},
		{name: "a challenge for ever", lies: true, make: onAnswer(func(a octets) octets { a.status = http.StatusUnauthorized; return a })},
	}
}

// lyingAnswers are the attacks under which the node hears what it is sent, and
// the sender no true answer.
func lyingAnswers() []httpAttack {
	return slices.DeleteFunc(answerAttacks(), func(a httpAttack) bool { return !a.lies })
}

// forgedMAC is a code of the right form, by a key that is not the group's.
func forgedMAC(body []byte) string {
	mac := hmac.New(sha256.New, []byte(strings.Repeat("f", 32)))
	_, _ = mac.Write(body) // never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// pick is any exchange of those that were captured, the zero one if there is
// none.
func (p *tap) pick() passed {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) == 0 {
		return passed{request: octets{header: http.Header{}}}
	}
	x := p.seen[p.rng.IntN(len(p.seen))]
	return passed{x.request.clone(), x.answer.clone()}
}

// swap gives the answer that was held back, and holds this one back.
func (p *tap) swap(answer octets) octets {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.held
	p.held = &answer
	if old == nil {
		return octets{}
	}
	return *old
}
