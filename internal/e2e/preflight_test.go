//go:build linux

package e2e_test

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
	"github.com/availabilitygroup/ag/internal/testserver"
)

// preflight has a node rehearse a failover.
func (l *lab) preflight(n *node) availability.Report {
	l.t.Helper()
	var r availability.Report
	await(l.t, "the group of "+n.id+" runs", func() bool {
		r = availability.Report{}
		if status := l.get(n, "/preflight", &r); status != http.StatusOK {
			l.t.Errorf("preflight of %s: status %d", n.id, status)
		}
		return len(r.Checks) > 1
	})
	return r
}

// wantFound checks that a preflight names a fault: by that check, in those
// words, with advice. No check before it may fail, for those are what it
// rests on.
func wantFound(t *testing.T, r availability.Report, check string, words ...string) {
	t.Helper()
	if r.OK {
		t.Errorf("all is well, want %s to fail", check)
		return
	}
	for _, c := range r.Checks {
		if c.OK {
			continue
		}
		t.Logf("%s: %s; %s", c.Name, c.Detail, c.Advice)
		if c.Name != check || c.Advice == "" {
			t.Errorf("%s fails first, want %s, with advice", c.Name, check)
		}
		for _, w := range words {
			if !strings.Contains(c.Detail, w) {
				t.Errorf("%s: %q, want %q in it", c.Name, c.Detail, w)
			}
		}
		return
	}
}

// What is wrong between a node and its server, planted at real servers, and
// found by a node that is in no group yet.
func TestPreflight_TheServer(t *testing.T) {
	t.Parallel()
	l := newLab(t, testserver.WithOnlyNames(fqdn, "alias.lab.test"), testserver.WithRecords("alias CNAME ns1\n"))
	unknown, wrong := l.key, l.key
	unknown.Name = "nobody"
	wrong.Secret = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("w", 32)))
	for name, tt := range map[string]struct {
		options options
		check   string
		words   []string
	}{
		"wrong secret":      {options{"tsig_key_file": l.keyFile(wrong)}, "store", []string{"BADSIG"}},
		"unknown key":       {options{"tsig_key_file": l.keyFile(unknown)}, "store", []string{"BADKEY"}},
		"zone not served":   {options{"zone": "other.test", ".group_fqdn": "svc.other.test"}, "store", []string{"other.test"}},
		"nobody there":      {options{"server": "127.0.0.1:1"}, "store", []string{"connection refused"}},
		"policy":            {options{".group_fqdn": "other.lab.test"}, "server", []string{"REFUSED"}},
		"an alias":          {options{".group_fqdn": "alias.lab.test"}, "server", []string{"CNAME"}},
		"no prerequisites":  {options{"server": lyingServer(t, l.key), "zone": "lab.test"}, "server", []string{"false condition"}},
		"settings missing":  {options{".group_fqdn": nil}, "settings", []string{"group_fqdn"}},
		"nothing but group": {options{}, "record", []string{"no group"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := l.node("a", tt.options)
			n.start()
			wantFound(t, l.preflight(n), tt.check, tt.words...)
			n.crash()
		})
	}
}

// What is wrong in a group: found by a member, while the group lives.
func TestPreflight_TheGroup(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b := l.pair(withPeriod(calm), options{".health_report_interval": 10, ".health_check_interval": 10})
	await(t, "all is well for both", func() bool { return l.preflight(a).OK && l.preflight(b).OK })
	name := fqdn + ". "

	// The Primary would set the addresses right when it is asked how it is.
	l.do(a, "/resume") // it writes, so that its authority is as long as can be
	a.freeze()
	l.mustUpdate("update delete "+name+"A", "update add "+name+"1 A 192.0.2.66")
	wantFound(t, l.preflight(b), "host record", "192.0.2.66", a.ip)
	l.mustUpdate("update delete "+name+"A", "update add "+name+"3600 A "+a.ip)
	wantFound(t, l.preflight(b), "ttl", "3600 s", "30 s")
	l.mustUpdate("update delete "+name+"A", "update add "+name+"1 A "+a.ip)
	a.thaw()
	await(t, "all is well for both again", func() bool { return l.preflight(a).OK && l.preflight(b).OK })

	a.relay.setCut(true)
	wantFound(t, l.preflight(b), "peer a", "does not answer")
	a.relay.setCut(false)

	l.do(a, "/pause?reason=maintenance")
	wantFound(t, l.preflight(b), "pause", "paused")
	l.do(a, "/resume")

	l.dns.Pause()
	wantFound(t, l.preflight(b), "store")
	l.dns.Resume()
	await(t, "all is well for both again", func() bool { return l.preflight(a).OK && l.preflight(b).OK })

	b.crash()
	wantFound(t, l.preflight(a), "peer b", "does not answer")
	l.do(a, "/remove?id=b")
	wantFound(t, l.preflight(a), "members", "no member but the Primary")
	if got := l.state(a).Role; got != "primary" {
		t.Errorf("after all of it a is %s", got)
	}
}

// A clock that is wrong, but not yet so wrong that the server refuses it.
func TestPreflight_TheClock(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	behind := rfc2136.Config{Server: l.dns.Addr, Zone: l.dns.Zone, Now: func() time.Time { return time.Now().Add(-2 * time.Minute) }}
	g, err := availability.New(availability.Config{
		Settings: availability.Settings{
			GroupFQDN: fqdn, ExternalIPv4Address: netip.MustParseAddr("127.0.0.1"), Timing: availability.FastTiming(),
			TSIGName: l.key.Name, TSIGAlgorithm: l.key.Algorithm, TSIGSecret: availability.NewSecret(l.key.Secret),
		},
		OpenStore: behind.Open,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	var r availability.Report
	await(t, "the group runs", func() bool {
		r = g.Preflight(t.Context())
		return len(r.Checks) > 1
	})
	wantFound(t, r, "clock", "ahead of this node's")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// lyingServer is a server that signs its answers, and takes every condition for
// true. It returns its address.
func lyingServer(t *testing.T, k testserver.Key) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{
		Listener: l, TsigSecret: map[string]string{dns.Fqdn(k.Name): k.Secret},
		MsgAcceptFunc: func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
			m := new(dns.Msg)
			m.SetReply(q)
			m.Authoritative = true
			if q.Opcode == dns.OpcodeQuery && q.Question[0].Qtype == dns.TypeSOA && q.Question[0].Name == "lab.test." {
				m.Answer = []dns.RR{&dns.SOA{
					Hdr: dns.RR_Header{Name: "lab.test.", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60},
					Ns:  "ns1.lab.test.", Mbox: "hostmaster.lab.test.", Serial: 1, Refresh: 300, Retry: 60, Expire: 3600, Minttl: 5,
				}}
			}
			if asked := q.IsTsig(); asked != nil {
				m.SetTsig(asked.Hdr.Name, asked.Algorithm, 300, time.Now().Unix())
			}
			_ = w.WriteMsg(m) // a client that has gone needs no answer
		}),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.ActivateAndServe() // it ends with its listener
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	return l.Addr().String()
}
