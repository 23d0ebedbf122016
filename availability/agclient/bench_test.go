package agclient_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/availability/agclient"
)

// BenchmarkRoundTrip compares a request through the client with one through
// its bare transport, in turns, over loopback: "ratio" is what counts.
func BenchmarkRoundTrip(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Ag-Term", "7") }))
	b.Cleanup(server.Close)
	base := &http.Transport{}
	c, err := agclient.New(agclient.Config{FQDN: "app.lab.test", Base: base, Store: answers{"A": "127.0.0.1"}, MaxConnAge: -1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.CloseIdleConnections)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	send := func(rt http.RoundTripper, url string) time.Duration {
		start := time.Now()
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		response, err := rt.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		return time.Since(start)
	}
	var bare, ours time.Duration
	for b.Loop() {
		bare += send(base, server.URL)
		ours += send(c, "http://app.lab.test:"+port)
	}
	b.ReportMetric(float64(ours)/float64(bare), "ratio")
}
