package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// order is what the show tells a node, one JSON value a line: first its
// configuration, then verbs. The secret goes this way too, so that it stands
// in no argument list and no environment.
type order struct {
	ID       string                `json:"id,omitempty"`
	Server   string                `json:"server,omitempty"`
	Address  netip.Addr            `json:"address,omitzero"`
	Port     uint16                `json:"port,omitempty"`
	Settings availability.Settings `json:"settings,omitzero"`
	Secret   string                `json:"secret,omitempty"`
	Do       string                `json:"do,omitempty"`
}

// news is what a node tells the show, one JSON value a line.
type news struct {
	At    time.Time         `json:"at"`
	Kind  string            `json:"kind"`
	Role  *event.RoleChange `json:"role,omitempty"`
	Text  string            `json:"text,omitempty"`
	Error string            `json:"error,omitempty"`
}

// runNode is a whole node: a group, one HTTP server with the peers' transport
// and a workflow on it, and the verbs that come in. It ends when its input does.
func runNode(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := bufio.NewScanner(in)
	var first order
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &first) != nil {
		return errors.New("a node needs its configuration on standard input")
	}
	say := teller(out)
	peers := httptransport.New(httptransport.Config{})
	settings := first.Settings
	settings.TSIGSecret = availability.NewSecret(first.Secret)
	g, err := availability.New(availability.Config{
		Settings:  settings,
		NodeID:    first.ID,
		OpenStore: rfc2136.Config{Server: first.Server}.Open,
		Transport: peers,
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", netip.AddrPortFrom(first.Address, first.Port).String())
	if err != nil {
		return err
	}
	server := &http.Server{Handler: routes(g, peers), ReadHeaderTimeout: time.Second}
	defer func() { _ = server.Close() }()
	go func() { _ = server.Serve(listener) }() // ends with Close

	event.On(g, func(_ context.Context, e event.RoleChange) { say(news{At: e.At, Kind: "role", Role: &e}) })
	event.On(g, func(_ context.Context, e event.HeartbeatMethodChange) {
		say(news{At: e.At, Kind: "note", Text: fmt.Sprintf("heartbeats over %s", e.New)})
	})
	go func() {
		defer cancel()
		for lines.Scan() {
			obey(ctx, g, lines.Bytes(), say)
		}
	}()
	return g.Run(ctx)
}

// obey carries one verb out and says how it ended.
func obey(ctx context.Context, g *availability.Group, line []byte, say func(news)) {
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return
	}
	var err error
	switch o.Do {
	case "create":
		err = g.Create(ctx)
	case "join":
		err = g.Join(ctx)
	case "failover":
		err = g.Failover(ctx)
	}
	done := news{At: time.Now(), Kind: "done", Text: o.Do}
	if err != nil {
		done.Error = err.Error()
	}
	say(done)
}

func teller(out io.Writer) func(news) {
	var mu sync.Mutex
	encoder := json.NewEncoder(out)
	return func(n news) {
		mu.Lock()
		defer mu.Unlock()
		_ = encoder.Encode(n) // a show that is gone hears nothing
	}
}

// routes is what a node serves: the transport for its peers, its state, and a
// workflow that works on the Primary only.
func routes(g *availability.Group, peers http.Handler) http.Handler {
	var count atomic.Uint64
	mux := http.NewServeMux()
	mux.Handle(httptransport.Path, peers)
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) {
		s := g.GetNodeState()
		_ = json.NewEncoder(w).Encode(sample{State: s, At: time.Now(), Count: count.Load(), Until: s.AuthorityUntil})
	})
	mux.HandleFunc("POST /work", func(w http.ResponseWriter, _ *http.Request) {
		if !g.IsPrimary() {
			http.Error(w, "not Primary", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, count.Add(1))
	})
	return mux
}
