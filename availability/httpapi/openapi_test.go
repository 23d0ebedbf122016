package httpapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/event"
)

// openapi is the document, read once.
var openapi = sync.OnceValues(func() (schemas, error) {
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		return schemas{}, err
	}
	d, err := decode(text)
	document, _ := d.(map[string]any)
	return schemas{document: document}, err
})

// decode keeps numbers as they are written.
func decode(text []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&value)
	return value, err
}

// checked is a handler whose every answer is compared with the document: the
// status, the header and the body. So is the body of every request that it
// granted. All tests of the API ask their questions through it.
func checked(t testing.TB, h http.Handler) http.Handler {
	t.Helper()
	doc, err := openapi()
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &answer{ResponseWriter: w}
		var sent bytes.Buffer
		r.Body = io.NopCloser(io.TeeReader(r.Body, &sent))
		h.ServeHTTP(seen, r)
		for _, problem := range doc.answered(r, sent.Bytes(), seen) {
			t.Errorf("%s %s, status %d: %s", r.Method, r.URL, seen.status, problem)
		}
	})
}

// answer keeps what is written through it.
type answer struct {
	http.ResponseWriter
	status int
	text   bytes.Buffer
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(p)
	a.text.Write(p[:n])
	return n, err
}

// answered returns how an answer differs from the document.
func (s schemas) answered(r *http.Request, sent []byte, a *answer) []string {
	_, path, isAPI := cutLast(r.URL.Path, "/api/v1/")
	if !isAPI {
		return nil // the status page
	}
	operations, _ := s.resolve("paths")["/"+path].(map[string]any)
	operation, ok := operations[strings.ToLower(r.Method)].(map[string]any)
	if !ok || r.Method != strings.ToUpper(r.Method) {
		return s.unknown(operations != nil, a)
	}
	response, ok := operation["responses"].(map[string]any)[strconv.Itoa(max(a.status, http.StatusOK))].(map[string]any)
	if !ok {
		return []string{"the document has no such status here; the answer is " + a.text.String()}
	}
	if ref, ok := response["$ref"].(string); ok {
		response = s.resolve(ref)
	}
	wrong := s.requested(operation, r, sent, a)
	headers, _ := response["headers"].(map[string]any)
	for name, header := range headers {
		described, _ := header.(map[string]any)
		if described["required"] == true && a.Header().Get(name) == "" {
			wrong = append(wrong, "no header field "+name)
		}
	}
	if r.Method == http.MethodHead {
		return wrong
	}
	return append(wrong, s.content(response, a.Header().Get("Content-Type"), a.text.Bytes())...)
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}

// unknown is the answer to what is not in the document.
func (s schemas) unknown(path bool, a *answer) []string {
	want := http.StatusNotFound
	if path {
		want = http.StatusMethodNotAllowed
	}
	if a.status != want {
		return []string{"the operation is not in the document"}
	}
	body, err := decode(a.text.Bytes())
	if err != nil {
		return []string{err.Error()}
	}
	return s.check(s.resolve("components/schemas/Problem"), body, "body")
}

// requested checks the body of a request that was granted.
func (s schemas) requested(operation map[string]any, r *http.Request, sent []byte, a *answer) []string {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if a.status != http.StatusOK || media != "application/json" || len(bytes.TrimSpace(sent)) == 0 {
		return nil
	}
	body, ok := operation["requestBody"].(map[string]any)
	if !ok {
		return nil // it is ignored
	}
	return s.content(body, media, sent)
}

// content checks a body by its type.
func (s schemas) content(message map[string]any, contentType string, text []byte) []string {
	content, _ := message["content"].(map[string]any)
	if content == nil {
		if len(text) > 0 {
			return []string{"the document knows of no body"}
		}
		return nil
	}
	media, _, _ := mime.ParseMediaType(contentType)
	one, ok := content[media].(map[string]any)
	if !ok {
		return []string{"content type " + contentType + ", the document has " + strings.Join(slices.Sorted(maps.Keys(content)), ", ")}
	}
	switch media {
	case "application/json":
		return s.text(one["schema"].(map[string]any), text)
	case "text/event-stream":
		return s.stream(string(text))
	}
	return nil
}

func (s schemas) text(schema map[string]any, text []byte) []string {
	value, err := decode(text)
	if err != nil {
		return []string{err.Error()}
	}
	return s.check(schema, value, "body")
}

// stream checks the data of each event that has come whole.
func (s schemas) stream(text string) []string {
	var wrong []string
	blocks := strings.Split(text, "\n\n")
	for _, block := range blocks[:len(blocks)-1] {
		if _, data, ok := strings.Cut(block, "\ndata: "); ok {
			wrong = append(wrong, s.text(s.resolve("components/schemas/Event"), []byte(data))...)
		}
	}
	return wrong
}

func TestDocument_Served(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a := l.start(func(_ *availability.Config, h *httpapi.Config) { h.Authorize = nil })
		w := a.ask(t, "GET", "openapi.json", "")
		file, err := os.ReadFile("openapi.json")
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != "application/json" || !bytes.Equal(file, w.Body.Bytes()) {
			t.Errorf("status %d, Content-Type %q, %d octets, the file has %d", w.Code, got, w.Body.Len(), len(file))
		}
	})
}

// Every kind of event is valid, be there much or little in it.
func TestDocument_Events(t *testing.T) {
	t.Parallel()
	doc, err := openapi()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[event.ID]bool{}
	h := func(id event.ID) event.Header {
		kinds[id] = true
		return event.Header{ID: id, Seq: 1, At: time.Date(2026, 11, 21, 20, 12, 50, 7, time.UTC), Group: "svc.lab.test", Node: "a", Term: 7}
	}
	for _, e := range []event.Event{
		event.RoleChange{Header: h(event.NodeRoleChanged), New: event.RolePrimary, Cause: event.CauseStarted},
		event.PrimaryChange{Header: h(event.PrimaryChanged)},
		event.DNSConnectionChange{Header: h(event.DNSConnectionChanged), Previous: event.DNSConnected, New: event.DNSDisconnected, Problem: "timeout"},
		event.HeartbeatMethodChange{Header: h(event.HeartbeatMethodChanged), New: event.HeartbeatDNS},
		event.HeartbeatLoss{Header: h(event.HeartbeatLost), Peer: "a"},
		event.HeartbeatReturn{Header: h(event.HeartbeatRestored), Peer: "a"},
		event.AuthorityRisk{Header: h(event.AuthorityAtRisk)},
		event.MembersChange{Header: h(event.MembersChanged), Joining: []string{"b"}},
		event.ConfigurationChange{Header: h(event.ConfigurationChanged), Fields: []string{"group_fqdn_ttl"}},
		event.PauseChange{Header: h(event.PauseChanged)},
		event.HealthChange{Header: h(event.HealthChanged), Problem: "disk full"},
		event.FailoverResult{Header: h(event.FailoverFinished), From: "a", To: "b", Cause: event.CauseForced, Reason: "power cut", Problem: "refused"},
		event.Conflict{Header: h(event.ConflictDetected), Problem: "two records"},
		event.HostRecordRepair{Header: h(event.HostRecordRepaired), Set: []string{"192.0.2.1"}},
		event.ClockSkew{Header: h(event.ClockSkewDetected), Peer: "ns1", Ahead: -time.Minute},
	} {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if wrong := doc.text(doc.resolve("components/schemas/Event"), text); len(wrong) > 0 {
			t.Errorf("%s: %q", text, wrong)
		}
	}
	for _, id := range event.IDs() {
		if !kinds[id] {
			t.Errorf("%s is not among them", id)
		}
	}
}

// What differs from the document is found.
func TestDocument_Bites(t *testing.T) {
	t.Parallel()
	doc, err := openapi()
	if err != nil {
		t.Fatal(err)
	}
	const state = `{"heartbeat_method":null,"last_heartbeat_time":null,"last_updated":"2022-11-25T18:28:53+00:00",` +
		`"node_dns_connection_state":"connected","node_role":"primary","node_id":"a","primary_id":"a","term":7,` +
		`"authority_until":null,"paused":false,"healthy":true}`
	const event = `{"id":"PAUSE_CHANGED","seq":1,"at":"2026-11-21T20:12:50Z","group":"g","node":"a","term":1,"paused":true}`
	replace := strings.Replace
	for name, tt := range map[string]struct {
		method, path, contentType, body string
		status                          int
		right                           bool
	}{
		"right":             {"GET", "state", "application/json", state, 200, true},
		"a property less":   {"GET", "state", "application/json", replace(state, `"paused":false,`, "", 1), 200, false},
		"a property more":   {"GET", "state", "application/json", replace(state, "{", `{"more":1,`, 1), 200, false},
		"another type":      {"GET", "state", "application/json", replace(state, `:7,`, `:"7",`, 1), 200, false},
		"no whole number":   {"GET", "state", "application/json", replace(state, `:7,`, `:7.5,`, 1), 200, false},
		"below the minimum": {"GET", "state", "application/json", replace(state, `:7,`, `:0,`, 1), 200, false},
		"an unknown word":   {"GET", "state", "application/json", replace(state, `"primary"`, `"leading"`, 1), 200, false},
		"no null":           {"GET", "state", "application/json", replace(state, `"primary"`, `null`, 1), 200, false},
		"no time":           {"GET", "state", "application/json", replace(state, `18:28`, `18-28`, 1), 200, false},
		"another status":    {"GET", "state", "application/json", state, 202, false},
		"another media":     {"GET", "state", "text/html", state, 200, false},
		"no endpoint":       {"GET", "nothing", "application/json", state, 200, false},
		"no header":         {"GET", "events", "application/json", `{}`, 503, false},
		"a body":            {"OPTIONS", "primary", "", "{}", 200, false},
		"an event":          {"GET", "events", "text/event-stream", "id: a-1\nevent: PAUSE_CHANGED\ndata: " + event + "\n\n", 200, true},
		"a wrong event":     {"GET", "events", "text/event-stream", "id: a-1\ndata: " + replace(event, "true", "1", 1) + "\n\n", 200, false},
		"an unknown event":  {"GET", "history", "application/json", `{"events":[` + replace(event, "PAUSE", "FLAG", 1) + `]}`, 200, false},
		"known events":      {"GET", "history", "application/json", `{"events":[` + event + `]}`, 200, true},
	} {
		a := &answer{ResponseWriter: httptest.NewRecorder()}
		a.Header().Set("Content-Type", tt.contentType)
		a.WriteHeader(tt.status)
		if _, err := a.Write([]byte(tt.body)); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), tt.method, "/ag/api/v1/"+tt.path, nil)
		if wrong := doc.answered(r, nil, a); (len(wrong) == 0) != tt.right {
			t.Errorf("%s: found %q", name, wrong)
		}
	}
}
