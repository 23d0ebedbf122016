package embedded_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/dnsstore"
)

// requireEnv makes a missing tool a failure.
const requireEnv = "AG_REQUIRE_SERVERS"

func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv(requireEnv) == "1" {
		t.Fatalf("%s is not installed, and %s=1", name, requireEnv)
	}
	t.Skipf("NOT TESTED: %s is not installed; set %s=1 to make this a failure", name, requireEnv)
}

const toolKey = "hmac-sha256:ag-key:" + secret

// dig returns what dig prints, without blank lines and comments.
func dig(t *testing.T, addr string, args ...string) []string {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"@" + host, "-p", port, "+nocookie", "+time=10", "+tries=1"}, args...)
	out, err := exec.CommandContext(t.Context(), "dig", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("dig %q: %v\n%s", args, err, out)
	}
	var lines []string
	for l := range strings.SplitSeq(string(out), "\n") {
		if l != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

func nsupdate(t *testing.T, addr, script string, args ...string) (string, error) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "nsupdate", append([]string{"-t", "10"}, args...)...)
	cmd.Stdin = strings.NewReader(fmt.Sprintf("server %s %s\n%s\nsend\n", host, port, script))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestDig(t *testing.T) {
	t.Parallel()
	needTool(t, "dig")
	c := testConfig()
	c.Records = []dnsstore.RRSet{
		rrset("svc.example.test", "A", "192.0.2.1"),
		rrset("svc.example.test", "AAAA", "2001:db8::1"),
		rrset("svc.example.test", "TXT", `"ag=1" "group=7f3c41d2" "q=\"\\;\255"`),
		rrset("www.example.test", "CNAME", "svc.example.test."),
		rrset("long.example.test", "TXT", longData()...),
	}
	s := start(t, c)
	tests := []struct {
		args []string
		want []string
	}{
		{[]string{"+short", "svc.example.test", "A"}, []string{"192.0.2.1"}},
		{[]string{"+short", "+tcp", "svc.example.test", "AAAA"}, []string{"2001:db8::1"}},
		{[]string{"+short", "svc.example.test", "TXT"}, []string{`"ag=1" "group=7f3c41d2" "q=\"\\;\255"`}},
		{[]string{"+short", "www.example.test", "A"}, []string{"svc.example.test.", "192.0.2.1"}},
		{[]string{"+short", "example.test", "SOA"}, []string{"ns.example.test. hostmaster.example.test. 1 3600 600 604800 5"}},
		{[]string{"+short", "-y", toolKey, "svc.example.test", "A"}, []string{"192.0.2.1"}},
		{[]string{"+short", "+tcp", "-y", toolKey, "svc.example.test", "A"}, []string{"192.0.2.1"}},
		{[]string{"+short", "+noedns", "+ignore", "long.example.test", "TXT"}, nil},
		{[]string{"+short", "+noedns", "long.example.test", "TXT"}, longData()}, // by itself over TCP
		{[]string{"+noall", "+authority", "none.example.test", "A"}, []string{
			"example.test.\t\t5\tIN\tSOA\tns.example.test. hostmaster.example.test. 1 3600 600 604800 5",
		}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, dig(t, s.addr, tt.args...)); diff != "" {
			t.Errorf("dig %q: mismatch (-want +got):\n%s", tt.args, diff)
		}
	}
	for _, tt := range []struct{ args, status string }{
		{"svc.example.test MX", "NOERROR"},
		{"none.example.test A", "NXDOMAIN"},
		{"example.org A", "REFUSED"},
		{"+opcode=notify example.test SOA", "NOTIMP"},
		{"+edns=1 +noednsneg example.test SOA", "BADVERS"},
		{"-y hmac-sha256:ag-key:AAAA example.test SOA", "NOTAUTH"},
		{"-y hmac-sha512:ag-key:" + secret + " example.test SOA", "NOTAUTH"},
	} {
		out := strings.Join(dig(t, s.addr, strings.Fields(tt.args)...), "\n")
		if !strings.Contains(out, "status: "+tt.status+",") {
			t.Errorf("dig %s: want %s\n%s", tt.args, tt.status, out)
		}
	}
	signed := strings.Join(dig(t, s.addr, "-y", toolKey, "svc.example.test", "A"), "\n")
	if strings.Contains(signed, "Couldn't verify") || !strings.Contains(signed, "TSIG PSEUDOSECTION") {
		t.Errorf("signed query:\n%s", signed)
	}
}

func longData() []string {
	var out []string
	for i := range 4 {
		out = append(out, dnsstore.FormatTXT([]string{strings.Repeat(fmt.Sprint(i), 200)}))
	}
	return out
}

func TestNsupdate(t *testing.T) {
	t.Parallel()
	needTool(t, "nsupdate")
	needTool(t, "dig")
	s := start(t, testConfig())
	keyed := []string{"-y", toolKey}
	tests := []struct {
		name, script string
		args         []string
		status       string // empty: applied
		want         []string
	}{
		{"first", "zone example.test\nprereq nxrrset svc.example.test TXT\nupdate add svc.example.test 30 TXT \"r1\" \"x\"", keyed, "", []string{`"r1" "x"`}},
		{"again", "zone example.test\nprereq nxrrset svc.example.test TXT\nupdate add svc.example.test 30 TXT \"r2\"", keyed, "YXRRSET", []string{`"r1" "x"`}},
		{"swap, zone found by nsupdate", "prereq yxrrset svc.example.test TXT \"r1\" \"x\"\nupdate delete svc.example.test TXT\nupdate add svc.example.test 30 TXT r2", keyed, "", []string{`"r2"`}},
		{"other value", "prereq yxrrset svc.example.test TXT r1\nupdate delete svc.example.test TXT", keyed, "NXRRSET", []string{`"r2"`}},
		{"over TCP", "update delete svc.example.test TXT\nupdate add svc.example.test 30 TXT r3", []string{"-y", toolKey, "-v"}, "", []string{`"r3"`}},
		{"name in use", "prereq nxdomain svc.example.test\nupdate delete svc.example.test", keyed, "YXDOMAIN", []string{`"r3"`}},
		{"name not in use", "prereq yxdomain none.example.test\nupdate delete svc.example.test", keyed, "NXDOMAIN", []string{`"r3"`}},
		{"another zone", "zone example.org\nupdate add a.example.org 30 A 192.0.2.1", keyed, "NOTAUTH", []string{`"r3"`}},
		{"wrong secret", "zone example.test\nupdate delete svc.example.test", []string{"-y", "hmac-sha256:ag-key:AAAA"}, "BADSIG", []string{`"r3"`}},
		{"unknown key", "zone example.test\nupdate delete svc.example.test", []string{"-y", "hmac-sha256:other:" + secret}, "BADKEY", []string{`"r3"`}},
		{"no key", "zone example.test\nupdate delete svc.example.test", nil, "REFUSED", []string{`"r3"`}},
		{"delete", "update delete svc.example.test", keyed, "", nil},
	}
	for _, tt := range tests {
		out, err := nsupdate(t, s.addr, tt.script, tt.args...)
		if (err == nil) != (tt.status == "") || !strings.Contains(out, tt.status) {
			t.Errorf("%s: %v, %q; want %q", tt.name, err, out, tt.status)
		}
		if diff := cmp.Diff(tt.want, dig(t, s.addr, "+short", "svc.example.test", "TXT")); diff != "" {
			t.Errorf("%s: mismatch (-want +got):\n%s", tt.name, diff)
		}
	}
}
