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
	const body = `{"group":"group.example","from":"a","to":"b","kind":"test","body":{"x":1},"later":true}`
	b := newNode(t, "b", httptransport.Config{}, echo)
	w := wire{t: t, url: b.url + "/ag/peer", keyID: testKey(t, 'k').ID(), key: bytes.Repeat([]byte("k"), 32)}
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

// macOf is the code as doc.go has it.
func macOf(key []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		_ = binary.Write(mac, binary.BigEndian, uint64(len(part)))
		_, _ = io.WriteString(mac, part)
	}
	return mac.Sum(nil)
}

// send sends a signed request and checks the signature of the answer.
func (w wire) send(id, nonce, body string) (status int, next, answer string) {
	w.t.Helper()
	digest := sha256.Sum256([]byte(body))
	mac := base64.RawURLEncoding.EncodeToString(macOf(w.key, "availabilitygroup/ag peer v1 request",
		"POST", "/ag/peer", "group.example", "a", "b", id, nonce, string(digest[:])))
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
	digest = sha256.Sum256(text)
	want := macOf(w.key, "availabilitygroup/ag peer v1 answer", strconv.Itoa(response.StatusCode),
		"/ag/peer", "group.example", "b", "a", id, mac, o.get("nonce"), string(digest[:]))
	if got := o.get("mac"); got != base64.RawURLEncoding.EncodeToString(want) {
		w.t.Errorf("the answer %d has code %s, which is not right", response.StatusCode, got)
	}
	return response.StatusCode, o.get("nonce"), string(text)
}
