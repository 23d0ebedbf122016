package availability_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/transport"
)

// The example of BlueCat's page on subscribe, in Go. There a handler of events
// keeps the role in a variable, and a route looks at the variable. Here the
// route asks for the role when the request comes, so that it cannot be served
// by what was true at the last event; the handler only tells. Previous is
// empty in the first event, in which a subscriber hears the present role.
func Example_bluecat() {
	g, stop := startExample(exampleConfig("a", "192.0.2.10", dnsstore.NewMemory(), transport.NewMemory()))
	defer stop()

	told := make(chan struct{}, 2)
	event.On(g, func(_ context.Context, e event.RoleChange) { // subscribe(EventId.NODE_ROLE_CHANGED, ag_hook)
		defer func() { told <- struct{}{} }()
		if e.Previous == "" {
			fmt.Println("the node started as", e.New)
			return
		}
		switch e.New {
		case event.RoleNotInGroup:
			fmt.Println("the node has left the group")
		case event.RolePrimary:
			fmt.Println("the node is Primary now, it was", e.Previous)
		case event.RoleSecondary:
			fmt.Println("the node is Secondary now, it was", e.Previous)
		}
	})
	route := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if g.GetNodeState().NodeRole != event.RolePrimary { // get_node_state().node_role != NodeRole.PRIMARY
			http.Error(w, "ask the Primary", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprint(w, "done by the Primary")
	})

	<-told
	fmt.Println(answerOf(route))
	if err := g.Create(context.Background()); err != nil {
		fmt.Println(err)
	}
	<-told
	fmt.Println(answerOf(route))
	// Output:
	// the node started as not_in_group
	// 503
	// the node is Primary now, it was not_in_group
	// 200
	// the node is Secondary now, it was primary
}

func answerOf(h http.Handler) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", http.NoBody))
	return w.Code
}
