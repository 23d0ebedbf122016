package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// host is the group's part here, and what the handlers need.
type host struct {
	group     *availability.Group
	ledger    ledger
	elsewhere httpapi.Elsewhere
	log       *slog.Logger
	server    *http.Server
}

// newHost checks everything and starts nothing.
func newHost(o options, c availability.Config, log *slog.Logger) (*host, error) {
	l, err := newLedger(o.Ledger)
	if err != nil {
		return nil, err
	}
	peers := httptransport.New(httptransport.Config{Logger: log})
	c.Transport, c.Logger = peers, log
	g, err := availability.New(c)
	if err != nil {
		return nil, err
	}
	event.On(g, func(_ context.Context, e event.RoleChange) {
		log.Info("role", "new", string(e.New), "cause", string(e.Cause), "term", e.Term)
	})
	h := &host{group: g, ledger: l, elsewhere: o.Elsewhere, log: log}
	mux := http.NewServeMux()
	mux.Handle(httptransport.Path, peers) // the other nodes
	mux.Handle("/ag/", httpapi.New(g, httpapi.Config{Authorize: onlyHere, Logger: log}))
	h.handle(mux)
	h.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	return h, nil
}

// onlyHere lets whoever is on this machine control the group, but no proxy, and
// no name that somebody has pointed here.
func onlyHere(r *http.Request, _ httpapi.Scope) (user string, err error) {
	for _, address := range []string{r.RemoteAddr, r.Host} {
		a, err := netip.ParseAddrPort(address)
		if err != nil || !a.Addr().Unmap().IsLoopback() {
			return "", httpapi.ErrForbidden
		}
	}
	if r.Header.Get("Forwarded")+r.Header.Get("X-Forwarded-For")+r.Header.Get("Via") != "" {
		return "", httpapi.ErrForbidden
	}
	return "this machine", nil
}

// run takes part in the group until ctx ends. The order of the end matters: Run
// hands the role over first, while the server still answers. Then the server
// stays for the TTL, since that long clients may come to the old address; it
// sends them to the new one.
func (h *host) run(ctx context.Context) error {
	s := h.group.Info().Configuration
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf(":%d", s.ExternalPort))
	if err != nil {
		return err
	}
	h.log.Info("listening", "address", l.Addr().String())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	var serveErr error
	all.Go(func() {
		defer cancel() // without a server there is no node
		serveErr = h.server.Serve(l)
	})
	err = h.group.Run(ctx)
	if err == nil {
		h.linger()
	}
	h.shutDown(context.WithoutCancel(ctx))
	all.Wait()
	if errors.Is(serveErr, http.ErrServerClosed) {
		serveErr = nil
	}
	return errors.Join(err, serveErr)
}

// linger waits for the TTL of the name as the group has it now, and a moment
// for what is on its way.
func (h *host) linger() {
	t := time.NewTimer(h.group.Info().Configuration.GroupFQDNTTL + time.Second)
	defer t.Stop()
	<-t.C
}

// shutDown gives requests under way a moment to end.
func (h *host) shutDown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	if h.server.Shutdown(ctx) != nil {
		_ = h.server.Close() // they had their moment
	}
}
