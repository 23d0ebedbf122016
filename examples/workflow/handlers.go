package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/availabilitygroup/ag/availability/httpapi"
)

const (
	// writeWithin is how long the ledger may take. It may be more than the stop
	// budget: an entry that is late finds a newer term in the ledger.
	writeWithin = 2 * time.Second
	// holdFor is how long a client may wait for a planned failover to end. All
	// of ours wait longer for an answer.
	holdFor = 5 * time.Second
)

// handle adds both handlers. What differs is what becomes of a request at a
// node that is not Primary, and that is not their affair.
func (h *host) handle(mux *http.ServeMux) {
	mux.Handle("POST /orders/{id}", httpapi.PrimaryOnly(h.group, h.work("order"),
		httpapi.PrimaryOnlyConfig{Elsewhere: h.elsewhere, HoldFor: holdFor, Logger: h.log})) // 307 by default
	mux.Handle("POST /reminders/{id}", httpapi.PrimaryOnly(h.group, h.work("reminder"),
		httpapi.PrimaryOnlyConfig{Elsewhere: httpapi.ElsewhereRefuse, Logger: h.log}))
}

// work is called on the Primary alone. To ask IsPrimary here would not be
// enough: the answer may be old by the time of the write. The entry has the
// term, so that the ledger can tell.
func (h *host) work(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e := entry{ID: r.PathValue("id"), Kind: kind, Node: h.group.GetNodeState().NodeID}
		err := h.enter(r.Context(), &e)
		switch {
		case err == nil:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(e) // a client that has gone needs no answer
		case nothingDone(err) && httpapi.PassOn(r):
			// The next Primary does it instead, and the client notices nothing.
		case nothingDone(err):
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		default:
			// Whoever asks again now may have the order twice.
			h.log.Error("an entry may be lost", "id", e.ID, "err", err.Error())
			http.Error(w, "the ledger did not answer", http.StatusBadGateway)
		}
	}
}

// enter is the side effect. The guard comes right before it, after all that
// takes time. The write does not end with the tenure: a planned failover waits
// for it, and half a write would help nobody.
func (h *host) enter(ctx context.Context, e *entry) (err error) {
	if e.Term, err = h.group.Guard(ctx); err != nil {
		return fmt.Errorf("%w: %w", errNotBegun, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWithin)
	defer cancel()
	return h.ledger.write(ctx, *e)
}

// errNotBegun: the node is no longer Primary, or the client has gone.
var errNotBegun = errors.New("nothing was written")

// nothingDone tells whether it is certain that the ledger has no such entry.
func nothingDone(err error) bool { return errors.Is(err, errNotBegun) || errors.Is(err, errOldTerm) }
