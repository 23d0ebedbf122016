package availability

import (
	"context"
	"fmt"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/failover"
)

// primaryTerm is the term of a snapshot's Primary, 0 if it is not Primary.
func (s *snapshot) primaryTerm() uint64 {
	if s.view.Role != event.RolePrimary {
		return 0
	}
	return s.view.Record.Term
}

// Info returns the group's settings, without the secret, its members and this
// node's state.
func (g *Group) Info() GroupInfo {
	v := g.snap.Load().view
	info := GroupInfo{Configuration: g.effective(v.Record).blank(), State: g.GetNodeState()}
	if !v.Known || v.Record.Dissolved {
		return info
	}
	for _, m := range v.Record.Members {
		role := event.RoleSecondary
		switch {
		case m.ID == v.Record.Primary:
			role = event.RolePrimary
		case m.Joining:
			role = event.RoleNotInGroup
		}
		info.Members = append(info.Members, Member{
			ID: m.ID, Role: role, URL: peerOf(m).URL, Priority: m.Priority, Joining: m.Joining,
		})
	}
	return info
}

// VerifyPrimary makes sure with one fresh read of the record that this node is
// Primary, and returns its term. A process that was stopped, and machines
// whose clocks all stopped, are found out by it as well; then the group looks
// at the record at once. Errors:
// [ErrNotInGroup], [ErrNotPrimary], [ErrStoreUnreachable], [ErrNotRunning], and
// the error of ctx.
func (g *Group) VerifyPrimary(ctx context.Context) (term uint64, err error) {
	before := g.GetNodeState()
	switch before.NodeRole {
	case event.RoleNotInGroup:
		return 0, ErrNotInGroup
	case event.RoleSecondary:
		return 0, ErrNotPrimary
	case event.RolePrimary:
	}
	l := g.links.Load()
	if l == nil {
		return 0, ErrNotRunning
	}
	seen, err := l.observe(ctx, false)
	if err != nil {
		return 0, fmt.Errorf("verify primary: %w: %w", ErrStoreUnreachable, err)
	}
	if seen.Found == failover.Unusable {
		return 0, fmt.Errorf("verify primary: %w: %s", ErrStoreUnreachable, seen.Problem)
	}
	after := g.GetNodeState()
	r := seen.Record
	if seen.Found != failover.Present || r.Primary != after.NodeID || r.Run != l.run ||
		after.NodeRole != event.RolePrimary || r.Term != after.Term || before.Term != after.Term {
		_ = g.put(ctx, "verify primary", failover.Look{}) // or it would go on to its next renewal
		return 0, ErrNotPrimary
	}
	return r.Term, nil
}

// named tells whether the record names a node that is in no group yet: it holds
// the role and the host is asked, or it joins and the Primary is.
func (g *Group) named() bool {
	v := &g.snap.Load().view
	return !v.InGroup && (v.Holding || v.Joining)
}

// reopen opens the store and the transport's keys for new settings.
func (g *Group) reopen(s Settings) error {
	l := g.links.Load()
	if l == nil {
		return ErrNotRunning
	}
	return l.open(s)
}

// save keeps the settings in the StateDir.
func (g *Group) save() error {
	g.mu.Lock()
	given := g.given
	g.mu.Unlock()
	v := g.snap.Load().view
	return g.state.save(savedState{
		Settings: given, Membership: membership{InGroup: v.InGroup, Group: v.Record.Group, Term: v.Term},
	})
}
