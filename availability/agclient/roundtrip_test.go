package agclient_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability/agclient"
)

func TestRoundTrip_GoesToWhomTheRecordNames(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.move(1, 101) // the resolver does not know yet
		l.want(1, http.MethodGet, "")
		l.want(1, http.MethodPost, "order")
		want := []request{
			{"GET", fqdn, "/", "", "101"},
			{"POST", fqdn, "/", "order", "101"},
		}
		if diff := cmp.Diff(want, l.nodes[1].served(), cmp.AllowUnexported(request{})); diff != "" {
			t.Errorf("requests mismatch (-want +got):\n%s", diff)
		}
		if got := l.store.Calls().Lookups; got != 1 {
			t.Errorf("%d look-ups, want 1", got)
		}
		wantDialed(t, l.net, 0, "192.0.2.2:80")
	})
}

func TestRoundTrip_CrashAndTakeover(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			inLab(t, nil, func(t *testing.T, l *lab) {
				l.want(0, method, "1")
				l.nodes[0].crash()
				if _, _, err := l.send(t.Context(), method, "/", "2"); err == nil {
					t.Fatal("no error while there is no Primary")
				}
				l.move(1, 101) // at once, ahead of any TTL
				l.sleep(time.Second)
				l.want(1, method, "3")
				if n := len(l.nodes[1].served()); n != 1 {
					t.Errorf("%d requests at the new Primary, want 1", n)
				}
			})
		})
	}
}

// A takeover between two requests is not noticed by the second one, whatever
// its method: nothing of it can be sent to the node that is dead.
func TestRoundTrip_TakeoverBetweenRequests(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			inLab(t, nil, func(_ *testing.T, l *lab) {
				l.want(0, method, "1")
				l.nodes[0].crash()
				l.move(1, 101)
				l.want(1, method, "2")
			})
		})
	}
}

func TestRoundTrip_PlannedFailover(t *testing.T) {
	for name, redirect := range map[string]string{"refused": "", "redirected": "http://192.0.2.2:80"} {
		t.Run(name, func(t *testing.T) {
			inLab(t, nil, func(t *testing.T, l *lab) {
				l.want(0, http.MethodPost, "1")
				l.nodes[0].set(func() { l.nodes[0].redirect = redirect })
				l.move(1, 101)
				l.want(1, http.MethodPost, "2")
				want := []request{{"POST", fqdn, "/", "2", "101"}}
				if diff := cmp.Diff(want, l.nodes[1].served(), cmp.AllowUnexported(request{})); diff != "" {
					t.Errorf("requests mismatch (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// In a handover the record names the new Primary before it has the role. The
// client waits until it has.
func TestRoundTrip_WaitsForTheHandover(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.want(0, http.MethodPost, "1")
		l.nodes[0].set(func() { l.nodes[0].primary = false })
		l.name(1, 101)
		time.AfterFunc(time.Second, func() { l.move(1, 102) })
		start := time.Now()
		l.want(1, http.MethodPost, "2")
		if took := time.Since(start); took < time.Second || took > 2*time.Second {
			t.Errorf("it took %v, want between one second and the patience", took)
		}
	})
}

func TestRoundTrip_PatienceEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		patience, least, most time.Duration
	}{
		"default": {0, time.Second, 2 * time.Second},
		"none":    {-1, 0, 100 * time.Millisecond},
		"long":    {10 * time.Second, 9 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(_ *lab, c *agclient.Config) { c.Patience = tt.patience }, func(t *testing.T, l *lab) {
				l.want(0, http.MethodGet, "")
				l.nodes[0].set(func() { l.nodes[0].primary = false })
				start := time.Now()
				status, _, err := l.send(t.Context(), http.MethodGet, "/", "")
				if status != http.StatusServiceUnavailable || err != nil {
					t.Errorf("got %d, %v, want the answer of the node", status, err)
				}
				if took := time.Since(start); took < tt.least || took > tt.most {
					t.Errorf("it took %v, want %v to %v", took, tt.least, tt.most)
				}
			})
		})
	}
}

// What a Primary answers itself is an answer, whatever its status.
func TestRoundTrip_PrimarysOwn503(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		status, _, err := l.send(t.Context(), http.MethodPost, "/busy", "1")
		if status != http.StatusServiceUnavailable || err != nil {
			t.Errorf("got %d, %v", status, err)
		}
		if n := len(l.nodes[0].served()); n != 1 {
			t.Errorf("it was sent %d times, want once", n)
		}
	})
}

// A connection that breaks after the request was sent leaves open whether it
// was served.
func TestRoundTrip_BrokenConnection(t *testing.T) {
	key := func(r *http.Request) { r.Header.Set("Idempotency-Key", "1") }
	old := func(r *http.Request) { r.Header["X-Idempotency-Key"] = nil } // it is not sent then
	stream := func(r *http.Request) { r.GetBody = nil }
	for name, tt := range map[string]struct {
		method string
		edit   func(*http.Request)
		again  bool
	}{
		"GET":             {http.MethodGet, nil, true},
		"HEAD":            {http.MethodHead, nil, true},
		"OPTIONS":         {http.MethodOptions, nil, true},
		"TRACE":           {http.MethodTrace, nil, true},
		"PUT":             {http.MethodPut, nil, true},
		"DELETE":          {http.MethodDelete, nil, true},
		"POST":            {http.MethodPost, nil, false},
		"PATCH":           {http.MethodPatch, nil, false},
		"POST with a key": {http.MethodPost, key, true},
		"POST, X- key":    {http.MethodPost, old, true},
		"PUT of a stream": {http.MethodPut, stream, false},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, nil, func(t *testing.T, l *lab) {
				l.want(0, http.MethodGet, "")
				l.nodes[0].served()
				l.nodes[0].set(func() { l.nodes[0].breaks = 10 })
				l.name(1, 101)
				l.nodes[1].set(func() { l.nodes[1].primary, l.nodes[1].term = true, 101 })
				body := "content"
				if tt.method == http.MethodTrace {
					body = "" // RFC 9110 §9.3.8
				}
				edit := func(r *http.Request) {
					if tt.edit != nil {
						tt.edit(r)
					}
				}
				_, _, err := l.send(t.Context(), tt.method, "/", body, edit)
				if (err == nil) != tt.again {
					t.Errorf("error %v", err)
				}
				var want []request
				if tt.again {
					want = []request{{tt.method, fqdn, "/", body, "101"}}
				}
				if diff := cmp.Diff(want, l.nodes[1].served(), cmp.AllowUnexported(request{})); diff != "" {
					t.Errorf("requests at the new Primary mismatch (-want +got):\n%s", diff)
				}
				l.want(1, http.MethodPost, "") // the next one needs no other failure
			})
		})
	}
}

// A Primary that lives, as it says itself, is sent a request again.
func TestRoundTrip_BrokenConnectionToTheLivingPrimary(t *testing.T) {
	inLab(t, nil, func(_ *testing.T, l *lab) {
		l.nodes[0].set(func() { l.nodes[0].breaks = 1 })
		l.want(0, http.MethodPut, "1")
	})
}

// Before a request is sent again there is a new look-up, also if the answer
// could not be understood.
func TestRoundTrip_LooksBeforeItSendsAgain(t *testing.T) {
	inLab(t, membersOnly, func(t *testing.T, l *lab) {
		l.want(0, http.MethodGet, "")
		l.nodes[0].set(func() { l.nodes[0].garbled = 1 })
		l.want(0, http.MethodPut, "")
		if got := l.nodes[0].questions(); got != 2 {
			t.Errorf("%d questions, want 2", got)
		}
	})
}

// A body that cannot be had again is sent once, also where it would do no harm.
func TestRoundTrip_StreamIsSentOnce(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.want(0, http.MethodGet, "")
		l.move(1, 101)
		status, _, err := l.send(t.Context(), http.MethodPost, "/", "1", func(r *http.Request) { r.GetBody = nil })
		if status != http.StatusServiceUnavailable || err != nil {
			t.Errorf("got %d, %v, want the refusal", status, err)
		}
		if n := len(l.nodes[1].served()); n != 0 {
			t.Errorf("%d requests at the new Primary", n)
		}
		l.want(1, http.MethodPost, "2")
	})
}

// A node that does not know that it is no longer Primary refuses a request of
// a client that knows, which it tells with each request.
func TestRoundTrip_StalePrimaryRefuses(t *testing.T) {
	inLab(t, func(_ *lab, c *agclient.Config) {
		c.Store = nil
		c.Members = []string{"http://192.0.2.1:8080", "http://192.0.2.2:8080"}
	},
		func(t *testing.T, l *lab) {
			a, b := l.nodes[0], l.nodes[1]
			l.move(1, 101)
			l.want(1, http.MethodPost, "1")
			b.crash()
			a.set(func() { a.deluded, a.term = true, 100 })
			for range 3 {
				status, _, err := l.send(t.Context(), http.MethodPost, "/", "2")
				if err == nil && status != http.StatusServiceUnavailable {
					t.Errorf("status %d of a stale node", status)
				}
				l.sleep(time.Second)
			}
			if got := a.served(); len(got) > 0 {
				t.Errorf("the stale node served %v", got)
			}
			b.restart()
			l.sleep(6 * time.Second)
			l.want(1, http.MethodPost, "3")
		})
}

// The term that is sent never falls, and one that the caller has set stays.
func TestRoundTrip_TermNeverFalls(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		a := l.nodes[0]
		for _, term := range []uint64{100, 130, 120, 110, 140} {
			a.set(func() { a.term = term })
			_, _, err := l.send(t.Context(), http.MethodGet, "/", "")
			if err != nil {
				t.Fatal(err)
			}
			l.sleep(time.Second)
		}
		_, _, err := l.send(t.Context(), http.MethodGet, "/", "", func(r *http.Request) { r.Header.Set("Ag-Term", "7") })
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range a.served() {
			got = append(got, r.term)
		}
		if diff := cmp.Diff([]string{"100", "100", "140", "7"}, got); diff != "" {
			t.Errorf("terms of requests served mismatch (-want +got):\n%s", diff)
		}
	})
}

func TestRoundTrip_OtherHosts(t *testing.T) {
	inLab(t, nil, func(t *testing.T, l *lab) {
		l.move(1, 101)
		l.net.resolve("other.lab.test", address(0))
		l.nodes[0].set(func() { l.nodes[0].primary = true })
		for _, url := range []string{"http://other.lab.test/", "http://" + address(0) + "/", "http://x." + fqdn + "/"} {
			_, _, _ = send(t.Context(), t, l.client, http.MethodGet, url, "")
		}
		if got := l.store.Calls().Lookups; got != 0 {
			t.Errorf("%d look-ups for other names", got)
		}
		for _, r := range l.nodes[0].served() {
			if r.term != "" {
				t.Errorf("another name was sent the term: %+v", r)
			}
		}
		for _, url := range []string{"http://" + fqdn + ":8080/", "http://APP.Lab.Test/", "http://" + fqdn + "./"} {
			if _, text, err := send(t.Context(), t, l.client, http.MethodGet, url, ""); text != "b" || err != nil {
				t.Errorf("%s: %q, %v, want an answer of the Primary", url, text, err)
			}
		}
	})
}
