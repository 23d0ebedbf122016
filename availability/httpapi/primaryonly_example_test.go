package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/transport"
)

// twoNodes is a group in memory, outside of any bubble; the first is Primary.
func twoNodes(edit func(*availability.Config)) (a, b *availability.Group, stop func()) {
	store, network := dnsstore.NewMemory(), transport.NewMemory()
	ctx, cancel := context.WithCancel(context.Background())
	start := func(id string, address string) *availability.Group {
		c := availability.Config{
			NodeID: id, Store: store, Transport: network.Node(id),
			Settings: availability.Settings{GroupFQDN: "app.example.net", ExternalIPv4Address: netip.MustParseAddr(address)},
		}
		if edit != nil && id == "a" {
			edit(&c)
		} else if edit != nil {
			edit(&c)
			c.Settings.ExternalIPv4Address = netip.MustParseAddr(address)
		}
		g, err := availability.New(c)
		if err != nil {
			panic(err)
		}
		go func() { _ = g.Run(ctx) }()
		return g
	}
	a, b = start("a", "192.0.2.1"), start("b", "192.0.2.2")
	if err := a.Create(ctx); err != nil {
		panic(err)
	}
	if err := b.Join(ctx); err != nil {
		panic(err)
	}
	return a, b, func() { cancel(); <-a.Done(); <-b.Done() }
}

// A Secondary sends clients to the Primary's own address.
func ExamplePrimaryOnly() {
	a, b, stop := twoNodes(nil)
	defer stop()
	orders := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "ordered")
	})
	for _, g := range []*availability.Group{a, b} {
		h := httpapi.PrimaryOnly(g, orders, httpapi.PrimaryOnlyConfig{})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/orders?express=1", nil))
		fmt.Println(w.Code, w.Header().Get("Ag-Role"), w.Header().Get("Location"), w.Body)
	}
	// Output:
	// 200 primary  ordered
	// 307 secondary https://192.0.2.1:443/orders?express=1
}

// A Secondary forwards to the Primary: clients need not know.
func ExamplePrimaryOnly_forward() {
	a, b, stop := twoNodes(nil)
	defer stop()
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "ordered %s, forwarded by %s", what, r.Header.Get("Ag-Forwarded-By"))
	})
	primary := httptest.NewServer(httpapi.PrimaryOnly(a, orders, httpapi.PrimaryOnlyConfig{}))
	defer primary.Close()
	h := httpapi.PrimaryOnly(b, orders, httpapi.PrimaryOnlyConfig{
		Elsewhere: httpapi.ElsewhereForward,
		BaseURL: func(availability.Member) *url.URL { // the servers of members have names, or other ports
			u, _ := url.Parse(primary.URL)
			return u
		},
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/orders", strings.NewReader("tea")))
	fmt.Println(w.Code, w.Header().Get("Ag-Role"), w.Body)
	// Output:
	// 200 primary ordered tea, forwarded by b
}

// A Secondary refuses, but lets be read what it knows.
func ExamplePrimaryOnly_refuse() {
	_, b, stop := twoNodes(nil)
	defer stop()
	orders := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "two orders")
	})
	h := httpapi.PrimaryOnly(b, orders, httpapi.PrimaryOnlyConfig{Elsewhere: httpapi.ElsewhereRefuse, SafeMethods: true})
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), method, "/orders", nil))
		fmt.Println(w.Code, w.Header().Get("Ag-Role"), w.Header().Get("Retry-After"), w.Body)
	}
	// Output:
	// 503 secondary 5 {"title":"Service Unavailable","status":503,"detail":"This node is not Primary. Look the name up again, and ask there.","reason":"not_primary","node":"b","primary":"a"}
	// 200 secondary  two orders
}

// A handler asks right before what it does, and passes the request on if it
// may no longer do it: nothing is done twice, and nothing is lost.
func ExamplePassOn() {
	a, _, stop := twoNodes(nil)
	defer stop()
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := a.Guard(r.Context()); err != nil {
			if !httpapi.PassOn(r) {
				http.Error(w, "not Primary", http.StatusServiceUnavailable)
			}
			return
		}
		_, _ = fmt.Fprint(w, "ordered")
	})
	h := httpapi.PrimaryOnly(a, orders, httpapi.PrimaryOnlyConfig{})
	for range 2 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/orders", nil))
		fmt.Println(w.Code, w.Header().Get("Location"), w.Body)
		if err := a.Failover(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// 200  ordered
	// 307 https://192.0.2.2:443/orders
}
