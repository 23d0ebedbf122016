package embedded_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/journal"
	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

func TestDir_KeepsTheZone(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.Dir = filepath.Join(t.TempDir(), "zone")
	c.Records = []dnsstore.RRSet{rrset("first.example.test", "A", "192.0.2.1")}
	s := start(t, c)
	mustUpdate(t, dial(t, "udp", s.addr), swap(t, "svc", "", "r1"))

	second := newServer(t, c)
	if err := second.Run(t.Context()); !errors.Is(err, embedded.ErrLocked) {
		t.Errorf("second server: %v, want ErrLocked", err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}

	// An unfinished entry, as after a crash.
	path := filepath.Join(c.Dir, "zone.journal")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("\x00\x00\x00\x10half")
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	var lines testnode.Log
	c.Logger = slog.New(slog.NewTextHandler(&lines, nil))
	c.Records = []dnsstore.RRSet{rrset("second.example.test", "A", "192.0.2.2")}
	s = start(t, c)
	cl := dial(t, "udp", s.addr)
	got := map[string][]string{
		"svc":    lookup(t, cl, "svc.example.test.", dns.TypeTXT),
		"first":  lookup(t, cl, "first.example.test.", dns.TypeA),
		"second": lookup(t, cl, "second.example.test.", dns.TypeA),
	}
	want := map[string][]string{"svc": {`"r1"`}, "first": {"192.0.2.1"}, "second": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	if got := s.Serial(); got != 2 {
		t.Errorf("serial %d, want 2", got)
	}
	if !strings.Contains(lines.String(), "unfinished entry removed") {
		t.Errorf("the cut is not in the log:\n%s", &lines)
	}
	if strings.Contains(lines.String(), secret) {
		t.Error("the secret is in the log")
	}
}

func TestDir_Mistakes(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.Dir = filepath.Join(t.TempDir(), "zone")
	s := start(t, c)
	for _, v := range []string{"r1", "r2"} {
		mustUpdate(t, dial(t, "udp", s.addr), update(t, "update svc 30 IN TXT "+v))
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}

	other := c
	other.Zone = "example.org"
	if err := newServer(t, other).Run(t.Context()); !errors.Is(err, embedded.ErrCorrupt) {
		t.Errorf("another zone: %v, want ErrCorrupt", err)
	}

	path := filepath.Join(c.Dir, "zone.journal")
	octets, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	octets[60] ^= 1
	if err := os.WriteFile(path, octets, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := newServer(t, c).Run(t.Context()); !errors.Is(err, embedded.ErrCorrupt) {
		t.Errorf("damaged: %v, want ErrCorrupt", err)
	}

	c.Dir = filepath.Join(t.TempDir(), "empty")
	l, _, err := journal.Open(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Rewrite(nil), l.Close()); err != nil {
		t.Fatal(err)
	}
	if err := newServer(t, c).Run(t.Context()); !errors.Is(err, embedded.ErrCorrupt) {
		t.Errorf("a zone without SOA: %v, want ErrCorrupt", err)
	}

	c.Dir = filepath.Join(t.TempDir(), "none", "zone")
	if err := newServer(t, c).Run(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory above: %v, want ErrNotExist", err)
	}
}

// TestDir_MendsItself: the journal cannot be rewritten, so that it is not known
// what is on the disk. Updates are refused until that has changed, and queries
// are answered meanwhile.
func TestDir_MendsItself(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.Dir = filepath.Join(t.TempDir(), "zone")
	var lines testnode.Log
	c.Logger = slog.New(slog.NewTextHandler(&lines, nil))
	s := start(t, c)
	cl := dial(t, "tcp", s.addr)
	path := filepath.Join(c.Dir, "zone.journal")
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Skipf("not possible here: %v", err) // where open files have a name
	}
	n := 0
	for rcode := dns.RcodeSuccess; rcode == dns.RcodeSuccess; n++ {
		rcode = mustExchange(cl, longUpdate(t, n)).Rcode
		if rcode != dns.RcodeSuccess && rcode != dns.RcodeServerFailure || n > 100 {
			t.Fatalf("update %d: %s", n, dns.RcodeToString[rcode])
		}
	}
	last := strconv.Quote(strconv.Itoa(n - 2))
	if diff := cmp.Diff([]string{last}, lookup(t, cl, "svc."+zoneName, dns.TypeTXT)); diff != "" {
		t.Errorf("after SERVFAIL: mismatch (-want +got):\n%s", diff)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, cl, update(t, "update other 30 IN TXT after"))
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if log := lines.String(); !strings.Contains(log, "cannot be rewritten") || !strings.Contains(log, "cannot be written") {
		t.Errorf("log:\n%s", log)
	}
	cl = dial(t, "udp", start(t, c).addr)
	got := [][]string{lookup(t, cl, "svc."+zoneName, dns.TypeTXT), lookup(t, cl, "other."+zoneName, dns.TypeTXT)}
	if diff := cmp.Diff([][]string{{last}, {`"after"`}}, got); diff != "" {
		t.Errorf("after a restart: mismatch (-want +got):\n%s", diff)
	}
}

// longUpdate fills the journal quickly.
func longUpdate(t *testing.T, n int) *dns.Msg {
	t.Helper()
	long := strings.Repeat(fmt.Sprintf(" %q", fmt.Sprint(n, strings.Repeat("x", 240))), 100)
	return update(t,
		"update svc 0 ANY TXT", fmt.Sprintf("update svc 30 IN TXT %d", n),
		"update long 0 ANY TXT", "update long 30 IN TXT"+long)
}
