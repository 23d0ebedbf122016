package httptransport

import "sync/atomic"

// Stats counts since the start, all groups together.
type Stats struct {
	// Received is every request that came in. Each is also counted once in one
	// of the others of this part.
	Received uint64 `json:"received"`
	// Delivered: the handler was called and gave an answer.
	Delivered uint64 `json:"delivered"`
	// Refused: the handler returned an error, or an answer that is none.
	Refused uint64 `json:"refused"`
	// Panicked: the handler panicked.
	Panicked uint64 `json:"panicked"`
	// Challenged: signed with a known key, with no nonce or an old one. The
	// sender was asked to sign again; at a first contact that is normal.
	Challenged uint64 `json:"challenged"`
	// BadSignature: not signed, signed with a key that is not known, or
	// altered. The sender was asked to sign again; during a change of keys that
	// is normal.
	BadSignature uint64 `json:"bad_signature"`
	// Replayed: signed, but with a nonce that was used before.
	Replayed uint64 `json:"replayed"`
	// WrongGroup and WrongNode: for somebody else.
	WrongGroup uint64 `json:"wrong_group"`
	WrongNode  uint64 `json:"wrong_node"`
	// NotServing: nobody served.
	NotServing uint64 `json:"not_serving"`
	// Oversize: a larger body than any message has.
	Oversize uint64 `json:"oversize"`
	// TooSlow: the body did not come in time, or not whole.
	TooSlow uint64 `json:"too_slow"`
	// Malformed: no request of this protocol: method, content type, field or
	// message.
	Malformed uint64 `json:"malformed"`

	// Exchanges is every call of Exchange. Each is also counted once in one of
	// Answered, Unreachable, Unauthenticated, Rejected and Invalid.
	Exchanges uint64 `json:"exchanges"`
	// SignedAgain counts the second round trips.
	SignedAgain uint64 `json:"signed_again"`
	// Answered: with an answer of the peer's handler.
	Answered uint64 `json:"answered"`
	// Unreachable, Unauthenticated, Rejected, Invalid: with that kind of error.
	Unreachable     uint64 `json:"unreachable"`
	Unauthenticated uint64 `json:"unauthenticated"`
	Rejected        uint64 `json:"rejected"`
	Invalid         uint64 `json:"invalid"`
}

// counters are the numbers of Stats, by the same names.
type counters struct {
	received, delivered, refused, panicked, challenged, badSignature, replayed,
	wrongGroup, wrongNode, notServing, oversize, tooSlow, malformed,
	exchanges, signedAgain, answered, unreachable, unauthenticated, rejected, invalid atomic.Uint64
}

// Stats returns the counts.
func (t *Transport) Stats() Stats {
	c := &t.stats
	return Stats{
		Received:        c.received.Load(),
		Delivered:       c.delivered.Load(),
		Refused:         c.refused.Load(),
		Panicked:        c.panicked.Load(),
		Challenged:      c.challenged.Load(),
		BadSignature:    c.badSignature.Load(),
		Replayed:        c.replayed.Load(),
		WrongGroup:      c.wrongGroup.Load(),
		WrongNode:       c.wrongNode.Load(),
		NotServing:      c.notServing.Load(),
		Oversize:        c.oversize.Load(),
		TooSlow:         c.tooSlow.Load(),
		Malformed:       c.malformed.Load(),
		Exchanges:       c.exchanges.Load(),
		SignedAgain:     c.signedAgain.Load(),
		Answered:        c.answered.Load(),
		Unreachable:     c.unreachable.Load(),
		Unauthenticated: c.unauthenticated.Load(),
		Rejected:        c.rejected.Load(),
		Invalid:         c.invalid.Load(),
	}
}
