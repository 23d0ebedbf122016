package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/availabilitygroup/ag/availability/httpapi"
)

// work is what the Primary alone does in the background: here it only says so.
// It has to return when ctx ends. What it writes elsewhere should carry the
// term, so that a writer that was held up can be refused.
func (n *node) work(ctx context.Context, term uint64) error {
	n.log.Info("work begins", slog.Uint64("term", term))
	<-ctx.Done()
	n.log.Info("work ends", slog.Uint64("term", term))
	return nil
}

// answerWork is what the Primary alone does when it is asked. The guard is
// right before what cannot be undone; here that is a count.
func (n *node) answerWork(w http.ResponseWriter, r *http.Request) {
	term, err := n.group.Guard(r.Context())
	switch {
	case err != nil && httpapi.PassOn(r): // it came just before a failover
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{ // a client that has gone needs no answer
		"node_id": n.group.GetNodeState().NodeID, "term": term, "count": n.worked.Add(1),
	})
}
