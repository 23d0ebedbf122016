package rfc2136

import (
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/miekg/dns"
)

// request is one message as it goes out, and what its answer must look like.
type request struct {
	wire     []byte
	mac      []byte // empty: not signed, and so is the answer
	key      tsigKey
	id       uint16
	opcode   int
	question dns.Question
	again    bool      // a second copy of these octets can do no harm
	signed   time.Time // this host's time, not corrected
}

// answer is a message that was found to be the answer to a request.
type answer struct {
	*dns.Msg
	tsig *dns.TSIG // nil if the request was not signed
}

// tsigError is the error in the signature, 0 for none.
func (a *answer) tsigError() int {
	if a.tsig == nil {
		return 0
	}
	return int(a.tsig.Error)
}

// badTime tells whether the server refused the time of signing, and what its
// own time is (RFC 8945 section 5.2.3).
func (a *answer) badTime() (server time.Time, refused bool) {
	if a.Rcode != dns.RcodeNotAuth || a.tsigError() != dns.RcodeBadTime {
		return time.Time{}, false
	}
	other, err := hex.DecodeString(a.tsig.OtherData)
	if err != nil || len(other) != 6 {
		return time.Time{}, false
	}
	seconds := binary.BigEndian.Uint64(append([]byte{0, 0}, other...))
	return time.Unix(int64(seconds), 0), true
}

// accept returns the answer that a message is, or nil and what the message
// claims to be.
func (r *request) accept(raw []byte) (*answer, claim) {
	if len(raw) < headerSize || binary.BigEndian.Uint16(raw) != r.id {
		return nil, claim{}
	}
	var head dns.Msg
	if err := head.Unpack(raw[:headerSize]); err != nil || !head.Response || head.Opcode != r.opcode {
		return nil, claim{}
	}
	said := claim{made: true, rcode: head.Rcode, truncated: head.Truncated}
	unsigned, t, err := splitTSIG(raw)
	if err != nil {
		return nil, said
	}
	if t != nil {
		said.signed, said.tsigError = len(t.MAC) > 0, int(t.Error)
	}
	if len(r.mac) > 0 && (t == nil || !r.key.verifies(t, unsigned, r.mac)) {
		return nil, said
	}
	a := &answer{Msg: new(dns.Msg), tsig: t}
	if err := a.Unpack(raw); err != nil || !r.fits(a.Question) {
		return nil, said
	}
	return a, said
}

// fits tells whether an answer's question section is that of the request. It
// may be left out of the answer to an update (RFC 2136 section 3.8).
func (r *request) fits(questions []dns.Question) bool {
	if len(questions) == 0 {
		return r.opcode == dns.OpcodeUpdate
	}
	q := questions[0]
	return len(questions) == 1 && q.Qtype == r.question.Qtype && q.Qclass == r.question.Qclass &&
		absolute(q.Name) == r.question.Name
}

// claim is what a message says that could not be verified. It decides nothing;
// it helps people to find a mistake.
type claim struct {
	made      bool
	rcode     int
	tsigError int
	signed    bool // by somebody, or in some way
	truncated bool
}

// String says it in words, nothing if there is nothing to say.
func (c claim) String() string {
	if !c.made {
		return ""
	}
	text := rcodeText(c.rcode)
	if c.tsigError != 0 {
		text += " with " + tsigErrorText(c.tsigError)
	}
	if c.signed {
		return text + ", wrongly signed"
	}
	return text + ", not signed"
}
