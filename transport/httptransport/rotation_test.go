package httptransport_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// restartable is a node that can be started anew at the same address, with
// nothing in its memory.
type restartable struct {
	node
	t     testing.TB
	front atomic.Pointer[httptransport.Transport]
	stop  func()
}

func newRestartable(t testing.TB, id string) *restartable {
	t.Helper()
	r := &restartable{t: t, stop: func() {}}
	r.id = id
	r.url = listen(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.front.Load().ServeHTTP(w, q) }))
	return r
}

func (r *restartable) start(keys ...transport.Key) {
	r.t.Helper()
	r.stop()
	r.Transport = newTransport(r.t, httptransport.Config{})
	if err := r.SetKeys(keys...); err != nil {
		r.t.Fatalf("SetKeys: %v", err)
	}
	if err := r.SetAddress(groupName, r.id); err != nil {
		r.t.Fatalf("SetAddress: %v", err)
	}
	r.front.Store(r.Transport)
	r.stop = serve(r.t, r.Transport, echo)
	waitOpen(r.t, r.Transport)
}

// TestRotation goes through a change of keys in every order in which two nodes
// always have a key in common, with every pattern of exchanges between the
// steps, and with restarts. No exchange may fail.
func TestRotation(t *testing.T) {
	t.Parallel()
	orders := []string{"abab", "abba", "baab", "baba"}
	patterns := []string{"ab", "ba", "ab ba", "ba ab", "-"}
	restarts := []string{"", "a", "b"}
	for _, order := range orders {
		for _, pattern := range patterns {
			for _, restart := range restarts {
				t.Run(fmt.Sprintf("%s/%s/%s", order, pattern, restart), func(t *testing.T) {
					t.Parallel()
					rotate(t, order, pattern, restart)
				})
			}
		}
	}
}

func rotate(t *testing.T, order, pattern, restart string) {
	t.Helper()
	old, young := testKey(t, 'o'), testKey(t, 'y')
	stages := [][]transport.Key{{old}, {young, old}, {young}}
	nodes := map[rune]*restartable{'a': newRestartable(t, "a"), 'b': newRestartable(t, "b")}
	stage := map[rune]int{}
	for _, n := range nodes {
		n.start(stages[0]...)
	}
	talk := func() {
		for pair := range strings.FieldsSeq(pattern) {
			if pair != "-" {
				mustExchange(t, nodes[rune(pair[0])].node, nodes[rune(pair[1])].node, `1`)
			}
		}
	}
	talk()
	for _, who := range order {
		stage[who]++
		if err := nodes[who].SetKeys(stages[stage[who]]...); err != nil {
			t.Fatalf("SetKeys: %v", err)
		}
		talk()
		for _, who := range restart {
			nodes[who].start(stages[stage[who]]...)
		}
		talk()
	}
	mustExchange(t, nodes['a'].node, nodes['b'].node, `1`)
	mustExchange(t, nodes['b'].node, nodes['a'].node, `1`)
}

// TestRotation_WhichKey checks what a request is signed with: the newest, then
// what the peer used last.
func TestRotation_WhichKey(t *testing.T) {
	t.Parallel()
	old, young := testKey(t, 'o'), testKey(t, 'y')
	a := newNode(t, "a", httptransport.Config{Keys: []transport.Key{young, old}}, echo)
	b := newNode(t, "b", httptransport.Config{Keys: []transport.Key{old}}, echo)
	tap, seen := newTap(t, b)
	mustExchange(t, a, seen, `1`)
	mustExchange(t, a, seen, `1`)
	if err := b.SetExplicitKeys(young, old); err != nil {
		t.Fatal(err)
	}
	mustExchange(t, a, seen, `1`) // b still answers with the key of the request
	if err := b.SetExplicitKeys(young); err != nil {
		t.Fatal(err)
	}
	mustExchange(t, a, seen, `1`)
	requests, _ := tap.seen()
	var got []string
	for _, o := range requests {
		got = append(got, o.get("key"))
	}
	o, y := old.ID(), young.ID()
	if want := []string{y, o, o, o, o, y}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("requests are signed with %v, want %v", got, want)
	}
}

func TestRotation_LearnsFromRequests(t *testing.T) {
	t.Parallel()
	old, young := testKey(t, 'o'), testKey(t, 'y')
	a := newNode(t, "a", httptransport.Config{Keys: []transport.Key{old}}, echo)
	b := newNode(t, "b", httptransport.Config{Keys: []transport.Key{young, old}}, echo)
	mustExchange(t, a, b, `1`)
	tap, seen := newTap(t, a)
	mustExchange(t, b, seen, `1`)
	requests, _ := tap.seen()
	if got := requests[0].get("key"); got != old.ID() {
		t.Errorf("the first request is signed with %s, want %s, which the peer used", got, old.ID())
	}
}

// TestRotation_SameID changes from one key to another that has the same ID.
func TestRotation_SameID(t *testing.T) {
	t.Parallel()
	var keys [2]transport.Key
	for i, octets := range []string{"a key with the ID of another 00026772", "a key with the ID of another 00050905"} {
		key, err := transport.NewKey([]byte(octets))
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = key
	}
	if keys[0].ID() != keys[1].ID() || keys[0] == keys[1] {
		t.Fatalf("got keys %v, want two with one ID", keys)
	}
	both := newNode(t, "b", httptransport.Config{Keys: keys[:]}, echo)
	for _, key := range keys {
		one := newNode(t, "a", httptransport.Config{Keys: []transport.Key{key}}, echo)
		mustExchange(t, one, both, `1`)
	}
}

// TestSetExplicitKeys checks which keys count.
func TestSetExplicitKeys(t *testing.T) {
	t.Parallel()
	explicit, derived := testKey(t, 'e'), testKey(t, 'd')
	a := newNode(t, "a", httptransport.Config{Keys: []transport.Key{explicit}}, nil)
	b := newNode(t, "b", httptransport.Config{Keys: []transport.Key{derived}}, echo)
	if err := b.SetKeys(explicit); err != nil {
		t.Fatal(err)
	}
	_, err := exchange(t, a, b.peer(), `1`)
	wantKind(t, err, transport.ErrUnauthenticated)
	if err := b.SetExplicitKeys(transport.Key{}); err == nil {
		t.Error("SetExplicitKeys with a zero key: got no error")
	}
	_, err = exchange(t, a, b.peer(), `1`)
	wantKind(t, err, transport.ErrUnauthenticated)
	if err := b.SetExplicitKeys(); err != nil {
		t.Fatal(err)
	}
	mustExchange(t, a, b, `1`)
}

// TestSecrets looks for the octets of a key wherever something is printed.
func TestSecrets(t *testing.T) {
	t.Parallel()
	key := testKey(t, 'S')
	secret := strings.Repeat("S", 8)
	c := httptransport.Config{Keys: []transport.Key{key}}
	a := newNode(t, "a", c, nil)
	b := newNode(t, "b", httptransport.Config{Keys: []transport.Key{testKey(t, 'T')}}, echo)
	_, err := exchange(t, a, b.peer(), `1`)
	stats, jsonErr := json.Marshal(struct {
		Config []transport.Key     `json:"config"`
		Stats  httptransport.Stats `json:"stats"`
	}{c.Keys, a.Stats()})
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	for _, text := range []string{
		err.Error(), fmt.Sprintf("%+v %#v %x", err, err, err), string(stats),
		fmt.Sprintf("%v %+v %#v %s %x %q", c, c, c, c.Keys, c.Keys, c.Keys), fmt.Sprintf("%+v", a.Transport), fmt.Sprintf("%#v", a.Transport),
	} {
		if strings.Contains(text, secret) || strings.Contains(strings.ToLower(text), strings.Repeat("53", 8)) ||
			strings.Contains(text, strings.Repeat("83 ", 8)) {
			t.Errorf("a key is in %s", text)
		}
	}
}
