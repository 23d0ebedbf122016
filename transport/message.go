package transport

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrInvalidMessage: the message is none that can be sent, as [Message.Check]
// says, or its To is another node than the peer. Nothing was sent.
var ErrInvalidMessage = errors.New("transport: invalid message")

// The longest texts of a message, in octets: the longest name of the DNS
// (RFC 1035 section 3.1) without its final dot, and the longest node ID.
const (
	maxGroup = 253
	maxNode  = 63
	maxKind  = 64
)

// Check tells what is wrong with a message; the error wraps
// [ErrInvalidMessage]. Group is a domain name of letters in lower case,
// digits, '.', '-' and '_', without a final dot. From and To are node IDs, of
// 1 to 63 octets: [a-z0-9][a-z0-9.:_-]*. Kind has at most 64 octets of visible
// ASCII. Body is empty or a JSON value of at most [MaxBody] octets.
func (m Message) Check() error {
	switch {
	case !validGroup(m.Group):
		return fmt.Errorf("%w: group %.80q", ErrInvalidMessage, m.Group)
	case !validNode(m.From):
		return fmt.Errorf("%w: from %.80q", ErrInvalidMessage, m.From)
	case !validNode(m.To):
		return fmt.Errorf("%w: to %.80q", ErrInvalidMessage, m.To)
	case !validKind(m.Kind):
		return fmt.Errorf("%w: kind %.80q", ErrInvalidMessage, m.Kind)
	case len(m.Body) > MaxBody:
		return fmt.Errorf("%w: a body of %d octets, at most %d are allowed", ErrInvalidMessage, len(m.Body), MaxBody)
	case len(m.Body) > 0 && !json.Valid(m.Body):
		return fmt.Errorf("%w: the body is no JSON value", ErrInvalidMessage)
	}
	return nil
}

// Clone returns a copy that shares nothing with m.
func (m Message) Clone() Message {
	m.Body = slices.Clone(m.Body)
	return m
}

// CheckRequest tells what is wrong with sending m to a peer: what
// [Message.Check] says, and that m is addressed to another node. The error
// wraps [ErrInvalidMessage].
func CheckRequest(to Peer, m Message) error {
	if to.ID != m.To {
		return fmt.Errorf("%w: for node %.80q, sent to node %.80q", ErrInvalidMessage, m.To, to.ID)
	}
	return m.Check()
}

// checkAnswer fills in the empty names of an answer and tells what is wrong
// with it.
func checkAnswer(request, answer Message) (Message, error) {
	answer.Group = cmp.Or(answer.Group, request.Group)
	answer.From = cmp.Or(answer.From, request.To)
	answer.To = cmp.Or(answer.To, request.From)
	if !IsAnswer(request, answer) {
		return Message{}, fmt.Errorf("%w: an answer to another node or group", ErrInvalidMessage)
	}
	if err := answer.Check(); err != nil {
		return Message{}, err
	}
	return answer, nil
}

// IsAnswer tells whether the names of an answer are those of its request,
// turned round.
func IsAnswer(request, answer Message) bool {
	return answer.Group == request.Group && answer.From == request.To && answer.To == request.From
}

func validGroup(s string) bool {
	return s != "" && len(s) <= maxGroup && s[0] != '.' && s[len(s)-1] != '.' && madeOf(s, ".-_")
}

func validNode(s string) bool {
	return s != "" && len(s) <= maxNode && madeOf(s[:1], "") && madeOf(s, ".:_-")
}

func validKind(s string) bool {
	visible := func(r rune) bool { return r > ' ' && r < 0x7f }
	return len(s) <= maxKind && !strings.ContainsFunc(s, func(r rune) bool { return !visible(r) })
}

// madeOf tells whether s has nothing but letters in lower case, digits and the
// octets of more.
func madeOf(s, more string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return true
}
