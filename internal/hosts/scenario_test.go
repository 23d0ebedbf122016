//go:build linux

package hosts_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver"
)

// scenario is something that happens to a group, and what must come of it. Its
// name is the key under which its time is made known.
type scenario struct {
	name   string
	server server
	times  times
	run    func(l *lab)
}

// unhurried are times for Knot, which may hold back an update until a second
// after the one before.
func unhurried() times {
	return times{w: 6 * time.Second, r: 1200 * time.Millisecond, c: time.Second}
}

func scenarios() []scenario {
	all := []scenario{
		{"kill-primary-knot", testserver.Knot, unhurried(), killPrimary},
		{"partition-peers-knot", testserver.Knot, unhurried(), partitionPeers},
		{"kill-primary-powerdns", testserver.PowerDNS, short(), killPrimary},
		{"partition-peers-powerdns", testserver.PowerDNS, short(), partitionPeers},
	}
	for _, s := range []struct {
		name string
		run  func(l *lab)
	}{
		{"kill-primary", killPrimary},
		{"kill-server", killServer},
		{"kill-primary-and-server", killPrimaryAndServer},
		{"stop-primary", stopPrimary},
		{"stop-primary-writing", stopWriter},
		{"stop-primary-asking", stopAsker},
		{"stop-primary-briefly", stopBriefly},
		{"stop-server", stopServer},
		{"stop-server-kill-primary", stopServerKillPrimary},
		{"restart-both", restartBoth},
		{"restart-both-statedir", restartBothWithProof},
		{"cached-address", cachedAddress},
		{"partition-peers", partitionPeers},
		{"one-way-primary-to-secondary", oneWay(way{hostA, hostB})},
		{"one-way-secondary-to-primary", oneWay(way{hostB, hostA})},
		{"one-way-primary-to-dns", oneWay(way{hostA, dnsHost})},
		{"one-way-dns-to-primary", oneWay(way{dnsHost, hostA})},
		{"lost-answers-of-dns", lostAnswers},
		{"lost-answers-to-updates", lostAnswersToUpdates},
		{"no-dns-for-primary", noServer(hostA)},
		{"no-dns-for-secondary", noServer(hostB)},
		{"isolate-primary", isolatePrimary},
		{"mute-primary", mutePrimary},
		{"deaf-primary", deafPrimary},
		{"loss-30-percent", loss("udp")},
		{"loss-30-percent-tcp", loss("tcp")},
		{"loss-30-percent-kill-primary", lossAndKill},
		{"slow-server", slowServer},
		{"restart-server", restartServer},
		{"edit-record", editRecord},
		{"edit-address", editAddress},
		{"delete-record", deleteRecord},
		{"clock-forward-primary", clockForwardOfPrimary},
		{"clock-back-primary", clockWithoutEffect(hostA, -time.Hour)},
		{"clock-forward-secondary", clockWithoutEffect(hostB, time.Hour)},
		{"clock-back-secondary", clockWithoutEffect(hostB, -time.Hour)},
	} {
		all = append(all, scenario{s.name, testserver.BIND, short(), s.run})
	}
	if os.Getenv("AG_NIGHTLY") == "1" {
		all = append(all, nightly()...)
	}
	return all
}

// nightly are scenarios that take minutes.
func nightly() []scenario {
	long := times{w: 60 * time.Second, r: 20 * time.Second, c: 30 * time.Second}
	return []scenario{
		{"kill-primary-slow-server", testserver.BIND, long, killPrimaryOfSlowServer},
		{"kill-primary-60-s", testserver.BIND, long, killPrimary},
		{"loss-30-percent-60-s", testserver.BIND, long, loss("tcp")},
	}
}

func TestHosts_Scenarios(t *testing.T) {
	t.Parallel()
	need(t)
	var sum totals
	t.Run("all", func(t *testing.T) {
		for _, s := range scenarios() {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				l := newLab(t, s, &sum)
				defer l.finish()
				s.run(l)
			})
		}
	})
	for key, n := range map[string]int64{
		"scenarios": sum.scenarios.Load(), "host-violations": sum.violations.Load(), "host-samples": sum.samples.Load(),
		"ledger-accepted": sum.accepted.Load(), "ledger-refused": sum.refused.Load(), "ledger-late": sum.late.Load(),
	} {
		t.Attr("prove."+key, strconv.FormatInt(n, 10))
	}
}
