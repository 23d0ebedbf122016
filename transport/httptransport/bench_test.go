package httptransport_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/transport/httptransport"
)

// heartbeat is about as large as what a Primary sends.
var heartbeat = `{"term":1795290771,"seq":1042,"record":"` + strings.Repeat("x", 400) + `"}`

// BenchmarkExchange is one exchange of a heartbeat, signed both ways.
// BenchmarkPost is what of it is HTTP: the same octets, without the package.
func BenchmarkExchange(b *testing.B) {
	from := newNode(b, "a", httptransport.Config{}, nil)
	to := newNode(b, "b", httptransport.Config{}, echo)
	b.ReportAllocs()
	for b.Loop() {
		mustExchange(b, from, to, heartbeat)
	}
}

func BenchmarkPost(b *testing.B) {
	url := listen(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})) + httptransport.Path
	client := &http.Transport{}
	b.Cleanup(client.CloseIdleConnections)
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader([]byte(heartbeat)))
		if err != nil {
			b.Fatal(err)
		}
		answer, err := client.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			b.Fatal(err)
		}
		answer.Body.Close()
	}
}

// BenchmarkRefuse is what a request of somebody without a key costs.
func BenchmarkRefuse(b *testing.B) {
	from := newNode(b, "a", httptransport.Config{}, nil)
	to := newNode(b, "b", httptransport.Config{}, echo)
	tap, seen := newTap(b, to)
	mustExchange(b, from, seen, heartbeat)
	request, _ := tap.last()
	request.set("nonce", "")
	request.set("mac", strings.Repeat("A", 43))
	b.ReportAllocs()
	for b.Loop() {
		wantStatus(b, deliver(b, to, request), http.StatusUnauthorized)
	}
}
