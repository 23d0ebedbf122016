package main

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// handler is everything that this node answers: the other nodes; the HTTP API,
// to those who may; and the work, on the Primary, to everybody.
func (n *node) handler(peers http.Handler, work httpapi.PrimaryOnlyConfig, may access) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(httptransport.Path, peers)
	mux.Handle("/ag/", httpapi.New(n.group, httpapi.Config{Authorize: may.authorize, Logger: n.log}))
	mux.Handle("/work", httpapi.PrimaryOnly(n.group, http.HandlerFunc(n.answerWork), work))
	return mux
}

// primaryOnly is what becomes of requests for work at other nodes.
func (o *options) primaryOnly(log *slog.Logger) (httpapi.PrimaryOnlyConfig, error) {
	c := httpapi.PrimaryOnlyConfig{Elsewhere: httpapi.Elsewhere(o.Elsewhere), Logger: log}
	switch c.Elsewhere {
	case "", httpapi.ElsewhereRedirect, httpapi.ElsewhereForward, httpapi.ElsewhereRefuse:
		return c, nil
	}
	return c, fmt.Errorf("elsewhere: %q is neither %s nor %s nor %s", o.Elsewhere,
		httpapi.ElsewhereRedirect, httpapi.ElsewhereForward, httpapi.ElsewhereRefuse)
}
