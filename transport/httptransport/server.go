package httptransport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/availabilitygroup/ag/transport"
)

// maxEnvelope is more than a message has beside its body: 253 + 2 × 63 octets
// of names, 64 of a kind, each of those up to six when escaped, and keys.
const maxEnvelope = 2 << 10

// maxMessage is the largest message, as JSON.
const maxMessage = transport.MaxBody + maxEnvelope

// ServeHTTP takes a message of a peer. The host mounts it, with any prefix; it
// does not look at the path. It answers 503 as long as nobody serves.
func (t *Transport) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.stats.received.Add(1)
	c := &call{mount: t, writer: w, request: r, control: http.NewResponseController(w)}
	// Where the deadline cannot be set, because the host has wrapped the
	// writer, the limits of the host's server must do.
	_ = c.control.SetReadDeadline(t.now().Add(t.timeout))
	c.write(c.answer(r.Context()))
}

// call is one request on its way to the handler and back. The fields are
// filled in from the top as it goes on.
type call struct {
	mount   *Transport
	writer  http.ResponseWriter
	request *http.Request
	control *http.ResponseController

	field requestField
	group *group
	body  []byte
	key   namedKey // signs the answer; the zero key: nobody does
}

// reply is what goes back.
type reply struct {
	status int
	body   []byte
}

// answer takes the steps to the handler. Each may end it with a refusal.
func (c *call) answer(ctx context.Context) reply {
	for _, step := range []func() *reply{c.checkForm, c.findGroup, c.read, c.checkAddress, c.authenticate} {
		if no := step(); no != nil {
			return *no
		}
	}
	return c.deliver(ctx)
}

// refuse counts a refusal and returns it.
func (c *call) refuse(count *atomic.Uint64, status int, detail string) *reply {
	count.Add(1)
	return &reply{status: status, body: encodeProblem(status, detail)}
}

func (c *call) checkForm() *reply {
	stats, h := &c.mount.stats, c.request.Header
	if c.request.Method != http.MethodPost {
		c.writer.Header().Set("Allow", http.MethodPost)
		return c.refuse(&stats.malformed, http.StatusMethodNotAllowed, "messages are sent with POST")
	}
	if !c.mount.open() {
		return c.refuse(&stats.notServing, http.StatusServiceUnavailable, "this node does not serve yet, or no more")
	}
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || media != messageType || h.Get("Content-Encoding") != "" {
		return c.refuse(&stats.malformed, http.StatusUnsupportedMediaType, "messages are plain "+messageType)
	}
	if len(h.Values(fieldName)) == 0 {
		return c.refuse(&stats.badSignature, http.StatusUnauthorized, "the message is not signed")
	}
	field, ok := parseRequestField(h)
	if !ok {
		return c.refuse(&stats.malformed, http.StatusBadRequest,
			"the field "+fieldName+" is not of version "+version)
	}
	c.field = field
	return nil
}

func (c *call) findGroup() *reply {
	g := c.mount.route(c.field.group)
	switch open := g.desk.Open(); {
	case !open && g == c.mount.rest:
		return c.refuse(&c.mount.stats.wrongGroup, http.StatusMisdirectedRequest, "this group is not served here")
	case !open:
		return c.refuse(&c.mount.stats.notServing, http.StatusServiceUnavailable, "this group is not served yet, or no more")
	}
	c.group = g
	return nil
}

// checkAddress comes before the signature is looked at, so that a message that
// has gone astray says so, and not that its key is wrong. Who has no key learns
// from it what the certificate of the host tells anyway.
func (c *call) checkAddress() *reply {
	stats, served := &c.mount.stats, c.group.servedAddress()
	if served.group != "" && served.group != c.field.group {
		return c.refuse(&stats.wrongGroup, http.StatusMisdirectedRequest, "this node serves another group")
	}
	if served.node != "" && served.node != c.field.to {
		return c.refuse(&stats.wrongNode, http.StatusMisdirectedRequest,
			fmt.Sprintf("this is node %s, the message is for %.63q", served.node, c.field.to))
	}
	return nil
}

func (c *call) read() *reply {
	stats := &c.mount.stats
	if c.request.ContentLength > maxMessage {
		return c.refuse(&stats.oversize, http.StatusRequestEntityTooLarge, "no message is that large")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.writer, c.request.Body, maxMessage))
	switch _, tooLarge := errors.AsType[*http.MaxBytesError](err); {
	case tooLarge:
		return c.refuse(&stats.oversize, http.StatusRequestEntityTooLarge, "no message is that large")
	case err != nil:
		return c.refuse(&stats.tooSlow, http.StatusRequestTimeout, "the message did not come whole, or not in time")
	}
	// The server goes on reading to see the sender go. With the deadline on, it
	// would see that in the middle of a handler that takes longer. (net/http
	// takes the deadline off by itself, but does not promise to.)
	_ = c.control.SetReadDeadline(time.Time{})
	c.body = body
	c.field.digest = digestOf(body)
	c.key = c.group.keys().pick(c.field.keyID)
	return nil
}

func (c *call) authenticate() *reply {
	stats := &c.mount.stats
	key, ok := c.group.keys().verify(c.field.keyID, decodeMAC(c.field.mac), c.field.code)
	switch {
	case ok:
	case c.group.spent(c.field): // by this message, signed with a key that has gone since
		return c.refuse(&stats.replayed, http.StatusConflict, "this message, or its nonce, has come before")
	default:
		return c.refuse(&stats.badSignature, http.StatusUnauthorized,
			fmt.Sprintf("key %.8q is not known here, or the message was altered", c.field.keyID))
	}
	c.key = key
	switch c.group.redeem(c.field) {
	case fresh:
	case stale:
		return c.refuse(&stats.challenged, http.StatusUnauthorized, "the nonce is missing or too old")
	case reused:
		return c.refuse(&stats.replayed, http.StatusConflict, "this message, or its nonce, has come before")
	}
	c.group.peers.heard(c.field.from, key.id)
	return nil
}

func (c *call) deliver(ctx context.Context) reply {
	stats := &c.mount.stats
	m, err := decodeMessage(c.body)
	if err != nil || m.Group != c.field.group || m.From != c.field.from || m.To != c.field.to {
		return *c.refuse(&stats.malformed, http.StatusBadRequest, "the body is not the message that was signed for")
	}
	var r reply
	served := c.group.desk.Do(ctx, func(ctx context.Context, h transport.Handler) {
		answer, err := transport.Deliver(ctx, h, m)
		r = c.conclude(ctx, answer, err)
	})
	if !served {
		return *c.refuse(&stats.notServing, http.StatusServiceUnavailable, "this group is not served any more")
	}
	return r
}

// conclude turns what the handler returned into what goes back.
func (c *call) conclude(ctx context.Context, answer transport.Message, err error) reply {
	stats := &c.mount.stats
	if panicked, ok := errors.AsType[*transport.PanicError](err); ok {
		c.mount.log.LogAttrs(ctx, slog.LevelError, "handler panicked",
			slog.String("group", c.field.group), slog.String("from", c.field.from),
			slog.String("err", panicked.Error()), slog.String("stack", string(panicked.Stack)))
		return *c.refuse(&stats.panicked, http.StatusInternalServerError, "the handler panicked")
	}
	switch {
	case errors.Is(err, transport.ErrUnauthenticated):
		return *c.refuse(&stats.refused, http.StatusMisdirectedRequest, err.Error())
	case err != nil:
		return *c.refuse(&stats.refused, http.StatusUnprocessableEntity, err.Error())
	}
	body, err := encodeMessage(answer)
	if err != nil {
		return *c.refuse(&stats.refused, http.StatusUnprocessableEntity, err.Error())
	}
	stats.delivered.Add(1)
	return reply{status: http.StatusOK, body: body}
}

// write writes the answer, signed if there is a key to sign it with. An error
// means that the sender has gone; there is nobody to tell.
func (c *call) write(r reply) {
	// Twice: before it writes, the server takes in what a refused request still
	// has to send, for as long as the deadline for that lets it.
	_ = c.control.SetWriteDeadline(c.mount.now().Add(2 * c.mount.timeout))
	h := c.writer.Header()
	h.Set("Content-Type", problemType)
	if r.status == http.StatusOK {
		h.Set("Content-Type", messageType)
	}
	h.Set("Content-Length", strconv.Itoa(len(r.body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", fieldName) // RFC 9110 section 15.5.2
	}
	if !c.key.key.IsZero() {
		h.Set(fieldName, c.group.sign(c.key, c.field, r.status, r.body).String())
	}
	c.writer.WriteHeader(r.status)
	_, _ = c.writer.Write(r.body)
}

// decodeMessage reads a message. Keys that it does not know are for later
// versions.
func decodeMessage(body []byte) (transport.Message, error) {
	var m transport.Message
	if err := json.Unmarshal(body, &m); err != nil {
		return transport.Message{}, fmt.Errorf("message: %w", err)
	}
	return m, m.Check()
}
