package httptransport

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/availabilitygroup/ag/transport"
)

const (
	// fieldName is the field of requests and answers that holds the signature.
	fieldName = "Ag-Peer"
	// version is the version of the scheme, the first thing in a field.
	version = "1"
	// maxField is more than the longest field can have.
	maxField = 1 << 10
	macSize  = sha256.Size
)

// The domains of the codes. That they differ is why no request is ever taken
// for an answer.
const (
	requestDomain = "availabilitygroup/ag peer v1 request"
	answerDomain  = "availabilitygroup/ag peer v1 answer"
)

// requestField is the signature of a request.
type requestField struct {
	group, from, to string
	id              string // of this request alone
	nonce           string // that the receiver made, or nothing
	keyID           string
	mac             string
	digest          string // of the body that came or goes with it
}

func (f requestField) String() string {
	return join("v", version, "group", f.group, "from", f.from, "to", f.to,
		"id", f.id, "nonce", f.nonce, "key", f.keyID, "mac", f.mac)
}

func parseRequestField(h http.Header) (requestField, bool) {
	v, ok := split(h, "v", "group", "from", "to", "id", "nonce", "key", "mac")
	if !ok || v[0] != version {
		return requestField{}, false
	}
	return requestField{group: v[1], from: v[2], to: v[3], id: v[4], nonce: v[5], keyID: v[6], mac: v[7]}, true
}

// code returns what the mac of a request must be.
func (f requestField) code(k transport.Key) [macSize]byte {
	return k.MAC(requestDomain, http.MethodPost, Path, f.group, f.from, f.to, f.id, f.nonce, f.digest)
}

// answerField is the signature of an answer.
type answerField struct {
	keyID string
	nonce string // for the next request
	mac   string
}

func (f answerField) String() string {
	return join("v", version, "key", f.keyID, "nonce", f.nonce, "mac", f.mac)
}

func parseAnswerField(h http.Header) (answerField, bool) {
	v, ok := split(h, "v", "key", "nonce", "mac")
	if !ok || v[0] != version {
		return answerField{}, false
	}
	return answerField{keyID: v[1], nonce: v[2], mac: v[3]}, true
}

// code returns what the mac of an answer to a request must be. It covers all
// of the request, as it came: the request's own mac, which need not be right,
// would not do. Otherwise the challenge to a changed copy of a request that was
// handled would make the sender sign, and the receiver handle, it again.
func (f answerField) code(k transport.Key, to requestField, status int, body []byte) [macSize]byte {
	return k.MAC(answerDomain, strconv.Itoa(status), Path, to.group, to.to, to.from,
		to.id, to.nonce, to.keyID, to.mac, to.digest, f.nonce, digestOf(body))
}

func digestOf(body []byte) string {
	digest := sha256.Sum256(body)
	return string(digest[:])
}

func join(namesAndValues ...string) string {
	var b strings.Builder
	for i := 0; i < len(namesAndValues); i += 2 {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(namesAndValues[i])
		b.WriteByte('=')
		b.WriteString(namesAndValues[i+1])
	}
	return b.String()
}

// split returns the values of the one field, which must have these names and
// no others, in this order: there is one way to write a field.
func split(h http.Header, names ...string) ([]string, bool) {
	fields := h.Values(fieldName)
	if len(fields) != 1 || len(fields[0]) > maxField {
		return nil, false
	}
	values := make([]string, 0, len(names))
	for part := range strings.SplitSeq(fields[0], ";") {
		if len(values) == len(names) {
			return nil, false
		}
		value, ok := strings.CutPrefix(part, names[len(values)]+"=")
		if !ok {
			return nil, false
		}
		values = append(values, value)
	}
	return values, len(values) == len(names)
}

func encodeMAC(mac [macSize]byte) string { return base64.RawURLEncoding.EncodeToString(mac[:]) }

// decodeMAC returns no octets for a text that is no code; no code equals them.
func decodeMAC(s string) []byte {
	mac, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil
	}
	return mac
}
