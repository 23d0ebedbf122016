package embedded_test

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// limitEnv is the longest file, in octets, that a child may write, until its
// standard input gets a line.
const limitEnv = "AG_EMBEDDED_CHILD_LIMIT"

func limitFileSize() {
	limit, err := strconv.ParseUint(os.Getenv(limitEnv), 10, 64)
	if err != nil {
		return
	}
	signal.Ignore(syscall.SIGXFSZ) // the write fails instead
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
		fmt.Println(err)
		return
	}
	whole := r.Cur
	r.Cur = limit
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
		fmt.Println(err)
	}
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		r.Cur = whole
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
			fmt.Println(err)
		}
	}()
}

// TestDiskFull: updates get SERVFAIL and change nothing, neither now nor after
// a restart; all else goes on; and so do updates once there is room again.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "zone")
	room, lift, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := startChildWithInput(t, dir, room, limitEnv+"=5000")
	cl := dial(t, "udp", c.addr)
	n := 0
	for rcode := dns.RcodeSuccess; rcode == dns.RcodeSuccess; {
		rcode = mustExchange(cl, swap(t, "svc", value(n), value(n+1))).Rcode
		if rcode == dns.RcodeSuccess {
			n++
		} else if rcode != dns.RcodeServerFailure || n == 0 || n > 100 {
			t.Fatalf("update %d: %s, want SERVFAIL", n+1, dns.RcodeToString[rcode])
		}
	}
	check := func(addr string) {
		t.Helper()
		if diff := cmp.Diff([]string{strconv.Quote(value(n))}, lookup(t, dial(t, "udp", addr), "svc."+zoneName, dns.TypeTXT)); diff != "" {
			t.Errorf("mismatch (-want +got):\n%s", diff)
		}
	}
	check(c.addr)
	if got := mustExchange(cl, update(t, "prereq svc 0 IN TXT "+value(n))).Rcode; got != dns.RcodeSuccess {
		t.Errorf("prerequisites only: %s, want NOERROR", dns.RcodeToString[got])
	}
	c.kill()

	c = startChildWithInput(t, dir, room, limitEnv+"=5000")
	check(c.addr)
	cl = dial(t, "udp", c.addr)
	if got := mustExchange(cl, swap(t, "svc", value(n), value(n+1))).Rcode; got != dns.RcodeServerFailure {
		t.Errorf("after a restart: %s, want SERVFAIL", dns.RcodeToString[got])
	}
	if _, err := lift.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	applied(t, cl, swap(t, "svc", value(n), value(n+1)))
	n++
	check(c.addr)
	c.kill()
	check(startChild(t, dir).addr)
}

func value(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint("v", n)
}
