package availability

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/failover"
	"github.com/availabilitygroup/ag/internal/record"
)

// CreateOption changes what [Group.Create] does.
type CreateOption func(*failover.Request)

// AdoptHostRecord lets [Group.Create] take over a name that already has
// addresses of others.
func AdoptHostRecord() CreateOption { return func(r *failover.Request) { r.Adopt = true } }

// FailoverOption changes what [Group.Failover] does.
type FailoverOption func(*failoverRequest)

type failoverRequest struct {
	to, reason string
	force      bool
}

// To names the node that shall be Primary.
func To(id string) FailoverOption { return func(r *failoverRequest) { r.to = id } }

// Force makes this node Primary on the operator's word that the present one is
// dead: the waits that make two Primaries impossible are skipped. Use it on
// the node that shall take over. The reason must not be blank, and have at most
// 1024 octets; it is logged and told.
func Force(reason string) FailoverOption {
	return func(r *failoverRequest) { r.force, r.reason = true, reason }
}

// Create makes the group with this node as its Primary, and returns when it
// is. It is not idempotent. Errors: [*ConfigError] for settings that are not
// complete, [ErrInGroup], [ErrGroupExists], [ErrHostRecordExists],
// [ErrNoTarget] for a node that can never be Primary, [ErrBadRequest] for settings
// that open no store, [ErrStoreUnreachable], dnsstore.ErrRefused, [ErrNotRunning], and the error of ctx; after the last
// what was asked may still come true.
func (g *Group) Create(ctx context.Context, opts ...CreateOption) error {
	r := failover.Request{Verb: failover.VerbCreate}
	for _, o := range opts {
		o(&r)
	}
	return g.enterGroup(ctx, r)
}

// Join makes this node a member of the existing group, and returns when the
// Primary has confirmed it. Errors: [*ConfigError], [ErrInGroup],
// [ErrNoGroup], [ErrMemberExists], [ErrTooManyMembers], [ErrBadRequest] for
// settings that open no store, [ErrStoreUnreachable],
// dnsstore.ErrRefused, [ErrNotRunning], and the error of ctx.
func (g *Group) Join(ctx context.Context) error {
	return g.enterGroup(ctx, failover.Request{Verb: failover.VerbJoin})
}

// enterGroup carries out Create and Join, which need complete settings.
func (g *Group) enterGroup(ctx context.Context, r failover.Request) error {
	if err := g.awaitRun(ctx, string(r.Verb)); err != nil {
		return err
	}
	s := g.current()
	if err := configError(s.mistakes(true)); err != nil {
		return err
	}
	if l := g.links.Load(); g.named() && !l.isOpen(s) {
		return fmt.Errorf("%s: %w: the record names it", r.Verb, ErrInGroup)
	}
	if err := g.reopen(s); err != nil {
		return fmt.Errorf("%s: %w", r.Verb, err)
	}
	if err := g.links.Load().probeFirst(ctx); err != nil {
		return fmt.Errorf("%s: %w", r.Verb, err)
	}
	r.Self, r.Timing, r.Group = g.self(s), timingFor(s), s.GroupFQDN
	if err := g.do(ctx, r); err != nil {
		return err
	}
	return g.save()
}

// Leave takes this node out of the group; a Primary hands the role over first.
// It returns when the record no longer lists the node. Errors:
// [ErrNotInGroup], [ErrNoTarget] when there is nobody to hand over to (dissolve
// the group instead), [ErrStoreUnreachable], [ErrNotRunning], and the error of ctx.
func (g *Group) Leave(ctx context.Context) error {
	return g.do(ctx, failover.Request{Verb: failover.VerbLeave})
}

// Remove takes a lost member out of the group, and returns when that is
// confirmed. Errors: [ErrNotInGroup], [ErrUnknownMember],
// [ErrPrimaryUnreachable], dnsstore.ErrRefused, [ErrBadRequest], [ErrNotRunning],
// and the error of ctx.
func (g *Group) Remove(ctx context.Context, id string) error {
	if err := checkWords("remove", id, ""); err != nil {
		return err
	}
	return g.do(ctx, failover.Request{Verb: failover.VerbRemove, Target: id})
}

// Dissolve ends the group: the Primary stops, its addresses are removed from
// the host record and every member leaves. No node creates it again by itself,
// whatever its Bootstrap, until one was told to [Group.Create] it. Errors:
// [ErrNotInGroup], [ErrPrimaryUnreachable], dnsstore.ErrRefused, [ErrNotRunning], and the error of ctx.
func (g *Group) Dissolve(ctx context.Context) error {
	return g.do(ctx, failover.Request{Verb: failover.VerbDissolve})
}

// Failover moves the role by plan, and returns when the new Primary has taken
// it. Without [To], the Primary hands it to the best eligible member and a
// Secondary takes it itself. It is idempotent: where the role is already, it
// succeeds. Errors: [ErrNotInGroup], [ErrUnknownMember], [ErrNoTarget] with the
// reason for each member, [ErrPrimaryUnreachable], [ErrStoreUnreachable],
// [ErrNotRunning], and the error of ctx. With [Force] also [ErrPrimaryAlive] and
// [ErrBadRequest].
func (g *Group) Failover(ctx context.Context, opts ...FailoverOption) error {
	var o failoverRequest
	for _, opt := range opts {
		opt(&o)
	}
	r := failover.Request{Verb: failover.VerbFailover, Target: o.to, Reason: strings.TrimSpace(o.reason)}
	if err := checkWords("failover", r.Target, r.Reason); err != nil {
		return err
	}
	if o.force {
		r.Verb = failover.VerbForce
		if r.Reason == "" {
			return fmt.Errorf("force: %w: the reason must not be empty", ErrBadRequest)
		}
		if o.to != "" && o.to != g.nodeID() {
			return fmt.Errorf("force: %w: ask the node that shall take over: this is %s", ErrBadRequest, g.nodeID())
		}
	}
	return g.do(ctx, r)
}

// Pause stops automatic takeover in the whole group until [Group.Resume];
// planned failover goes on. The reason has at most 1024 octets, and may be empty;
// this node and the Primary log it. Errors as of [Group.Remove].
func (g *Group) Pause(ctx context.Context, reason string) error {
	r := failover.Request{Verb: failover.VerbPause, Reason: strings.TrimSpace(reason)}
	if err := checkWords("pause", "", r.Reason); err != nil {
		return err
	}
	if err := g.do(ctx, r); err != nil {
		return err
	}
	g.logPause(g.nodeID(), r.Reason)
	return nil
}

func (g *Group) logPause(by, reason string) {
	g.log.Info("paused", slog.String("group", g.current().GroupFQDN), slog.String("node", g.nodeID()),
		slog.String("by", by), slog.String("reason", reason))
}

// maxReason keeps a request within what one message holds, in octets, and the log
// of every node readable.
const maxReason = 1024

// checkWords refuses what cannot be sent to the Primary.
func checkWords(verb, id, reason string) error {
	switch {
	case len(id) > record.MaxID:
		return fmt.Errorf("%s: %w: an ID has at most %d octets", verb, ErrBadRequest, record.MaxID)
	case len(reason) > maxReason:
		return fmt.Errorf("%s: %w: the reason has %d octets, at most %d are allowed", verb, ErrBadRequest, len(reason), maxReason)
	}
	return nil
}

// Resume ends [Group.Pause]. Errors as of [Group.Remove].
func (g *Group) Resume(ctx context.Context) error {
	return g.do(ctx, failover.Request{Verb: failover.VerbResume})
}

// Preconfigure changes the settings of a node that is in no group. Zero fields
// stay. Errors: [*ConfigError], and then nothing has changed; [ErrInGroup], also
// for a change while the node is about to be in one: the record names it, and
// the host or the Primary has yet to agree; an error of the StateDir.
func (g *Group) Preconfigure(s Settings) error {
	if g.GetNodeState().NodeRole != event.RoleNotInGroup {
		return ErrInGroup
	}
	named := g.named()
	g.mu.Lock()
	next := g.given.overlaid(s).canonical()
	err := configError(next.withDefaults().mistakes(false))
	if err == nil && named && next != g.given {
		err = fmt.Errorf("preconfigure: %w: the record names it", ErrInGroup)
	}
	if err == nil {
		g.given = next
	}
	g.mu.Unlock()
	if err != nil {
		return err
	}
	return g.save()
}

// Configure changes the settings of a group: intervals and TTL for all of it,
// the TSIG key for this node; if the group's change fails, the key stays as well.
// Zero fields stay as the record has them when it is written. Errors:
// [*ConfigError], also for a change of the name, an address, the scheme or the
// port, which are fixed within a group; [ErrBadRequest] if the intervals do not
// fit the group's others, which may be newer than what this node has read;
// [ErrNotInGroup], [ErrPrimaryUnreachable], dnsstore.ErrRefused,
// [ErrNotRunning], and the error of ctx.
func (g *Group) Configure(ctx context.Context, s Settings) error {
	if err := g.awaitRun(ctx, "configure"); err != nil {
		return err
	}
	v := g.snap.Load().view
	if !v.InGroup {
		return ErrNotInGroup
	}
	now := g.effective(v.Record)
	next := now.overlaid(s).canonical()
	if err := configError(append(s.canonical().fixedMistakes(now), next.mistakes(true)...)); err != nil {
		return err
	}
	if err := g.reopen(next); err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	// Only what is given: the others may have changed since this node has read them.
	if t := timingFor(s.canonical()); t != (failover.Timing{}) {
		if err := g.do(ctx, failover.Request{Verb: failover.VerbConfigure, Timing: t}); err != nil {
			return errors.Join(err, g.reopen(now)) // the key is that of the settings
		}
	}
	g.mu.Lock()
	g.given = g.given.overlaid(s).canonical()
	g.mu.Unlock()
	return g.save()
}

// effective are the settings with what the record says, which wins.
func (g *Group) effective(r record.Record) Settings {
	s := g.current()
	if r.Group == "" || r.Dissolved {
		return s
	}
	s.AllowedAbsenceInterval, s.HealthReportInterval = r.AllowedAbsence, r.ReportInterval
	s.HealthCheckInterval, s.GroupFQDNTTL = r.CheckInterval, r.TTL
	return s
}

// timing is that of the record, or of the settings without one.
func (g *Group) timing() Timing { return g.effective(g.snap.Load().view.Record).Timing }

// do hands a request to the machine and waits for its end.
func (g *Group) do(ctx context.Context, r failover.Request) error {
	verb := string(r.Verb)
	if err := g.awaitRun(ctx, verb); err != nil {
		return err
	}
	finish := make(chan failover.Finish, 1) // so that the driver never waits for a caller
	id := g.expect(finish)
	defer g.unexpect(id)
	if err := g.put(ctx, verb, failover.Do{ID: id, Request: r}); err != nil {
		return err
	}
	select {
	case f := <-finish:
		return endOfRequest(verb, f)
	case <-g.ended:
	case <-ctx.Done():
	}
	select { // it may be that both have happened
	case f := <-finish:
		return endOfRequest(verb, f)
	default:
	}
	if g.hasEnded() {
		return fmt.Errorf("%s: %w", verb, ErrNotRunning)
	}
	_ = g.put(context.WithoutCancel(ctx), verb, failover.Forget{ID: id}) // nobody to tell
	if problem := g.snap.Load().view.Problem; problem != "" {
		return fmt.Errorf("%s: %w (the store: %s); what was asked may still come true", verb, context.Cause(ctx), problem)
	}
	return fmt.Errorf("%s: %w; what was asked may still come true", verb, context.Cause(ctx))
}

func endOfRequest(verb string, f failover.Finish) error {
	if f.Code == "" {
		return nil
	}
	return refusalError(verb, f.Code, f.Text)
}

// awaitRun waits until Run takes inputs.
func (g *Group) awaitRun(ctx context.Context, verb string) error {
	if g.hasEnded() {
		return fmt.Errorf("%s: %w", verb, ErrNotRunning)
	}
	select {
	case <-g.began:
		return nil
	case <-g.ended:
		return fmt.Errorf("%s: %w", verb, ErrNotRunning)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w: %w", verb, ErrNotRunning, context.Cause(ctx))
	}
}

// put gives the driver an input.
func (g *Group) put(ctx context.Context, verb string, in failover.Input) error {
	select {
	case g.inputs <- in:
		return nil
	case <-g.ended:
		return fmt.Errorf("%s: %w", verb, ErrNotRunning)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", verb, context.Cause(ctx))
	}
}

func (g *Group) expect(finish chan<- failover.Finish) uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests++
	g.finishes[g.requests] = finish
	return g.requests
}

func (g *Group) unexpect(id uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.finishes, id)
}

// finished gives a request's end to whoever waits for it.
func (g *Group) finished(f failover.Finish) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c, ok := g.finishes[f.ID]; ok {
		delete(g.finishes, f.ID)
		c <- f
	}
}
