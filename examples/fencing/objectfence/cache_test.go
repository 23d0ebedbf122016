package objectfence_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/examples/fencing/internal/objectserver"
	"github.com/availabilitygroup/ag/examples/fencing/objectfence"
)

// cache stands between a node and the store, and gives the first answer to GET
// again and again.
type cache struct {
	store   *objectserver.Server
	listens bool // to Cache-Control
	kept    *httptest.ResponseRecorder
	puts    int
}

func (c *cache) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	switch {
	case r.Method == http.MethodPut:
		if c.puts++; c.puts > 100 {
			return nil, errors.New("this goes on for ever")
		}
		c.store.ServeHTTP(w, r)
	case c.kept == nil || c.listens && r.Header.Get("Cache-Control") == "no-cache":
		c.store.ServeHTTP(w, r)
		c.kept = w
	default:
		w.Header().Set("ETag", c.kept.Header().Get("ETag"))
		w.WriteHeader(c.kept.Code)
		_, _ = w.Write(c.kept.Body.Bytes())
	}
	return w.Result(), nil
}

// TestCache: somebody writes past the cache. Write asks for what is there by
// now; if it does not get it, it gives up after some time.
func TestCache(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		listens bool
		want    error
		terms   []uint64
	}{
		"that listens": {true, nil, []uint64{1, 2, 2}},
		"that is deaf": {false, objectfence.ErrBusy, []uint64{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := store{Server: &objectserver.Server{}, object: objectfence.Object{URL: "http://store.example.net" + path}}
				past := s.object
				past.Client = &http.Client{Transport: &cache{store: s.Server, listens: true}}
				c := &cache{store: s.Server, listens: tt.listens}
				s.object.Client = &http.Client{Transport: c}
				if err := past.Claim(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
				if _, err := s.object.Read(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := past.Claim(t.Context(), 2); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				err := s.object.Write(t.Context(), 2, becomes("1"))
				if !errors.Is(err, tt.want) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
				if took := time.Since(start); took > 10*time.Second || (took > 10*time.Millisecond) == tt.listens {
					t.Errorf("%d writes were tried within %v", c.puts, took)
				}
				if got := s.terms(t); !slices.Equal(got, tt.terms) {
					t.Errorf("written %d, want %d", got, tt.terms)
				}
			})
		})
	}
}
