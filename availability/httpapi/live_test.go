//go:build linux

package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asker sends one request and returns the status, the content type and the
// body of the answer.
type asker func(t testing.TB, method, url, user, contentType, body string) (status int, media, text string)

// byCurl asks as an operator does.
func byCurl(t testing.TB, method, url, user, contentType, body string) (status int, media, text string) {
	t.Helper()
	args := []string{"-sS", "--max-time", "60", "--noproxy", "*", "-X", method, "-w", "\n%{http_code} %{content_type}"}
	if user != "" {
		args = append(args, "-H", "Auth: Basic "+user)
	}
	if contentType != "" {
		args = append(args, "-H", "Content-Type: "+contentType, "--data-binary", body)
	}
	var problem bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "curl", append(args, url)...)
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("curl %s %s: %v\n%s", method, url, err, &problem)
	}
	text, tail, _ := cutLast(string(out), "\n")
	code, media, _ := strings.Cut(tail, " ")
	if status, err = strconv.Atoi(code); err != nil {
		t.Fatal(err)
	}
	return status, media, text
}

// byGo asks as a program does.
func byGo(t testing.TB, method, url, user, contentType, body string) (status int, media, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.Header.Set("Auth", "Basic "+user)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	w, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	answer, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.StatusCode, w.Header.Get("Content-Type"), string(answer)
}

// TestLive_BlueCat plays the life of a group as BlueCat documents it to two
// running nodes, from the first setting to the end of the group.
func TestLive_BlueCat(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]asker{"curl": byCurl, "go": byGo} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath("curl"); name == "curl" && err != nil {
				absent(t, "with curl: "+err.Error())
			}
			l := newLiveLab(t, bluecatUser)
			s := story{liveLab: l, ask: ask, a: l.node("a", "127.0.0.1"), b: l.node("b", "127.0.0.2")}
			s.outside()
			s.create()
			s.join()
			s.configure()
			s.failover()
			s.preflight()
			s.end()
		})
	}
}

// story is what happens to two nodes.
type story struct {
	*liveLab
	ask  asker
	a, b liveNode
}

// values are keys of an answer, with dots for those within, and their values.
type values map[string]any

// want asks as alice and compares the status and some values of the answer.
func (s *story) want(n liveNode, method, path, body string, status int, want values) {
	s.t.Helper()
	contentType := ""
	if body != "" {
		contentType = "application/json"
	}
	s.wantAs("alice", contentType, n, method, path, body, status, want)
}

func (s *story) wantAs(user, contentType string, n liveNode, method, path, body string, status int, want values) {
	s.t.Helper()
	code, media, text := s.ask(s.t, method, n.page+"api/v1/"+path, user, contentType, body)
	if code != status || media != "application/json" {
		s.t.Fatalf("%s %s: %d %s %s, want %d", method, path, code, media, text, status)
	}
	got := values{}
	for key := range want {
		got[key] = valueAt(s.t, text, key)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("%s %s: mismatch (-want +got):\n%s", method, path, diff)
	}
}

// valueAt is one value of a JSON text, "absent" if it is not there.
func valueAt(t testing.TB, text, key string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	for name := range strings.SplitSeq(key, ".") {
		o, _ := value.(map[string]any)
		found, ok := o[name]
		if !ok {
			return "absent"
		}
		value = found
	}
	return value
}

// awaitState waits until a node says of itself what is wanted.
func (s *story) awaitState(n liveNode, key string, want any) {
	s.t.Helper()
	s.await(fmt.Sprintf("%s of %s is %v", key, n.page, want), func() bool {
		_, _, text := s.ask(s.t, http.MethodGet, n.page+"api/v1/group", "alice", "", "")
		return cmp.Equal(valueAt(s.t, text, key), want)
	})
}

func denied(code, reason, user string, status float64) values {
	return values{"code": code, "details.reason": reason, "details.log_context": user, "status": status}
}

func says(message string) values { return values{"message": message} }

// outside: nothing is set, no group is there.
func (s *story) outside() {
	s.t.Helper()
	s.want(s.a, "GET", "state", "", 200, values{
		"heartbeat_method": nil, "last_heartbeat_time": nil, "last_updated": nil,
		"node_dns_connection_state": "not_applicable", "node_role": "not_in_group",
	})
	s.wantAs("", "", s.a, "GET", "group", "", 401, values{
		"code": "Unauthorized", "details.log_context": "", "message": "Authentication is required.", "status": 401.0,
	})
	s.wantAs("carol", "", s.a, "PUT", "failover", "", 403, values{
		"code": "Forbidden", "details.log_context": "carol", "message": "Insufficient access rights.", "status": 403.0,
	})
	s.wantAs("carol", "", s.a, "GET", "group", "", 200, values{"members.primary": nil, "members.secondary": nil, "state.node_role": "not_in_group"})
	s.want(s.a, "PUT", "failover", "", 409, denied("Conflict", "not_in_group", "alice", 409))
	s.want(s.a, "PUT", "group", `{"group_fqdn_ttl": 30}`, 409, denied("Conflict", "not_in_group", "alice", 409))
	s.want(s.a, "GET", "nothing", "", 404, denied("NotFound", "no_endpoint", "", 404))
	s.want(s.a, "DELETE", "state", "", 405, denied("MethodNotAllowed", "method", "", 405))
	for path, want := range map[string]int{"primary": 503, "secondary": 503, "livez": 200, "readyz": 503} {
		s.wantAs("", "", s.a, "GET", path, "", want, values{"node_role": "not_in_group"})
	}
	s.wantAs("", "", s.a, "GET", "openapi.json", "", 200, values{"openapi": "3.1.1"})
}

// create: first some settings, which stay, then the others with the request.
func (s *story) create() {
	s.t.Helper()
	s.wantAs("alice", "text/plain", s.a, "PUT", "configuration", `{"external_port": 1}`, 400, denied("BadRequest", "body", "alice", 400))
	s.want(s.a, "PUT", "configuration", `{"allowed_absence_interval": 47, "external_ipv4_address": "10.24.35.110", "external_port": 443,
		"external_scheme": "https", "group_fqdn": "gateway.example.net", "group_fqdn_ttl": 27, "health_check_interval": 25,
		"health_report_interval": 15, "tsig_algorithm": "hmac-sha512", "tsig_name": "ag", "tsig_secret": "`+s.key.Secret.Reveal()+`"}`,
		200, says("Availability group configuration saved."))
	s.want(s.a, "GET", "configuration", "", 200, values{
		"allowed_absence_interval": 47.0, "external_ipv4_address": "10.24.35.110", "group_fqdn": "gateway.example.net",
		"group_fqdn_ttl": 27.0, "health_check_interval": 25.0, "health_report_interval": 15.0, "tsig_algorithm": "hmac-sha512", "tsig_secret": "",
	})
	s.want(s.a, "POST", "group", "", 400, denied("BadRequest", "body", "alice", 400))
	s.want(s.a, "POST", "group", `{"external_scheme": "ftp"}`, 400, denied("BadRequest", "configuration", "alice", 400))
	s.want(s.a, "PUT", "group/members", `{"group_fqdn": "gateway.lab.test"}`, 409, denied("Conflict", "no_group", "alice", 409))
	create := fmt.Sprintf(`{"external_ipv4_address": %q, "external_scheme": "http", "external_port": %d, "group_fqdn": %q,
		"group_fqdn_ttl": 3, "health_report_interval": 1, "health_check_interval": 2, "allowed_absence_interval": 20}`, s.a.ip, s.a.port, liveFQDN)
	s.want(s.a, "POST", "group", create, 200, says("Availability group created."))
	s.want(s.a, "POST", "group", create, 409, denied("Conflict", "in_group", "alice", 409))
	s.want(s.a, "GET", "state", "", 200, values{"node_dns_connection_state": "connected", "node_role": "primary", "node_id": "a", "primary_id": "a"})
	s.awaitAddress(s.a.ip)
}

func (s *story) awaitAddress(want string) {
	s.t.Helper()
	s.await("the name has the address "+want, func() bool { return s.address() == want })
}

func (s *story) join() {
	s.t.Helper()
	s.want(s.b, "PUT", "configuration", `{"tsig_algorithm": "hmac-sha512", "tsig_name": "ag", "tsig_secret": "`+s.key.Secret.Reveal()+`"}`,
		200, says("Availability group configuration saved."))
	join := fmt.Sprintf(`{"external_ipv4_address": %q, "external_port": %d, "external_scheme": "http", "group_fqdn": %q}`, s.b.ip, s.b.port, liveFQDN)
	s.want(s.b, "PUT", "group/members", join, 200, says("Member added to availability group."))
	s.want(s.b, "PUT", "group/members", "", 409, denied("Conflict", "in_group", "alice", 409))
	for _, n := range []liveNode{s.a, s.b} {
		s.awaitState(n, "state.heartbeat_method", "direct")
		s.awaitState(n, "members.secondary", s.b.ip)
		s.want(n, "GET", "group", "", 200, values{
			"configuration.allowed_absence_interval": 20.0, "configuration.external_ipv4_address": n.ip, "configuration.external_port": float64(n.port),
			"configuration.external_scheme": "http", "configuration.group_fqdn": liveFQDN, "configuration.group_fqdn_ttl": 3.0,
			"configuration.health_check_interval": 2.0, "configuration.health_report_interval": 1.0,
			"configuration.tsig_algorithm": "hmac-sha512", "configuration.tsig_name": "ag", "configuration.tsig_secret": "",
			"members.primary": s.a.ip, "members.secondary": s.b.ip, "state.node_dns_connection_state": "connected", "state.primary_id": "a",
		})
	}
	s.want(s.b, "GET", "state", "", 200, values{"node_role": "secondary", "node_id": "b", "authority_until": nil})
	s.wantAs("", "", s.a, "GET", "primary", "", 200, values{"node_role": "primary"})
	s.wantAs("", "", s.b, "GET", "primary", "", 503, values{"node_role": "secondary"})
}

// configure: on either node, for both.
func (s *story) configure() {
	s.t.Helper()
	const updated = "Availability group configuration updated."
	s.want(s.a, "PUT", "group", `{"group_fqdn_ttl": 2}`, 200, says(updated))
	s.awaitState(s.b, "configuration.group_fqdn_ttl", 2.0)
	s.want(s.b, "PUT", "group", `{"health_check_interval": 3}`, 200, says(updated))
	for _, n := range []liveNode{s.a, s.b} {
		s.awaitState(n, "configuration.health_check_interval", 3.0)
	}
	s.want(s.a, "PUT", "group", `{"group_fqdn": "other.lab.test"}`, 400, denied("BadRequest", "configuration", "alice", 400))
	s.want(s.a, "PUT", "group", `{}`, 400, denied("BadRequest", "body", "alice", 400))
	s.want(s.a, "PUT", "configuration", `{"external_port": 1}`, 409, denied("Conflict", "in_group", "alice", 409))
}

// failover: there, and back by the node that is to take over.
func (s *story) failover() {
	s.t.Helper()
	const completed = "Manual failover completed."
	for _, way := range []struct{ ask, from, to liveNode }{{s.a, s.a, s.b}, {s.a, s.b, s.a}} {
		s.want(way.ask, "PUT", "failover", "", 200, says(completed))
		s.want(way.to, "GET", "state", "", 200, values{"node_role": "primary", "primary_id": way.to.GetNodeState().NodeID})
		s.awaitState(way.from, "state.node_role", "secondary")
		s.awaitState(way.from, "state.primary_id", way.to.GetNodeState().NodeID)
		s.awaitAddress(way.to.ip)
		s.want(way.from, "GET", "group", "", 200, values{"members.primary": way.to.ip, "members.secondary": way.from.ip})
	}
	s.want(s.a, "PUT", "failover", `{"to": "nobody"}`, 404, denied("NotFound", "unknown_member", "alice", 404))
	s.want(s.b, "PUT", "failover", `{"force": true, "reason": "a test"}`, 412, denied("PreconditionFailed", "primary_alive", "alice", 412))
	s.want(s.b, "PUT", "failover", `{"force": true}`, 400, denied("BadRequest", "configuration", "alice", 400))
}

// preflight: on either node, all is well.
func (s *story) preflight() {
	s.t.Helper()
	for _, n := range []liveNode{s.a, s.b} {
		s.wantAs("carol", "", n, "GET", "preflight", "", 200, values{"ok": true})
	}
}

// end: one leaves, the other dissolves the group.
func (s *story) end() {
	s.t.Helper()
	s.want(s.b, "DELETE", "group/members", "", 200, says("Member removed from availability group."))
	s.want(s.b, "GET", "state", "", 200, values{"node_role": "not_in_group", "node_dns_connection_state": "not_applicable"})
	s.want(s.b, "DELETE", "group/members", "", 409, denied("Conflict", "not_in_group", "alice", 409))
	s.awaitState(s.a, "members.secondary", nil)
	s.want(s.a, "DELETE", "group/members", "", 412, denied("PreconditionFailed", "no_target", "alice", 412))
	s.want(s.a, "DELETE", "group", "", 200, says("Availability group dissolved."))
	s.want(s.a, "GET", "state", "", 200, values{"node_role": "not_in_group", "primary_id": nil})
	s.awaitAddress("")
}
