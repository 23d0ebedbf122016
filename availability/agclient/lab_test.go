package agclient_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/availabilitygroup/ag/availability/agclient"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/dnsstoretest"
	"github.com/availabilitygroup/ag/internal/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const fqdn = "app.lab.test"

// lab is two nodes of a group, their record and a client, in a bubble.
type lab struct {
	t      *testing.T
	net    *network
	memory *dnsstore.Memory
	store  *dnsstoretest.Faulty
	nodes  []*node
	client *agclient.Client
}

// node answers as the middleware and the role endpoints of package httpapi do.
type node struct {
	*host
	id     string
	server *http.Server

	mu       sync.Mutex
	primary  bool
	deluded  bool // it takes itself for Primary
	term     uint64
	breaks   int  // so many requests get a broken connection for an answer
	garbled  int  // so many get an answer that is not HTTP
	hangs    bool // it never answers
	closing  bool // it answers with Connection: close
	redirect string
	reads    bool // it serves GET also when it is not Primary
	silent   bool // its role endpoint does not exist
	bare     bool // its role endpoint does not tell the term
	requests []request
	asked    int    // how often for its role
	told     string // the term, with the last of these questions
}

// request is one that a node has served.
type request struct{ method, host, path, body, term string }

// inLab runs a test in a bubble. Node 0 is Primary in term 100, the resolver
// and the record say so.
func inLab(t *testing.T, edit func(*lab, *agclient.Config), test func(t *testing.T, l *lab)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{t: t, net: newNetwork(), memory: dnsstore.NewMemory()}
		l.store = dnsstoretest.NewFaulty(l.memory)
		defer l.stop()
		l.add()
		l.add()
		l.move(0, 100)
		l.net.resolve(fqdn, address(0))
		c := agclient.Config{FQDN: fqdn, Store: l.store, Base: &http.Transport{DialContext: l.net.dial}}
		if edit != nil {
			edit(l, &c)
		}
		client, err := agclient.New(c)
		if err != nil {
			t.Fatal(err)
		}
		l.client = client
		test(t, l)
	})
}

// add starts one more node.
func (l *lab) add() *node {
	i := len(l.nodes)
	n := &node{host: l.net.host(address(i)), id: string(rune('a' + i))}
	n.server = &http.Server{Handler: n, ReadHeaderTimeout: time.Minute}
	l.net.listeners.Go(func() { _ = n.server.Serve(n.host) })
	l.nodes = append(l.nodes, n)
	return n
}

// stop ends everything that the bubble has.
func (l *lab) stop() {
	if l.client != nil {
		l.client.CloseIdleConnections()
	}
	for _, n := range l.nodes {
		_ = n.server.Close()
	}
	l.net.listeners.Wait()
	l.store.Close()
	time.Sleep(time.Minute) // what dials in vain gives up
}

// move makes a node Primary, of which all know, the record too.
func (l *lab) move(i int, term uint64) {
	l.t.Helper()
	l.name(i, term)
	for j, n := range l.nodes {
		n.set(func() { n.primary, n.term = j == i, term })
	}
}

// name writes a record that names a node, or nobody.
func (l *lab) name(i int, term uint64) {
	l.t.Helper()
	l.write("TXT", `"v=spf1 -all"`, l.text(i, term))
	if i < 0 {
		l.write("A")
		return
	}
	l.write("A", address(i))
}

// text is the record that names a node, or nobody.
func (l *lab) text(i int, term uint64) string {
	l.t.Helper()
	r := record.Record{
		Group: "7f3c41d2", Term: term, Seq: 1, Nonce: "9b1e", By: "a",
		At: time.Unix(int64(term), 0).UTC(), AllowedAbsence: time.Minute, ReportInterval: 20 * time.Second, CheckInterval: 30 * time.Second,
		TTL: 20 * time.Second,
	}
	for j, n := range l.nodes {
		r.Members = append(r.Members, record.Member{ID: n.id, Scheme: "http", Port: 8080, Priority: 100, IPv4: netip.MustParseAddr(address(j))})
		if i == j {
			r.Primary, r.Run = n.id, "51aa"
		}
	}
	text, err := r.Strings()
	if err != nil {
		l.t.Fatal(err)
	}
	return dnsstore.FormatTXT(text)
}

// write replaces a set of records at the name.
func (l *lab) write(kind string, data ...string) {
	l.t.Helper()
	set := dnsstore.RRSet{Key: dnsstore.Key{Name: fqdn, Type: kind}, TTL: 20 * time.Second, Data: data}
	if err := l.memory.Apply(l.t.Context(), dnsstore.Change{Set: []dnsstore.RRSet{set}}); err != nil {
		l.t.Fatal(err)
	}
}

// sleep lets time pass, and all that is due in it happen.
func (l *lab) sleep(d time.Duration) {
	l.t.Helper()
	time.Sleep(d)
	synctest.Wait()
}

func (n *node) set(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
}

// ServeHTTP answers as a host program with the middleware does.
func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if wait, err := time.ParseDuration(strings.TrimPrefix(r.URL.Path, "/break/")); err == nil {
		time.Sleep(wait)
		panic(http.ErrAbortHandler)
	}
	n.hang(r)
	if r.URL.Path == "/slow" {
		_, _ = io.WriteString(w, "first ")
		_ = http.NewResponseController(w).Flush()
		time.Sleep(10 * time.Second)
		_, _ = io.WriteString(w, "last")
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	asked, _ := strconv.ParseUint(r.Header.Get("Ag-Term"), 10, 64)
	if r.URL.Path == "/ag/api/v1/primary" {
		n.role(w, r)
		return
	}
	if n.breaks > 0 {
		n.breaks--
		panic(http.ErrAbortHandler)
	}
	if n.garbled > 0 {
		n.garbled--
		garble(w)
		return
	}
	primary := n.primary || n.deluded
	switch {
	case primary && asked <= n.term:
		n.requests = append(n.requests, request{r.Method, r.Host, r.URL.Path, string(body), r.Header.Get("Ag-Term")})
		n.serve(w, r)
		return
	case primary:
		w.Header().Set("Ag-Role", "primary")
	case n.reads && r.Method == http.MethodGet:
		w.Header().Set("Ag-Role", "secondary")
		_, _ = fmt.Fprint(w, n.id)
		return
	default:
		w.Header().Set("Ag-Role", "secondary")
	}
	w.Header().Set("Ag-Term", strconv.FormatUint(n.term, 10))
	w.Header().Set("Connection", "close")
	if n.redirect != "" {
		w.Header().Set("Location", n.redirect+r.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = fmt.Fprint(w, "not Primary")
}

func (n *node) hang(r *http.Request) {
	n.mu.Lock()
	hangs := n.hangs
	n.mu.Unlock()
	if hangs {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

func garble(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = fmt.Fprint(conn, "HTTP/1.1 what\r\n\r\n")
	conn.Close()
}

func (n *node) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Ag-Role", "primary")
	w.Header().Set("Ag-Term", strconv.FormatUint(n.term, 10))
	if n.closing {
		w.Header().Set("Connection", "close")
	}
	if r.URL.Path == "/busy" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = fmt.Fprint(w, n.id)
}

func (n *node) role(w http.ResponseWriter, r *http.Request) {
	n.asked++
	n.told = r.Header.Get("Ag-Term")
	if n.silent || !strings.HasPrefix(r.RequestURI, "/") { // a proxy's form
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if !n.bare {
		w.Header().Set("Ag-Term", strconv.FormatUint(n.term, 10))
	}
	if !n.primary && !n.deluded {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// served is what the node has served, and forgets it.
func (n *node) served() []request {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.requests
	n.requests = nil
	return all
}

func (n *node) questions() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked
}

// send sends a request to the group by its name.
func (l *lab) send(ctx context.Context, method, path, body string, edit ...func(*http.Request)) (status int, text string, err error) {
	l.t.Helper()
	return send(ctx, l.t, l.client, method, "http://"+fqdn+path, body, edit...)
}

func send(ctx context.Context, t testing.TB, c http.RoundTripper, method, url, body string, edit ...func(*http.Request)) (status int, text string, err error) {
	t.Helper()
	var content io.Reader = http.NoBody
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edit {
		e(r)
	}
	response, err := c.RoundTrip(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	if response.Request != r {
		t.Error("the answer is not of the request that was made")
	}
	all, err := io.ReadAll(response.Body)
	return response.StatusCode, string(all), err
}

// want sends a request and wants an answer of that node.
func (l *lab) want(i int, method, body string) {
	l.t.Helper()
	status, text, err := l.send(l.t.Context(), method, "/", body)
	if err != nil || status != http.StatusOK || text != l.nodes[i].id {
		l.t.Fatalf("%s: status %d, %q, %v, want an answer of %s", method, status, text, err, l.nodes[i].id)
	}
}

// answers is a store that has one record of each type.
type answers map[string]string

func (a answers) Lookup(_ context.Context, k dnsstore.Key) (dnsstore.RRSet, error) {
	return dnsstore.RRSet{Key: k, Data: []string{a[k.Type]}}, nil
}

func (a answers) Apply(context.Context, dnsstore.Change) error { return dnsstore.ErrRefused }
