package httptransport

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/internal/serving"
)

// maxSends is how often one exchange signs: at first, after a challenge, and
// once more if the keys change at that moment.
const maxSends = 3

// Exchange is documented at Transport.
func (g *group) Exchange(ctx context.Context, to transport.Peer, m transport.Message) (transport.Message, error) {
	g.mount.stats.exchanges.Add(1)
	answer, err := g.exchange(ctx, to, m)
	g.mount.stats.count(err)
	if err != nil {
		return transport.Message{}, &transport.PeerError{Peer: to, Op: "exchange", Err: err}
	}
	return answer, nil
}

// count counts the end of an exchange.
func (c *counters) count(err error) {
	switch {
	case err == nil:
		c.answered.Add(1)
	case errors.Is(err, transport.ErrUnreachable):
		c.unreachable.Add(1)
	case errors.Is(err, transport.ErrRejected):
		c.rejected.Add(1)
	case errors.Is(err, transport.ErrInvalidMessage):
		c.invalid.Add(1)
	default:
		c.unauthenticated.Add(1)
	}
}

func (g *group) exchange(ctx context.Context, to transport.Peer, m transport.Message) (transport.Message, error) {
	if err := g.checkOutgoing(to, m); err != nil {
		return transport.Message{}, err
	}
	body, err := encodeMessage(m)
	if err != nil {
		return transport.Message{}, err
	}
	where, err := g.mount.clients.locate(to.URL, m.Group)
	if err != nil {
		return transport.Message{}, fmt.Errorf("%w: %w", transport.ErrUnreachable, err)
	}
	a, err := g.ask(ctx, where, m, body)
	if err != nil {
		return transport.Message{}, err
	}
	return a.message(m)
}

// checkOutgoing checks the message, and that it is of the group that is served.
func (g *group) checkOutgoing(to transport.Peer, m transport.Message) error {
	if g.mount.problem != nil {
		return fmt.Errorf("%w: %w", transport.ErrUnauthenticated, g.mount.problem)
	}
	if err := transport.CheckRequest(to, m); err != nil {
		return err
	}
	if own := g.servedAddress(); own.group != "" && own.group != m.Group {
		return fmt.Errorf("%w: of group %s, sent by group %s", transport.ErrInvalidMessage, m.Group, own.group)
	}
	return nil
}

// ask sends the message, again if the peer wants another nonce or another key,
// and returns the peer's answer, which is authentic.
func (g *group) ask(ctx context.Context, where place, m transport.Message, body []byte) (answer, error) {
	began := g.mount.now()
	keyID, nonce := g.peers.keyID(m.To), g.peers.take(m.To)
	for range maxSends {
		a, err := g.send(ctx, where, m, body, keyID, nonce)
		if err != nil {
			return answer{}, err
		}
		g.peers.heard(m.To, a.keyID)
		if a.status != http.StatusUnauthorized {
			g.peers.put(m.To, a.nonce)
			return a, nil
		}
		if g.mount.now().Sub(began) >= signAgainWithin {
			break
		}
		// Not by way of the store: an exchange that overlaps might take it.
		keyID, nonce = a.keyID, a.nonce
		g.mount.stats.signedAgain.Add(1)
	}
	return answer{}, fmt.Errorf("%w: the peer does not accept our signature", transport.ErrUnauthenticated)
}

// answer is an authentic answer.
type answer struct {
	status int
	body   []byte
	keyID  string
	nonce  string
}

// send sends a request once and returns its answer.
func (g *group) send(ctx context.Context, where place, m transport.Message, body []byte, keyID, nonce string) (answer, error) {
	key := g.keys().pick(keyID)
	if key.key.IsZero() {
		return answer{}, fmt.Errorf("%w: %w", transport.ErrUnauthenticated, errNoKeys)
	}
	f := requestField{group: m.Group, from: m.From, to: m.To, id: newID(), nonce: nonce, keyID: key.id, digest: digestOf(body)}
	f.mac = encodeMAC(f.code(key.key))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, where.url+g.mount.path, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", transport.ErrUnreachable, err)
	}
	r.Host = where.host
	r.Header.Set("Content-Type", messageType)
	r.Header.Set("Accept", messageType+", "+problemType)
	r.Header.Set("User-Agent", "ag")
	r.Header.Set(fieldName, f.String())
	// With this net/http sends the same octets once more if an idle connection
	// turns out to be dead. The nonce keeps them from being handled twice. An
	// empty list is not sent (see http.Transport).
	r.Header["Idempotency-Key"] = []string{}
	response, err := where.client.RoundTrip(r)
	if err != nil {
		return answer{}, connectionError(ctx, err)
	}
	defer response.Body.Close()
	return g.receive(ctx, f, response)
}

// receive reads an answer and checks that it is one, to this request.
func (g *group) receive(ctx context.Context, to requestField, response *http.Response) (answer, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxMessage+1))
	switch {
	case err != nil:
		return answer{}, connectionError(ctx, err)
	case len(body) > maxMessage:
		return answer{}, fmt.Errorf("%w: the answer is larger than any of ours", transport.ErrUnauthenticated)
	}
	f, ok := parseAnswerField(response.Header)
	if !ok {
		return answer{}, unsigned(response.StatusCode, body)
	}
	code := func(k transport.Key) [macSize]byte { return f.code(k, to, response.StatusCode, body) }
	key, ok := g.keys().verify(f.keyID, decodeMAC(f.mac), code)
	if !ok {
		return answer{}, fmt.Errorf("%w: the answer (%d) is signed with key %.8q, which is not known here, or for another request",
			transport.ErrUnauthenticated, response.StatusCode, f.keyID)
	}
	return answer{status: response.StatusCode, body: body, keyID: key.id, nonce: f.nonce}, nil
}

// unsigned says what an answer without a signature means. From 500 on somebody
// on the way says that the peer is not there; whatever else comes from there,
// it is not from the peer.
func unsigned(status int, body []byte) error {
	kind := transport.ErrUnauthenticated
	if status >= http.StatusInternalServerError {
		kind = transport.ErrUnreachable
	}
	return fmt.Errorf("%w: an answer without signature: %d %s", kind, status, problemText(status, body))
}

// message returns the message that an authentic answer to m is, or the error.
func (a answer) message(m transport.Message) (transport.Message, error) {
	if a.status != http.StatusOK {
		return transport.Message{}, a.refusal()
	}
	answer, err := decodeMessage(a.body)
	if err != nil {
		return transport.Message{}, fmt.Errorf("%w: not a message: %s", transport.ErrRejected, printable(err.Error()))
	}
	if !transport.IsAnswer(m, answer) {
		return transport.Message{}, fmt.Errorf("%w: the answer is for somebody else", transport.ErrUnauthenticated)
	}
	return answer, nil
}

func (a answer) refusal() error {
	kind := transport.ErrRejected
	switch a.status {
	case http.StatusMisdirectedRequest:
		kind = transport.ErrUnauthenticated
	case http.StatusConflict: // this very request has come before: its answer was lost
		kind = transport.ErrUnreachable
	case http.StatusServiceUnavailable:
		kind = transport.ErrUnreachable
	}
	return fmt.Errorf("%w: the peer says: %s", kind, problemText(a.status, a.body))
}

// encodeMessage writes a message. The body goes as it is but for blanks: to
// escape what is special in HTML could make it too large.
func encodeMessage(m transport.Message) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("%w: %w", transport.ErrInvalidMessage, err)
	}
	return b.Bytes(), nil
}

func connectionError(ctx context.Context, err error) error {
	if ended := serving.Ended(ctx); ended != nil {
		return fmt.Errorf("%w: %w", transport.ErrUnreachable, ended)
	}
	kind := transport.ErrUnreachable
	if foreignCertificate(err) {
		kind = transport.ErrUnauthenticated
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// newID returns the number of a request, 16 random octets.
func newID() string { return base64.RawURLEncoding.EncodeToString(randomOctets(16)) }
