//go:build linux

package e2e_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/internal/testserver"
)

// What an operator may get wrong: each mistake has an answer of its own, which
// says what to look at.
func TestMistakes(t *testing.T) {
	t.Parallel()
	l := newLab(t, testserver.WithOnlyNames(fqdn), testserver.WithRecords("alias CNAME ns1\n"))
	unknown, wrong := l.key, l.key
	unknown.Name = "nobody"
	wrong.Secret = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("w", 32)))
	for name, tt := range map[string]struct {
		options options
		status  int
		want    []string
	}{
		"wrong secret":     {options{"tsig_key_file": l.keyFile(wrong)}, http.StatusServiceUnavailable, []string{"BADSIG", "check tsig_secret"}},
		"unknown key":      {options{"tsig_key_file": l.keyFile(unknown)}, http.StatusServiceUnavailable, []string{"BADKEY", "check tsig_name"}},
		"other algorithm":  {options{".tsig_algorithm": "hmac-sha512"}, http.StatusServiceUnavailable, []string{"BADKEY", "tsig_algorithm"}},
		"zone not served":  {options{"zone": "other.test", ".group_fqdn": "svc.other.test"}, http.StatusServiceUnavailable, []string{"other.test"}},
		"no zone found":    {options{"zone": "", ".group_fqdn": "svc.other.test"}, http.StatusServiceUnavailable, []string{"svc.other.test"}},
		"not allowed":      {options{".group_fqdn": "other.lab.test"}, http.StatusServiceUnavailable, []string{"REFUSED", "policy"}},
		"an alias":         {options{".group_fqdn": "alias.lab.test"}, http.StatusServiceUnavailable, []string{"CNAME"}},
		"nobody there":     {options{"server": "127.0.0.1:1"}, http.StatusServiceUnavailable, []string{"connection refused", "check that the server is there"}},
		"no such host":     {options{"server": "no-such-host.invalid:53"}, http.StatusServiceUnavailable, []string{"no-such-host.invalid"}},
		"address missing":  {options{".external_ipv4_address": nil}, http.StatusBadRequest, []string{"external_ipv4_address: is needed"}},
		"a name too short": {options{".group_fqdn": nil}, http.StatusBadRequest, []string{"group_fqdn: is needed"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := l.node("a", tt.options)
			n.start()
			status, problem := l.post(n, "/create")
			t.Logf("%d %s", status, problem)
			if status != tt.status {
				t.Errorf("status = %d, want %d", status, tt.status)
			}
			for _, want := range tt.want {
				if !strings.Contains(problem, want) {
					t.Errorf("answer = %q, want %q in it", problem, want)
				}
			}
			if got := l.state(n).Role; got != "not_in_group" {
				t.Errorf("role = %s", got)
			}
			n.crash()
		})
	}
}

// What is at the name already, and is not ours, is neither used nor changed.
func TestNameIsTaken(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.node("a"), l.node("b")
	a.start()
	b.start()
	name := fqdn + ". "

	l.mustUpdate("update add " + name + "60 A 192.0.2.66")
	if status, problem := l.post(a, "/create"); status != http.StatusConflict || !strings.Contains(problem, "192.0.2.66") {
		t.Errorf("create where others' addresses are = %d %q", status, problem)
	}
	if status, problem := l.post(a, "/join"); status != http.StatusConflict || !strings.Contains(problem, "no group") {
		t.Errorf("join where no group is = %d %q", status, problem)
	}
	l.mustUpdate("update delete "+name+"A", "update add "+name+"60 TXT \"v=spf1 -all\"")
	l.do(a, "/create")
	if status, problem := l.post(b, "/create"); status != http.StatusConflict || !strings.Contains(problem, "join it") {
		t.Errorf("create where a group is = %d %q", status, problem)
	}
	if got := len(l.query(16)); got != 2 {
		t.Errorf("%d TXT records, want ours and the one that was there", got)
	}
	l.do(a, "/dissolve")

	l.mustUpdate("update delete "+name+"TXT", "update add "+name+"60 TXT \"ag=2\" \"group=future\"")
	for _, n := range []*node{a, b} {
		status, problem := l.post(n, "/create")
		t.Logf("a record of another version: %d %s", status, problem)
		if status == http.StatusOK || !strings.Contains(problem, "version") {
			t.Errorf("create where a record of another version is = %d %q", status, problem)
		}
	}
	if got := quoted(l.texts()); got != `"ag=2" "group=future"` {
		t.Errorf("the record of another version is now %s", got)
	}
}
