package httptransport_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// TestWire speaks the protocol from its description in doc.go, with nothing of
// the package: what other versions and other languages rely on.
func TestWire(t *testing.T) {
	t.Parallel()
	// A later version may have more keys.
	const body = `{"group":"group.example","from":"a","to":"b","kind":"test","body":{"x":1},"later":true}`
	b := newNode(t, "b", httptransport.Config{}, echo)
	w := newWire(t, b.url)
	status, nonce, _ := w.send("first", "", body)
	if status != http.StatusUnauthorized {
		t.Errorf("without a nonce: got status %d, want 401", status)
	}
	status, nonce, answer := w.send("second", nonce, body)
	const want = `{"group":"group.example","from":"b","to":"a","kind":"test","body":{"x":1}}`
	if got := strings.TrimSpace(answer); status != http.StatusOK || got != want {
		t.Errorf("got %d %s, want 200 %s", status, got, want)
	}
	if status, _, answer = w.send("third", nonce, body); status != http.StatusOK {
		t.Errorf("with the nonce of an answer: got %d %s, want 200", status, answer)
	}
	if status, _, _ = w.send("fourth", nonce, body); status != http.StatusConflict {
		t.Errorf("with a nonce that was used: got %d, want 409", status)
	}
}

// TestWire_BadMessages signs what is no message, or not the one of the field.
func TestWire_BadMessages(t *testing.T) {
	t.Parallel()
	b := newNode(t, "b", httptransport.Config{}, unwanted(t))
	w := newWire(t, b.url)
	_, nonce, _ := w.send("first", "", "")
	for _, body := range []string{
		``, `{`, `null`, `[]`,
		`{"group":"group.example","from":"c","to":"b"}`,
		`{"group":"group.example","from":"a","to":"c"}`,
		`{"group":"another.example","from":"a","to":"b"}`,
		`{"group":"group.example","from":"a","to":"b","kind":"two words"}`,
		`{"group":"group.example","from":"a","to":"b","body":"` + strings.Repeat("x", transport.MaxBody) + `"}`,
		`{"group":"group.example","from":"a","to":"b"} {}`,
	} {
		var status int
		if status, nonce, _ = w.send("next", nonce, body); status != http.StatusBadRequest {
			t.Errorf("body %.80s: got status %d, want 400", body, status)
		}
	}
}

// TestWire_Answers has a peer with the key that answers what it should not.
func TestWire_Answers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"for another node":     {200, `{"group":"group.example","from":"b","to":"c"}`, transport.ErrUnauthenticated},
		"of another node":      {200, `{"group":"group.example","from":"c","to":"a"}`, transport.ErrUnauthenticated},
		"of another group":     {200, `{"group":"another.example","from":"b","to":"a"}`, transport.ErrUnauthenticated},
		"no message":           {200, `[]`, transport.ErrRejected},
		"not JSON":             {200, "\x1b\n", transport.ErrRejected},
		"another success":      {204, ``, transport.ErrRejected},
		"challenge for ever":   {401, `{}`, transport.ErrUnauthenticated},
		"came before":          {409, `{}`, transport.ErrUnreachable},
		"for somebody else":    {421, `{}`, transport.ErrUnauthenticated},
		"refused":              {422, `{"detail":"a\nb\u001b"}`, transport.ErrRejected},
		"panicked":             {500, `{}`, transport.ErrRejected},
		"not served":           {503, `{}`, transport.ErrUnreachable},
		"a status of later on": {418, ``, transport.ErrRejected},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newNode(t, "a", httptransport.Config{}, nil)
			w := newWire(t, "")
			url := listen(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				sent, _ := io.ReadAll(r.Body)
				mac := w.answerCode(octets{header: r.Header, body: sent}, "n", c.status, c.body)
				rw.Header().Set("Ag-Peer", "v=1;key="+w.keyID+";nonce=n;mac="+mac)
				rw.WriteHeader(c.status)
				_, _ = io.WriteString(rw, c.body) // an error for 204
			}))
			_, err := exchange(t, a, transport.Peer{ID: "b", URL: url}, `1`)
			wantKind(t, err, c.want)
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("got error %q, want a line of text", err)
			}
		})
	}
}

// TestWire_GoldenCodes are codes that must never change.
func TestWire_GoldenCodes(t *testing.T) {
	t.Parallel()
	key := testKey(t, 'k')
	if got, want := key.ID(), "270fdff9"; got != want {
		t.Errorf("got ID %s, want %s", got, want)
	}
	got := key.MAC("domain", "a", "", "bc")
	if want := macOf(bytes.Repeat([]byte("k"), transport.MinKey), "domain", "a", "", "bc"); !hmac.Equal(got[:], want) {
		t.Errorf("got code %x, want %x", got, want)
	}
}

type wire struct {
	t          *testing.T
	url, keyID string
	key        []byte
}

func newWire(t *testing.T, url string) wire {
	t.Helper()
	return wire{t: t, url: url + "/ag/peer", keyID: testKey(t, 'k').ID(), key: bytes.Repeat([]byte("k"), transport.MinKey)}
}

// macOf is the code as doc.go has it.
func macOf(key []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		_ = binary.Write(mac, binary.BigEndian, uint64(len(part)))
		_, _ = io.WriteString(mac, part)
	}
	return mac.Sum(nil)
}

func (w wire) requestCode(id, nonce, body string) string {
	digest := sha256.Sum256([]byte(body))
	return base64.RawURLEncoding.EncodeToString(macOf(w.key, "availabilitygroup/ag peer v1 request",
		"POST", "/ag/peer", "group.example", "a", "b", id, nonce, string(digest[:])))
}

// answerCode is the code of an answer to a request that came.
func (w wire) answerCode(to octets, nonce string, status int, body string) string {
	toDigest, digest := sha256.Sum256(to.body), sha256.Sum256([]byte(body))
	return base64.RawURLEncoding.EncodeToString(macOf(w.key, "availabilitygroup/ag peer v1 answer",
		strconv.Itoa(status), "/ag/peer", "group.example", "b", "a",
		to.get("id"), to.get("nonce"), to.get("key"), to.get("mac"), string(toDigest[:]), nonce, string(digest[:])))
}

// send sends a signed request and checks the signature of the answer.
func (w wire) send(id, nonce, body string) (status int, next, answer string) {
	w.t.Helper()
	mac := w.requestCode(id, nonce, body)
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Ag-Peer", "v=1;group=group.example;from=a;to=b;id="+id+";nonce="+nonce+";key="+w.keyID+";mac="+mac)
	client := &http.Transport{DisableKeepAlives: true}
	response, err := client.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	o := octets{header: response.Header}
	want := w.answerCode(octets{header: r.Header, body: []byte(body)}, o.get("nonce"), response.StatusCode, string(text))
	if got := o.get("mac"); got != want {
		w.t.Errorf("the answer %d has code %s, want %s", response.StatusCode, got, want)
	}
	return response.StatusCode, o.get("nonce"), string(text)
}
