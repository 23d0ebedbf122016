package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/availabilitygroup/ag/event"
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

// answerWork is what the Primary alone does when it is asked. The role and the
// term come from one state, so they belong together.
func (n *node) answerWork(w http.ResponseWriter, _ *http.Request) {
	s := n.group.GetNodeState()
	if s.NodeRole != event.RolePrimary {
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusServiceUnavailable, map[string]any{"error": "this node is not Primary", "primary_id": s.PrimaryID})
		return
	}
	answer(w, http.StatusOK, map[string]any{"node_id": s.NodeID, "term": s.Term, "count": n.worked.Add(1)})
}
