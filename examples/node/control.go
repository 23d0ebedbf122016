package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// handler is everything that this node answers: the work, to everybody; the
// other nodes; and the control endpoints, to those who may.
func (n *node) handler(peers http.Handler, may access) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(httptransport.Path, peers)
	mux.HandleFunc("GET /work", n.answerWork)
	control := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, may.guard(h)) }
	control("GET /state", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, n.group.GetNodeState()) })
	control("GET /group", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, n.group.Info()) })
	control("GET /stats", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, n.group.Stats()) })
	for name, do := range n.verbs() {
		control("POST /"+name, n.verb(name, do))
	}
	return mux
}

// verbs are what an operator can have done, with the parameters of the query.
func (n *node) verbs() map[string]func(ctx context.Context, q url.Values) error {
	g := n.group
	return map[string]func(context.Context, url.Values) error{
		"create": func(ctx context.Context, q url.Values) error { return g.Create(ctx, createOptions(q)...) },
		"join":   func(ctx context.Context, _ url.Values) error { return g.Join(ctx) },
		"leave":  func(ctx context.Context, _ url.Values) error { return g.Leave(ctx) },
		"remove": func(ctx context.Context, q url.Values) error { return g.Remove(ctx, q.Get("id")) },

		"dissolve": func(ctx context.Context, _ url.Values) error { return g.Dissolve(ctx) },
		"failover": func(ctx context.Context, q url.Values) error { return g.Failover(ctx, failoverOptions(q)...) },
		"pause":    func(ctx context.Context, q url.Values) error { return g.Pause(ctx, q.Get("reason")) },
		"resume":   func(ctx context.Context, _ url.Values) error { return g.Resume(ctx) },
	}
}

// createOptions reads ?adopt=1.
func createOptions(q url.Values) []availability.CreateOption {
	if q.Get("adopt") != "1" {
		return nil
	}
	return []availability.CreateOption{availability.AdoptHostRecord()}
}

// failoverOptions reads ?to=ID, and ?force=REASON, which takes the role on the
// operator's word that the Primary is dead.
func failoverOptions(q url.Values) []availability.FailoverOption {
	var opts []availability.FailoverOption
	if q.Has("to") {
		opts = append(opts, availability.To(q.Get("to")))
	}
	if q.Has("force") {
		opts = append(opts, availability.Force(q.Get("force")))
	}
	return opts
}

// verb answers when what was asked is true, or cannot become so. It waits for
// two failover periods at most.
func (n *node) verb(name string, do func(context.Context, url.Values) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		within := max(2*n.group.Info().Configuration.AllowedAbsenceInterval, 10*time.Second)
		ctx, cancel := context.WithTimeout(r.Context(), within)
		defer cancel()
		if err := do(ctx, r.URL.Query()); err != nil {
			n.log.Warn("refused", slog.String("verb", name), slog.String("from", r.RemoteAddr), slog.String("err", err.Error()))
			answerError(w, statusOf(err), err)
			return
		}
		n.log.Info("done", slog.String("verb", name), slog.String("from", r.RemoteAddr))
		answer(w, http.StatusOK, n.group.GetNodeState())
	}
}
