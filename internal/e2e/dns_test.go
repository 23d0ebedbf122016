//go:build linux

package e2e_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/internal/record"
)

// query asks the server as any client would: not signed, over UDP.
func (l *lab) query(kind uint16) []dns.RR {
	l.t.Helper()
	var last error
	for range 5 { // a busy machine loses datagrams
		m := new(dns.Msg).SetQuestion(dns.Fqdn(fqdn), kind)
		m.RecursionDesired = false
		m.SetEdns0(4096, false)
		answer, _, err := (&dns.Client{Timeout: 3 * time.Second}).Exchange(m, l.dns.Addr)
		if err == nil {
			return answer.Answer
		}
		last = err
	}
	l.t.Fatalf("query %s: %v", fqdn, last)
	return nil
}

// addresses are those of the name, sorted.
func (l *lab) addresses() []string {
	l.t.Helper()
	var all []string
	for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA} {
		for _, rr := range l.query(kind) {
			switch rr := rr.(type) {
			case *dns.A:
				all = append(all, rr.A.String())
			case *dns.AAAA:
				all = append(all, rr.AAAA.String())
			}
		}
	}
	slices.Sort(all)
	return all
}

// texts are the strings of the one TXT record of the name; nil if there is none.
func (l *lab) texts() []string {
	l.t.Helper()
	all := l.query(dns.TypeTXT)
	if len(all) > 1 {
		l.t.Fatalf("%d TXT records at %s: %v", len(all), fqdn, all)
	}
	for _, rr := range all {
		if txt, ok := rr.(*dns.TXT); ok {
			return txt.Txt
		}
	}
	return nil
}

// record is the group as the name says.
func (l *lab) record() record.Record {
	l.t.Helper()
	r, err := record.Parse(l.texts())
	if err != nil {
		l.t.Fatalf("the record of %s: %v", fqdn, err)
	}
	return r
}

func memberIDs(r record.Record) []string {
	var ids []string
	for _, m := range r.Members {
		ids = append(ids, m.ID)
	}
	return ids
}

// nsupdate is what an operator would use. It returns what the program printed
// and whether the server has taken the update.
func (l *lab) nsupdate(lines ...string) (string, bool) {
	l.t.Helper()
	path, err := exec.LookPath("nsupdate")
	if err != nil {
		if os.Getenv("AG_REQUIRE_SERVERS") == "1" {
			l.t.Fatal(err)
		}
		l.t.Skip("NOT TESTED: there is no nsupdate; install it, or set AG_REQUIRE_SERVERS=1 to make this a failure")
	}
	server := strings.Replace(l.dns.Addr, ":", " ", 1)
	script := "server " + server + "\nzone " + l.dns.Zone + ".\n" + strings.Join(lines, "\n") + "\nsend\n"
	cmd := exec.CommandContext(l.t.Context(), path, "-k", l.keyFile(l.key))
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// mustUpdate is nsupdate for what has to be taken.
func (l *lab) mustUpdate(lines ...string) {
	l.t.Helper()
	if out, ok := l.nsupdate(lines...); !ok {
		l.t.Fatalf("nsupdate %q: %s", lines, out)
	}
}

// roundTrip measures one query to the server.
func (l *lab) roundTrip() time.Duration {
	l.t.Helper()
	start := time.Now()
	l.query(dns.TypeTXT)
	return time.Since(start)
}

// quoted is a TXT record in the form of a zone file.
func quoted(texts []string) string {
	var q []string
	for _, s := range texts {
		q = append(q, `"`+s+`"`)
	}
	return strings.Join(q, " ")
}
