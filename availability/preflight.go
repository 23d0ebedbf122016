package availability

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/failover"
	"github.com/availabilitygroup/ag/internal/record"
)

// preflightTime is the least that a rehearsal waits for one answer; with longer
// timings it is the budget of an attempt. What answers later than the budget
// is found too slow.
const preflightTime = 2 * time.Second

// Preflight looks whether a failover would work now, and says what would stand
// in its way: it reads the record and the addresses at the primary master,
// has the server show that it keeps its promises, and asks every other member
// how it is. It changes nothing in a group: the server is given what it has
// already, on condition that it still has it. Where there is none a probe, a TXT
// record and the address 192.0.2.1, is at the name for a moment; a Create of
// another node in that moment can get [ErrHostRecordExists].
//
// The report has the same checks in the same order each time, one more for
// each other member, and fewer only if the group does not run. OK is true if
// every check is; what could not be looked at, since something before it has
// failed, is not OK and says so. It takes the time of a dozen round trips to
// the server, and ends early when ctx does.
//
// It may be called on every node, and should be: each has its own way to the
// server and to the others. Calls at one time are safe, and each of them costs.
func (g *Group) Preflight(ctx context.Context) Report {
	l := g.links.Load()
	if l == nil || g.hasEnded() {
		return report([]Check{failed("running", "the group does not run", "call Run, and ask again")})
	}
	return report(l.rehearse(ctx).checks())
}

// report is OK if all checks are.
func report(checks []Check) Report {
	ok := !slices.ContainsFunc(checks, func(c Check) bool { return !c.OK })
	return Report{OK: ok, Checks: checks}
}

// rehearsal is what a preflight has found, before it is judged.
type rehearsal struct {
	state    NodeState
	settings Settings // in force
	given    Settings // this node's own
	self     record.Member
	view     failover.View

	open    error            // no store
	sets    []dnsstore.RRSet // TXT, A, AAAA
	errs    []error          // of these
	seen    failover.Observation
	took    time.Duration // the slowest of them
	skew    time.Duration
	probes  bool  // the store can be probed
	probe   error // what that has found
	peers   []rehearsedPeer
	direct  bool // there is a transport
	checked bool // this node's health is looked at
}

// rehearsedPeer is what another member has answered.
type rehearsedPeer struct {
	member record.Member
	report failover.Report
	err    error
}

func (l *links) rehearse(ctx context.Context) *rehearsal {
	v := l.g.snap.Load().view
	r := &rehearsal{
		state: l.g.GetNodeState(), settings: l.g.effective(v.Record), given: l.g.current(), view: v,
		direct: l.g.cfg.Transport != nil, checked: l.g.cfg.Health != nil,
	}
	r.self = l.g.self(r.settings)
	store, name, err := l.current()
	if r.open = err; err != nil {
		return r
	}
	var both sync.WaitGroup
	both.Go(func() { l.rehearseStore(ctx, r, store, name) })
	both.Go(func() { l.rehearsePeers(ctx, r) })
	both.Wait()
	if r.moving() { // the reads were not of one instant
		l.rehearseReads(ctx, r, store, name)
	}
	return r
}

// patience is how long a rehearsal waits for one answer.
func (r *rehearsal) patience() time.Duration {
	return max(preflightTime, r.settings.attempt())
}

func (l *links) rehearseStore(ctx context.Context, r *rehearsal, store dnsstore.Store, name string) {
	l.rehearseReads(ctx, r, store, name)
	if s, ok := store.(skewer); ok {
		r.skew = s.Skew()
	}
	p, ok := store.(prober)
	if r.probes = ok; !ok || r.storeFailed() {
		return
	}
	probing, cancel := context.WithTimeout(ctx, max(probeTime, probeTimes*r.settings.attempt()))
	defer cancel()
	r.probe = p.Probe(probing, name)
}

func (l *links) rehearseReads(ctx context.Context, r *rehearsal, store dnsstore.Store, name string) {
	began := l.g.cfg.Clock.Now()
	reading, cancel := context.WithTimeout(ctx, r.patience())
	defer cancel()
	r.sets, r.errs = lookupAll(reading, store, name, withHost())
	r.took = l.g.cfg.Clock.Now().Sub(began)
	if !r.storeFailed() {
		r.seen = observation(r.sets[0].Data)
		r.seen.Host = hostData(r.sets)
	}
}

// rehearsePeers asks the members that this node knows of, each of which reads
// the record before it answers.
func (l *links) rehearsePeers(ctx context.Context, r *rehearsal) {
	if !r.view.InGroup {
		return
	}
	asking, cancel := context.WithTimeout(ctx, r.patience())
	defer cancel()
	var all sync.WaitGroup
	for _, m := range r.view.Record.Members {
		if m.ID != r.self.ID {
			r.peers = append(r.peers, rehearsedPeer{member: m})
		}
	}
	for i := range r.peers {
		all.Go(func() { l.rehearsePeer(asking, r.view.Record.Group, &r.peers[i]) })
	}
	all.Wait()
}

func (l *links) rehearsePeer(ctx context.Context, group string, p *rehearsedPeer) {
	m, err := l.ask(ctx, p.member, failover.Query{Group: group, Fresh: true})
	if p.err = err; err != nil {
		return
	}
	var ok bool
	if p.report, ok = m.(failover.Report); !ok {
		p.err = errForeignMessage
	}
}

// moving: what was read does not fit together, as while the role moves.
func (r *rehearsal) moving() bool {
	if r.storeFailed() || !r.inGroup() {
		return false
	}
	now := r.seen.Record
	primary, ok := now.Member(now.Primary)
	return ok && !slices.Equal(primary.Addresses(), r.seen.Host) ||
		slices.ContainsFunc(r.peers, func(p rehearsedPeer) bool { return p.report.Term > now.Term })
}

// inGroup: this node is a member, and the record that was read is of its group.
func (r *rehearsal) inGroup() bool {
	return r.state.NodeRole != event.RoleNotInGroup && r.seen.Found == failover.Present && !r.seen.Record.Dissolved
}
