package agclient_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/availability/agclient"
)

// exampleNode is a member of a group, and its port. A program has the handlers
// of package httpapi in the place of the first.
func exampleNode() (member *httptest.Server, port string) {
	mux := http.NewServeMux()
	mux.HandleFunc("/ag/api/v1/primary", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Ag-Term", "7") })
	mux.HandleFunc("/orders", func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.Host)
		_, _ = fmt.Fprintf(w, "%s at %s in term %s", r.Method, host, r.Header.Get("Ag-Term"))
	})
	member = httptest.NewServer(mux)
	_, port, _ = net.SplitHostPort(member.Listener.Addr().String())
	return member, port
}

// The client finds the Primary by its members alone: no resolver knows this
// name.
func ExampleNew() {
	member, port := exampleNode()
	defer member.Close()

	c, err := agclient.New(agclient.Config{
		FQDN:    "app.example.net",
		Members: []string{member.URL, "http://127.0.0.1:1"}, // the second is down
		// Store: a store of package rfc2136, where the zone may be read
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: c, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()

	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://app.example.net:"+port+"/orders", http.NoBody)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := client.Do(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	fmt.Println(response.StatusCode, string(text))
	// Output: 200 GET at app.example.net in term 7
}

// A body that strings.Reader, bytes.Reader or bytes.Buffer holds can be sent
// again, so such a request outlives a planned failover.
func ExampleClient_RoundTrip() {
	member, port := exampleNode()
	defer member.Close()
	c, err := agclient.New(agclient.Config{FQDN: "app.example.net", Members: []string{member.URL}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseIdleConnections()

	order := strings.NewReader(`{"item": 1}`)
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://app.example.net:"+port+"/orders", order)
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := c.RoundTrip(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	fmt.Println(response.StatusCode, string(text))
	// Output: 200 POST at app.example.net in term 7
}

// Whatever takes a dial function can follow the Primary: DialFunc of a driver
// for a database, WithContextDialer of gRPC (with "passthrough:///" before the
// name), and here a protocol of one line.
func ExampleClient_DialContext() {
	member, _ := exampleNode()
	defer member.Close()
	var config net.ListenConfig
	service, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer service.Close()
	go func() {
		if conn, err := service.Accept(); err == nil {
			_, _ = fmt.Fprintln(conn, "hello from the Primary")
			conn.Close()
		}
	}()

	c, err := agclient.New(agclient.Config{FQDN: "db.example.net", Members: []string{member.URL}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, port, _ := net.SplitHostPort(service.Addr().String())
	conn, err := c.DialContext(ctx, "tcp", "db.example.net:"+port)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	fmt.Println(strings.TrimSpace(line), err)
	// Output: hello from the Primary <nil>
}
