//go:build linux

package hosts_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/internal/record"
)

// query asks the server on its own host, as any client would: not signed, over
// UDP. An error is returned, since a server may be away.
func (l *lab) query(ctx context.Context, kind uint16) ([]dns.RR, error) {
	return l.queryFrom(ctx, dnsHost, kind)
}

// queryFrom is query on another host.
func (l *lab) queryFrom(ctx context.Context, host string, kind uint16) ([]dns.RR, error) {
	conn, err := l.net.hosts[host].dial(ctx, "udp", l.dns.Addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	m := new(dns.Msg).SetQuestion(dns.Fqdn(fqdn), kind)
	m.RecursionDesired = false
	m.SetEdns0(4096, false)
	answer, _, err := (&dns.Client{Timeout: time.Second}).ExchangeWithConn(m, &dns.Conn{Conn: conn, UDPSize: 4096})
	if err != nil {
		return nil, err
	}
	return answer.Answer, nil
}

// rrs is query for a server that is there; a busy machine loses datagrams.
func (l *lab) rrs(kind uint16) []dns.RR {
	l.t.Helper()
	var last error
	for range 5 {
		rrs, err := l.query(l.t.Context(), kind)
		if err == nil {
			return rrs
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
		for _, rr := range l.rrs(kind) {
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

// record is the group as the name says, and its text.
func (l *lab) record() (record.Record, []string) {
	l.t.Helper()
	all := l.rrs(dns.TypeTXT)
	if len(all) != 1 {
		l.t.Fatalf("%d TXT records at %s: %v", len(all), fqdn, all)
	}
	txt, _ := all[0].(*dns.TXT)
	r, err := record.Parse(txt.Txt)
	if err != nil {
		l.t.Fatalf("the record of %s: %v", fqdn, err)
	}
	return r, txt.Txt
}

// nsupdate is what an operator would use, on the host of the server. It
// returns whether the server has taken the update, and what the program said.
func (l *lab) nsupdate(lines ...string) (taken bool, out string) {
	l.t.Helper()
	file := filepath.Join(l.t.TempDir(), "ag.key")
	text := "key \"" + l.key.Name + "\" {\n\talgorithm " + l.key.Algorithm + ";\n\tsecret \"" + l.key.Secret + "\";\n};\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	script := "server " + strings.Replace(l.dns.Addr, ":", " ", 1) + "\nzone " + l.dns.Zone + ".\n" + strings.Join(lines, "\n") + "\nsend\n"
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	out, err := l.net.hosts[dnsHost].run(ctx, script, "nsupdate", "-k", file)
	return err == nil, out
}

// mustUpdate is nsupdate for what has to be taken. It returns when it was.
func (l *lab) mustUpdate(lines ...string) time.Time {
	l.t.Helper()
	if taken, out := l.nsupdate(lines...); !taken {
		l.t.Fatalf("nsupdate %q: %s", lines, out)
	}
	return time.Now()
}

// quoted is a TXT record in the form of a zone file.
func quoted(texts []string) string { return `"` + strings.Join(texts, `" "`) + `"` }
