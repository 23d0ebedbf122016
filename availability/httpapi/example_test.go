package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/dnsstore"
)

// A program mounts the API beside its own handlers and decides who may do
// what. Here whoever knows the token may do everything.
func ExampleNew() {
	g, err := availability.New(availability.Config{
		Settings: availability.Settings{
			GroupFQDN: "app.example.net", ExternalIPv4Address: netip.MustParseAddr("192.0.2.1"),
		},
		Store: dnsstore.NewMemory(), // rfc2136.Config{…}.Open as OpenStore, in a program
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/ag/", httpapi.New(g, httpapi.Config{
		Authorize: func(r *http.Request, _ httpapi.Scope) (user string, err error) {
			if r.Header.Get("Authorization") != "Bearer correct-horse-battery" {
				return "", httpapi.ErrUnauthenticated
			}
			return "operator", nil
		},
	}))

	for _, path := range []string{"primary", "state"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/ag/api/v1/"+path, nil))
		fmt.Printf("%d %s", w.Code, w.Body)
	}
	// Output:
	// 503 {
	//   "node_role": "not_in_group"
	// }
	// 401 {
	//   "code": "Unauthorized",
	//   "details": {
	//     "log_context": "",
	//     "reason": "unauthenticated"
	//   },
	//   "message": "Authentication is required.",
	//   "status": 401
	// }
}
