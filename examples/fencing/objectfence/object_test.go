package objectfence_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/availabilitygroup/ag/examples/fencing/objectfence"
)

func TestWrite_Order(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		terms   []uint64
		written []uint64
	}{
		"one":                     {[]uint64{7}, []uint64{7}},
		"the same again":          {[]uint64{7, 7}, []uint64{7, 7}},
		"a newer one":             {[]uint64{7, 8}, []uint64{7, 8}},
		"an older one":            {[]uint64{8, 7}, []uint64{8}},
		"the newer one goes on":   {[]uint64{7, 8, 7, 8, 7}, []uint64{7, 8, 8}},
		"the stopped one is gone": {[]uint64{7, 8, 9, 8, 7, 9}, []uint64{7, 8, 9, 9}},
		"the largest":             {[]uint64{1<<64 - 1, 1}, []uint64{1<<64 - 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, false)
			var newest uint64
			for i, term := range tt.terms {
				err := s.object.Write(t.Context(), term, becomes(fmt.Sprint(i)))
				if want := term < newest; errors.Is(err, objectfence.ErrFenced) != want || !want && err != nil {
					t.Errorf("term %d after %d: %v", term, newest, err)
				}
				newest = max(newest, term)
			}
			if got := s.terms(t); !slices.Equal(got, tt.written) {
				t.Errorf("written %d, want %d", got, tt.written)
			}
		})
	}
}

// TestStopped: a Primary is stopped between its read and its PUT. With
// generations and with tags of the content alone, a claim of the newer one is
// enough to refuse it, though the data are the same.
func TestStopped(t *testing.T) {
	t.Parallel()
	for name, generations := range map[string]bool{"generations": true, "tags of the content": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, generations)
			if err := s.object.Write(t.Context(), 1, becomes(`"old"`)); err != nil {
				t.Fatal(err)
			}
			calls := 0
			err := s.object.Write(t.Context(), 1, func(json.RawMessage) (json.RawMessage, error) {
				calls++
				return json.RawMessage(`"late"`), s.object.Claim(t.Context(), 2) // of the other node, meanwhile
			})
			if !errors.Is(err, objectfence.ErrFenced) || calls != 1 || s.Refused() != 1 {
				t.Errorf("the late write: %v; changed %d times, %d times refused by 412", err, calls, s.Refused())
			}
			got, err := s.object.Read(t.Context())
			if err != nil || got.Term != 2 || string(got.Data) != `"old"` {
				t.Errorf("the object has term %d and %s (%v)", got.Term, got.Data, err)
			}
		})
	}
}

// TestUnclaimed: what doc.go warns of. An older write goes through until the
// newer Primary has touched that object.
func TestUnclaimed(t *testing.T) {
	t.Parallel()
	s := newStore(t, false)
	other := objectfence.Object{URL: s.object.URL + "-other", Client: s.object.Client}
	if err := other.Claim(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if err := s.object.Write(t.Context(), 1, becomes("1")); err != nil {
		t.Errorf("the object that was not touched: %v", err)
	}
	if err := other.Write(t.Context(), 1, becomes("1")); !errors.Is(err, objectfence.ErrFenced) {
		t.Errorf("the one that was: %v", err)
	}
}

// TestLateRequest: the PUT is on its way while the newer Primary takes over.
func TestLateRequest(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]bool{"a new object": true, "one that was there": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, false)
			if !first {
				if err := s.object.Claim(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
			}
			slow := s.through(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodPut {
					if err := s.object.Claim(t.Context(), 2); err != nil {
						t.Error(err)
					}
				}
				return s.object.Client.Transport.RoundTrip(r)
			})
			if err := slow.Write(t.Context(), 1, becomes(`"late"`)); !errors.Is(err, objectfence.ErrFenced) {
				t.Errorf("the late write: %v", err)
			}
			if got := s.terms(t); got[len(got)-1] != 2 {
				t.Errorf("written %d", got)
			}
		})
	}
}

// TestWrite_Together: writers of one term lose nothing of each other, and those
// of older terms are refused in the end.
func TestWrite_Together(t *testing.T) {
	t.Parallel()
	const terms, nodes, each = 3, 2, 8
	s := newStore(t, true)
	var all sync.WaitGroup
	for term := uint64(1); term <= terms; term++ {
		for range nodes {
			all.Go(func() {
				for range each {
					err := objectfence.ErrBusy
					for errors.Is(err, objectfence.ErrBusy) { // the others are many
						err = s.object.Write(t.Context(), term, increment)
					}
					if err != nil && (term == terms || !errors.Is(err, objectfence.ErrFenced)) {
						t.Errorf("term %d: %v", term, err)
					}
				}
			})
		}
	}
	all.Wait()
	got := s.terms(t)
	newest := len(got) - max(slices.Index(got, terms), 0)
	if !slices.IsSorted(got) || newest != nodes*each {
		t.Errorf("written %d", got)
	}
	if c, err := s.object.Read(t.Context()); err != nil || string(c.Data) != fmt.Sprint(len(got)) {
		t.Errorf("counted %s (%v) in %d writes", c.Data, err, len(got))
	}
}

func increment(data json.RawMessage) (json.RawMessage, error) {
	n := 0
	if len(data) > 0 {
		if err := json.Unmarshal(data, &n); err != nil {
			return nil, err
		}
	}
	return json.Marshal(n + 1)
}

// TestAnswers: what other stores answer, each once and then nothing unusual.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		method string
		code   int
		tag    string
		body   string
		again  bool
		want   error // nil: any but ErrFenced
	}{
		"two writes meet, as S3 says it":   {http.MethodPut, http.StatusConflict, "", "", true, nil},
		"deleted meanwhile, as S3 says it": {http.MethodPut, http.StatusNotFound, "", "", true, nil},
		"a bucket that is not ours":        {http.MethodPut, http.StatusForbidden, "", "", false, nil},
		"a store that is ill":              {http.MethodPut, http.StatusServiceUnavailable, "", "", false, nil},
		"a read that is refused":           {http.MethodGet, http.StatusForbidden, "", "", false, nil},
		"a weak tag":                       {http.MethodGet, http.StatusOK, `W/"1"`, "{}", false, objectfence.ErrNoTag},
		"no tag":                           {http.MethodGet, http.StatusOK, "", "{}", false, objectfence.ErrNoTag},
		"no JSON":                          {http.MethodGet, http.StatusOK, `"1"`, "<html>", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, false)
			if err := s.object.Claim(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			before := len(s.terms(t))
			done := false
			object := s.through(func(r *http.Request) (*http.Response, error) {
				if r.Method != tt.method || done {
					return s.object.Client.Transport.RoundTrip(r)
				}
				done = true
				w := httptest.NewRecorder()
				w.Header().Set("ETag", tt.tag)
				w.WriteHeader(tt.code)
				_, _ = io.WriteString(w, tt.body)
				return w.Result(), nil
			})
			err := object.Write(t.Context(), 1, becomes("1"))
			if (err == nil) != tt.again || errors.Is(err, objectfence.ErrFenced) || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if n := len(s.terms(t)) - before; (n == 1) != tt.again {
				t.Errorf("%d writes", n)
			}
		})
	}
}

// TestWrite_Ends: with the error of the change, and with the context.
func TestWrite_Ends(t *testing.T) {
	t.Parallel()
	s := newStore(t, false)
	err := s.object.Write(t.Context(), 1, func(json.RawMessage) (json.RawMessage, error) { return nil, io.EOF })
	if !errors.Is(err, io.EOF) || len(s.terms(t)) > 0 {
		t.Errorf("a change that fails: %v; written %d", err, s.terms(t))
	}
	ctx, end := context.WithCancel(t.Context())
	quicker := 0
	err = s.object.Write(ctx, 1, func(json.RawMessage) (json.RawMessage, error) {
		if quicker++; quicker == 5 {
			end()
		}
		return json.RawMessage("0"), s.object.Write(t.Context(), 1, becomes(fmt.Sprint(quicker)))
	})
	if !errors.Is(err, context.Canceled) || quicker != 5 {
		t.Errorf("somebody is always quicker: %v after %d times", err, quicker)
	}
	if err := (objectfence.Object{URL: "%"}).Claim(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "%") {
		t.Errorf("no URL: %v", err)
	}
}
