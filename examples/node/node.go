package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// node is the group's part here, and the HTTP server around it.
type node struct {
	group  *availability.Group
	server *http.Server
	listen string
	log    *slog.Logger
	worked atomic.Uint64 // requests for work that were done
}

// newNode checks everything and starts nothing.
func newNode(o options, log *slog.Logger) (*node, error) {
	return assemble(o, o.group(log), log)
}

// assemble is newNode for a configuration with any store.
func assemble(o options, c availability.Config, log *slog.Logger) (*node, error) {
	may, err := newAccess(o.TokenFile)
	if err != nil {
		return nil, err
	}
	// The group knows the settings that were saved, and the defaults.
	probe, err := availability.New(c)
	if err != nil {
		return nil, err
	}
	s := probe.Info().Configuration
	serverTLS, clientTLS, err := o.secure(s.ExternalScheme)
	if err != nil {
		return nil, err
	}
	t := httptransport.New(httptransport.Config{TLS: clientTLS, Logger: log})
	c.Transport = t
	g, err := availability.New(c)
	if err != nil {
		return nil, err
	}
	work, err := o.primaryOnly(log)
	if err != nil {
		return nil, err
	}
	work.TLS = clientTLS
	n := &node{group: g, listen: o.Listen, log: log}
	if n.listen == "" {
		n.listen = net.JoinHostPort("", strconv.Itoa(int(s.ExternalPort)))
	}
	var peers http.Handler = t
	if o.TLSMutual {
		peers = onlyMutual(t)
	}
	n.server = newServer(n.handler(peers, work, may), serverTLS, log)
	return n, nil
}

func newServer(h http.Handler, t *tls.Config, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, TLSConfig: t, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
}

// run takes part in the group until ctx ends or the HTTP server fails. The
// server goes on until the group has handed over: the other nodes speak to it.
func (n *node) run(ctx context.Context) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", n.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	n.log.Info("listening", slog.String("address", l.Addr().String()), slog.Bool("tls", n.server.TLSConfig != nil))
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	var serveErr error
	all.Go(func() {
		defer cancel() // without a server there is no node
		serveErr = n.serve(l)
	})
	all.Go(func() {
		_ = n.group.RunWhilePrimary(ctx, n.work) // it ends with ctx, or after Run
	})
	err = n.group.Run(ctx)
	cancel()
	n.shutDown(context.WithoutCancel(ctx))
	all.Wait()
	return errors.Join(err, serveErr)
}

func (n *node) serve(l net.Listener) error {
	serve := n.server.Serve
	if n.server.TLSConfig != nil {
		serve = func(l net.Listener) error { return n.server.ServeTLS(l, "", "") }
	}
	if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// shutDown gives requests under way a moment to end.
func (n *node) shutDown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if n.server.Shutdown(ctx) != nil {
		_ = n.server.Close() // they had their moment
	}
	n.log.Info("stopped")
}
