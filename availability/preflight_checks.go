package availability

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/failover"
)

func passed(name, detail string, args ...any) Check {
	return Check{Name: name, OK: true, Detail: fmt.Sprintf(detail, args...)}
}

func failed(name, detail, advice string) Check {
	return Check{Name: name, Detail: detail, Advice: advice}
}

// notSeen is a check that an earlier one stands in the way of.
func notSeen(name, before string) Check {
	return failed(name, "could not be looked at", "see to "+before+" first")
}

// checks judges what was found, what everything else rests on first.
func (r *rehearsal) checks() []Check {
	all := []Check{
		r.checkSettings(), r.checkStore(), r.checkClock(), r.checkTime(), r.checkServer(), r.checkRecord(),
		r.checkHostRecord(), r.checkTTL(), r.checkMembers(), r.checkPause(), r.checkHealth(),
	}
	for i := range r.peers {
		all = append(all, r.checkPeer(&r.peers[i]))
	}
	return all
}

func (r *rehearsal) checkSettings() Check {
	const name = "settings"
	if err := configError(r.given.mistakes(true)); err != nil {
		return failed(name, err.Error(), "set what is missing, and mend what is wrong")
	}
	if r.open != nil {
		return failed(name, r.open.Error(), "the settings need a name and an address before a store can be opened")
	}
	return passed(name, "complete, for %s", r.settings.GroupFQDN)
}

// checkStore: the record and the addresses could be read.
func (r *rehearsal) checkStore() Check {
	const name = "store"
	if r.open != nil {
		return notSeen(name, "the settings")
	}
	err := r.storeError()
	switch {
	case err == nil:
		return passed(name, "answered")
	case errors.Is(err, dnsstore.ErrRefused):
		return failed(name, problemOf(err), "the server refuses this node: look at the key, its name and algorithm, and at the zone")
	default:
		return failed(name, problemOf(err), "find out whether the DNS server runs and can be reached from here")
	}
}

func (r *rehearsal) storeFailed() bool { return r.open != nil || r.storeError() != nil }

// storeError is what went wrong first: three lookups at once go wrong alike.
func (r *rehearsal) storeError() error {
	for _, err := range r.errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkClock: signatures hold for 300 s to either side (RFC 8945 §10).
func (r *rehearsal) checkClock() Check {
	const name = "clock"
	switch {
	case r.skew.Abs() > mostSkew:
		ahead := "ahead of"
		if r.skew < 0 {
			ahead = "behind"
		}
		return failed(name, fmt.Sprintf("the DNS server's clock is %s %s this node's", r.skew.Abs().Round(time.Second), ahead),
			"set both by NTP: from 300 s on each signed message is refused")
	case r.storeFailed():
		return notSeen(name, "the store")
	}
	return passed(name, "within %s of the DNS server's", mostSkew)
}

// checkTime: an attempt to write takes two round trips to the server, and a
// takeover up to three.
func (r *rehearsal) checkTime() Check {
	const name = "round trip"
	budget := r.settings.attempt()
	switch {
	case r.storeFailed():
		return notSeen(name, "the store")
	case r.took > budget/2:
		return failed(name, fmt.Sprintf("the store took %s to answer; an attempt to write has %s for two answers",
			r.took.Round(time.Millisecond), budget.Round(time.Millisecond)),
			"raise allowed_absence_interval to at least "+seconds((30*r.took).Truncate(time.Second)+time.Second)+", or find out why the server is slow")
	}
	return passed(name, "%s, of %s for an attempt", r.took.Round(10*time.Microsecond), budget.Round(time.Millisecond))
}

// checkServer: the server keeps what everything rests on.
func (r *rehearsal) checkServer() Check {
	const name = "server"
	switch {
	case r.storeFailed():
		return notSeen(name, "the store")
	case !r.probes:
		return passed(name, "this kind of store cannot be probed")
	case r.probe == nil:
		return passed(name, "refuses false conditions, lets this key change TXT, A and AAAA together, and shows changes at once")
	case errors.Is(r.probe, dnsstore.ErrUnfit):
		return failed(name, problemOf(r.probe), "no group is safe on this server as it is: its conditions and answers decide who is Primary")
	case errors.Is(r.probe, dnsstore.ErrRefused):
		return failed(name, problemOf(r.probe), "let this key change TXT, A and AAAA records at the name: without that this node cannot take over")
	default:
		return failed(name, problemOf(r.probe), "ask again; if it stays so, find out what becomes of updates on their way to the server")
	}
}

// checkRecord: the record is usable, recent, and lists this node where it is.
func (r *rehearsal) checkRecord() Check {
	const name = "record"
	now, known := r.seen.Record, r.view.Record
	me, listed := now.Member(r.self.ID)
	switch {
	case r.storeFailed():
		return notSeen(name, "the store")
	case r.seen.Found == failover.Unusable:
		return failed(name, r.seen.Problem, "mend or delete the TXT record by hand, and only while no node runs that trusts it")
	case r.seen.Found == failover.Absent || now.Dissolved:
		return failed(name, "there is no group at "+r.settings.GroupFQDN, "create one")
	case !listed:
		return failed(name, "the record does not list this node, "+r.self.ID, "join the group")
	case me.Joining:
		return failed(name, "the Primary has yet to confirm this node", "wait; if it stays so, find out whether the Primary runs and reaches the store")
	case peerOf(me).URL != peerOf(r.self).URL:
		return failed(name, fmt.Sprintf("the record has this node at %s, it is at %s", peerOf(me).URL, peerOf(r.self).URL),
			"leave the group, and join it from the new address")
	case r.stale():
		return failed(name, fmt.Sprintf("what was read is older (term %d, number %d) than what this node knows (term %d, number %d)",
			now.Term, now.Seq, known.Term, known.Seq),
			"name the primary master as the server: a secondary server or a cache answers here")
	}
	return passed(name, "term %d, number %d", now.Term, now.Seq)
}

// stale: what was read is older than what this node had read or written before.
func (r *rehearsal) stale() bool {
	now, known := r.seen.Record, r.view.Record
	return r.view.Known && now.Group == known.Group &&
		(now.Term < known.Term || now.Term == known.Term && now.Seq < known.Seq)
}

// checkHostRecord: the name has the Primary's addresses.
func (r *rehearsal) checkHostRecord() Check {
	const name = "host record"
	if !r.inGroup() {
		return notSeen(name, "the record")
	}
	now := r.seen.Record
	primary, ok := now.Member(now.Primary)
	if !ok {
		return failed(name, "the group has no Primary", "wait for the next takeover; if none comes, look at the other checks on every member")
	}
	want, got := primary.Addresses(), r.seen.Host
	if !slices.Equal(want, got) {
		return failed(name, fmt.Sprintf("%s is at %s, the Primary %s at %s",
			r.settings.GroupFQDN, listOf(got), primary.ID, listOf(want)),
			"leave the record to the group: the Primary puts it right within its next report")
	}
	return passed(name, "%s, the Primary %s", listOf(got), primary.ID)
}

func listOf(addresses []string) string {
	if len(addresses) == 0 {
		return "no address"
	}
	return strings.Join(addresses, " and ")
}

// checkTTL: clients let go of the old address within the failover period.
func (r *rehearsal) checkTTL() Check {
	const name = "ttl"
	if !r.inGroup() {
		return notSeen(name, "the record")
	}
	w, longest := r.settings.AllowedAbsenceInterval, time.Duration(0)
	for _, set := range r.sets[1:] {
		if len(set.Data) > 0 {
			longest = max(longest, set.TTL)
		}
	}
	if longest > w {
		return failed(name, fmt.Sprintf("the host record may be kept for %s, the failover period is %s", seconds(longest), seconds(w)),
			"clients go on to the old Primary for so long: set group_fqdn_ttl, and look for a least TTL of the server")
	}
	return passed(name, "%s", seconds(longest))
}

// checkMembers: there is somebody to take over.
func (r *rehearsal) checkMembers() Check {
	const name = "members"
	if !r.inGroup() {
		return notSeen(name, "the record")
	}
	now := r.seen.Record
	n := 0
	for _, m := range now.Members {
		if m.ID != now.Primary && m.Eligible() && !m.Joining {
			n++
		}
	}
	if n == 0 {
		return failed(name, "no member but the Primary may take over", "let another node join, with a priority of at least 1")
	}
	return passed(name, "%d of %d may take over", n, len(now.Members))
}

func (r *rehearsal) checkPause() Check {
	const name = "pause"
	if r.seen.Record.Paused || r.state.Paused {
		return failed(name, "automatic takeover is paused in the whole group", "resume it when the maintenance is over")
	}
	return passed(name, "automatic takeover is on")
}

func (r *rehearsal) checkHealth() Check {
	const name = "health"
	switch {
	case !r.state.Healthy:
		return failed(name, "this node is not healthy", "find out what its health check complains of: it does not take over")
	case r.view.Cooling:
		return failed(name, "this node cools down: its host has refused a promotion", "find out why BeforePromote refused; it does not take over until then")
	case !r.checked:
		return passed(name, "this node has no health check")
	}
	return passed(name, "this node is healthy")
}

// checkPeer: another member can be reached, is fit to take over, or would
// notice that the Primary is gone.
func (r *rehearsal) checkPeer(p *rehearsedPeer) Check {
	name := "peer " + p.member.ID
	switch {
	case !r.direct:
		return failed(name, "this node has no transport", "without one heartbeats go through DNS only, and a planned failover has no target")
	case p.err != nil:
		return failed(name, fmt.Sprintf("%s does not answer: %s", peerOf(p.member).URL, problemOf(p.err)),
			"find out whether it runs, and whether its port can be reached and its key is the same; if it is gone for good, remove it")
	case !p.report.Read:
		return failed(name, "it cannot read the record", "run this check there: its way to the DNS server is broken")
	case p.report.Group != r.view.Record.Group:
		return failed(name, peerOf(p.member).URL+" is in another group, or in none", "remove that member, or let it join this group")
	case p.report.Term > r.seen.Record.Term && r.seen.Found == failover.Present:
		return failed(name, fmt.Sprintf("it knows term %d, here term %d was read", p.report.Term, r.seen.Record.Term),
			"ask again: the role may have moved just now; if it stays so, both nodes must ask the same primary master")
	case !p.report.Healthy:
		return failed(name, "it is not healthy, or cools down after a refused promotion", "run this check there")
	case p.report.Role == event.RolePrimary && r.inGroup() && r.seen.Record.Primary != p.member.ID:
		return failed(name, "it says that it is Primary, the record names "+r.seen.Record.Primary, "ask again: the role may have moved just now")
	}
	return passed(name, "%s answers, is well, and reads the record", p.report.Role)
}
