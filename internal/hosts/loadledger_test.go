//go:build linux

package hosts_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// written is an entry as examples/workflow writes it, and answers with it.
type written struct {
	ID   string `json:"id"`
	Node string `json:"node"`
	Term uint64 `json:"term"`
}

const (
	webLedgerPort = "7001"
	// far is how long an entry is on its way, so that some always are.
	far = 30 * time.Millisecond
)

// webLedger serves the ledger of the lab over HTTP, as examples/workflow wants
// it: 409 for an old term. It returns its URL.
func (l *lab) webLedger() string {
	l.t.Helper()
	address := net.JoinHostPort(addressOf(outside), webLedgerPort)
	listener, err := l.net.hosts[outside].listen(l.t.Context(), address)
	if err != nil {
		l.t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e written
		err := json.NewDecoder(r.Body).Decode(&e)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		<-time.NewTimer(far).C
		answer, err := l.ledger.write(fmt.Sprintf("%s %d %s", e.Node, e.Term, e.ID))
		if err != nil || strings.HasPrefix(answer, "old") {
			w.WriteHeader(http.StatusConflict)
		}
	})}
	l.all.Go(func() { _ = s.Serve(listener) })
	l.t.Cleanup(func() { _ = s.Close() })
	return "http://" + address + "/entries"
}
