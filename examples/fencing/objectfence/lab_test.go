package objectfence_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/availabilitygroup/ag/examples/fencing/internal/objectserver"
	"github.com/availabilitygroup/ag/examples/fencing/objectfence"
)

// store is an object store with one guarded object.
type store struct {
	*objectserver.Server

	object objectfence.Object
}

const path = "/bucket/x"

func newStore(t *testing.T, generations bool) store {
	t.Helper()
	s := &objectserver.Server{Generations: generations}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return store{Server: s, object: objectfence.Object{URL: server.URL + path, Client: server.Client()}}
}

// through is the object as a node sees it whose requests go through trip.
func (s store) through(trip func(*http.Request) (*http.Response, error)) objectfence.Object {
	return objectfence.Object{URL: s.object.URL, Client: &http.Client{Transport: tripper(trip)}}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// terms returns the term of each version.
func (s store) terms(t *testing.T) []uint64 {
	t.Helper()
	var terms []uint64
	for _, version := range s.Versions(path) {
		var c objectfence.Content
		if err := json.Unmarshal(version, &c); err != nil {
			t.Fatal(err)
		}
		terms = append(terms, c.Term)
	}
	return terms
}

// becomes is a change to that data, whatever it was.
func becomes(data string) func(json.RawMessage) (json.RawMessage, error) {
	return func(json.RawMessage) (json.RawMessage, error) { return json.RawMessage(data), nil }
}
