package availability

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// tenure is one time of being Primary, and the work that is done in it.
type tenure struct {
	group  *Group
	ctx    context.Context //nolint:containedctx // it is the tenure, made to be handed out
	cancel context.CancelCauseFunc
	term   uint64
	work   sync.WaitGroup
}

// termKey finds the term of the innermost tenure, guardKey that of one group.
type (
	termKey  struct{}
	guardKey struct{ g *Group }
)

// TermFromContext returns the term of a context of [Group.PrimaryContext] or
// [Group.RunWhilePrimary], for use as a fencing token: a store that refuses a
// write with an older term than it has seen is safe even from a process that
// was stopped between its check and its write.
func TermFromContext(ctx context.Context) (term uint64, ok bool) {
	term, ok = ctx.Value(termKey{}).(uint64)
	return term, ok
}

// Guard tells right before a side effect whether the work of ctx, a context of
// [Group.PrimaryContext] or [Group.RunWhilePrimary] of this group, or one made
// from it, still has the role: it returns the term in which it does. It
// compares with the clock, does no I/O, never blocks and is cheap enough to be
// called before every write. Errors: [ErrNotPrimary] if the tenure of ctx is
// over, also if this node is Primary again in a later one, and for a context
// of no tenure of this group; the cause of ctx if it has ended otherwise.
//
// The answer is true when it is given. For a write to something that can
// compare terms, give it the term and let it refuse older ones; nothing in
// this process can know that it was not stopped between Guard and the write.
func (g *Group) Guard(ctx context.Context) (term uint64, err error) {
	s := g.snap.Load()
	term, ok := ctx.Value(guardKey{g}).(uint64)
	switch {
	case !ok || s.primaryTerm() != term || !g.isPrimary(s):
		return 0, ErrNotPrimary
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	}
	return term, nil
}

// beginTenure and endTenure bound the tenure; only the driver calls them.
func (g *Group) beginTenure(term uint64) {
	ctx, cancel := context.WithCancelCause(g.base())
	t := &tenure{group: g, ctx: ctx, cancel: cancel, term: term}
	g.watches.Go(t.watch)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tenure = t
	g.announceLocked()
}

// watch ends the tenure when its authority is over. The driver does the same,
// unless the host's logger holds it up.
func (t *tenure) watch() {
	g := t.group
	for g.holds(t.term) {
		due := g.cfg.Clock.Timer(max(g.snap.Load().nap(g.cfg.Clock.Now()), 1))
		select {
		case <-due.C:
		case <-t.ctx.Done():
		}
		due.Stop()
		if t.ctx.Err() != nil {
			return
		}
	}
	t.cancel(ErrNotPrimary)
}

func (g *Group) endTenure() *tenure {
	g.mu.Lock()
	t := g.tenure
	if t != nil {
		g.tenure = nil
		g.announceLocked()
	}
	g.mu.Unlock()
	if t != nil {
		t.cancel(ErrNotPrimary)
	}
	return t
}

// base is the root of the contexts of tenures, which outlive the calls that
// ask for them.
func (g *Group) base() context.Context { return context.Background() } //nolint:forbidigo // ended by endTenure, not by a caller

func (g *Group) announceLocked() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// enter joins the present tenure, if it is later than after: its end waits for
// the returned function.
func (g *Group) enter(after uint64) (t *tenure, leave func(), changed <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tenure == nil || g.tenure.term <= after {
		return nil, nil, g.changed
	}
	t = g.tenure
	t.work.Add(1)
	return t, sync.OnceFunc(t.work.Done), g.changed
}

// awaitTenure waits for a tenure later than after that is not over by the clock.
func (g *Group) awaitTenure(ctx context.Context, after uint64) (*tenure, func(), error) {
	for {
		if ctx.Err() != nil {
			return nil, nil, fmt.Errorf("wait for the role: %w", context.Cause(ctx))
		}
		t, leave, changed := g.enter(after)
		if t != nil && g.holds(t.term) {
			return t, leave, nil
		}
		if t != nil {
			leave()
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-g.ended:
			return nil, nil, ErrNotRunning
		}
	}
}

// PrimaryContext waits until this node is Primary and returns a context that
// ends, with the cause [ErrNotPrimary], when it no longer is, and when ctx
// does. If the machine was suspended beyond the node's authority, it ends
// within W/40 of its going on; [Group.IsPrimary] knows at once. The work done
// under it must have stopped when it ends; calling the returned function says
// that it has, so a planned failover need not wait for the stop budget. It
// returns the error of ctx, at once for one that has ended already, and
// [ErrNotRunning] once Run has returned.
func (g *Group) PrimaryContext(ctx context.Context) (context.Context, context.CancelFunc, error) {
	t, leave, err := g.awaitTenure(ctx, 0)
	if err != nil {
		return nil, nil, err
	}
	joined, cancel := t.join(ctx)
	return joined, func() { cancel(); leave() }, nil
}

// join is a context that ends with the tenure and with ctx, and has the values
// of ctx and the term.
func (t *tenure) join(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithValue(context.WithValue(ctx, termKey{}, t.term), guardKey{t.group}, t.term)
	joined, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(t.ctx, func() { cancel(context.Cause(t.ctx)) })
	return joined, func() { stop(); cancel(context.Canceled) }
}

// RunWhilePrimary calls fn whenever this node becomes Primary, with a context
// that ends when it no longer is, one call at a time. When fn returns nil it
// waits for the next term; an error that fn returns while the node is Primary
// ends RunWhilePrimary and is returned, one that it returns after the loss of
// the role is dropped. It returns the error of ctx when that ends, and never
// calls fn if it had ended before; [ErrNotRunning] once Run has returned; and at
// once [ErrBadRequest] for a nil fn.
func (g *Group) RunWhilePrimary(ctx context.Context, fn func(ctx context.Context, term uint64) error) error {
	if fn == nil {
		return fmt.Errorf("run while primary: %w: there is no function to call", ErrBadRequest)
	}
	var last uint64
	for {
		t, leave, err := g.awaitTenure(ctx, last)
		if err != nil {
			return err
		}
		last = t.term
		if err := t.run(ctx, leave, fn); err != nil {
			return err
		}
	}
}

func (t *tenure) run(ctx context.Context, leave func(), fn func(ctx context.Context, term uint64) error) error {
	defer leave()
	joined, cancel := t.join(ctx)
	defer cancel()
	err := fn(joined, t.term)
	// The context may end a moment later than Guard, which fn has asked perhaps.
	if _, lost := t.group.Guard(joined); err == nil || errors.Is(lost, ErrNotPrimary) {
		return nil
	}
	return err
}
