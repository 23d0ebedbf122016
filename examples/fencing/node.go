package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"github.com/availabilitygroup/ag/availability"

	"github.com/availabilitygroup/ag/examples/fencing/objectfence"
	"github.com/availabilitygroup/ag/examples/fencing/sqlfence"
)

// node is one of the two copies of the program.
type node struct {
	id      string
	group   *availability.Group
	stopper *stopper
	db      *sql.DB // its own connection
	fence   sqlfence.Fence
	object  objectfence.Object
	say     func(who, format string, args ...any)
	late    chan late
}

// late is how the writes ended before which the node had been stopped.
type late struct {
	term       uint64
	guard      error // of a Guard after it
	object     error
	sql, plain error
}

func (s *story) newNode(ctx context.Context, id, address string) (*node, error) {
	n := &node{
		id: id, stopper: &stopper{}, fence: sqlfence.Fence{Name: fqdn}, late: make(chan late, 1), say: s.screen.line,
		object: objectfence.Object{URL: s.objects.URL + path, Client: s.objects.Client()},
	}
	var err error
	if n.db, err = sql.Open("sqlite", database); err != nil {
		return nil, err
	}
	if err := n.fence.Create(ctx, n.db); err != nil {
		return nil, errors.Join(err, n.db.Close())
	}
	n.group, err = availability.New(availability.Config{
		Settings: availability.Settings{
			GroupFQDN:           fqdn,
			ExternalIPv4Address: netip.MustParseAddr(address),
			Timing:              availability.FastTiming(),
		},
		NodeID:    id,
		Store:     stoppable{s.records, n.stopper},
		Transport: s.network.Node(id),
	})
	if err != nil {
		return nil, errors.Join(err, n.db.Close())
	}
	return n, nil
}

// serve works in each tenure of its own. What has gone wrong within a tenure
// ends it; what work returns because the tenure is over does not.
func (n *node) serve(ctx context.Context) {
	if err := n.group.RunWhilePrimary(ctx, n.work); ctx.Err() == nil {
		n.say(n.id, "works no more: %v", err)
	}
}

// work is what only the Primary does: it claims both stores, and counts.
func (n *node) work(ctx context.Context, term uint64) error {
	if err := errors.Join(n.fence.Claim(ctx, n.db, term), n.object.Claim(ctx, term)); err != nil {
		return err
	}
	n.say(n.id, "is Primary in term %d, and has claimed both stores", term)
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
		if err := n.count(ctx); err != nil {
			return err
		}
	}
}

// count writes three times: into the object, into a guarded table, and into
// one that is not guarded.
func (n *node) count(ctx context.Context) error {
	term, err := n.group.Guard(ctx)
	if err != nil {
		return err
	}
	// A process that was stopped here does its next steps before it learns that
	// ctx has ended. In this process ctx ends in time, so it is not listened to.
	stale := context.WithoutCancel(ctx)
	stopped := false
	object := n.object.Write(stale, term, func(data json.RawMessage) (json.RawMessage, error) {
		waited, err := n.stopper.pass(stale)
		stopped = stopped || waited
		return increment(data), err
	})
	guarded := n.fence.Tx(stale, n.db, term, func(tx *sqlfence.Tx) error {
		_, err := tx.ExecContext(stale, "INSERT INTO counted (term) VALUES (?)", int64(term))
		return err
	})
	_, plain := n.db.ExecContext(stale, "INSERT INTO unguarded (term) VALUES (?)", int64(term))
	if stopped {
		_, guard := n.group.Guard(ctx)
		n.late <- late{term: term, guard: guard, object: object, sql: guarded, plain: plain}
	}
	return errors.Join(object, guarded, plain)
}

func increment(data json.RawMessage) json.RawMessage {
	var count int
	if len(data) > 0 && json.Unmarshal(data, &count) != nil {
		return data
	}
	text, err := json.Marshal(count + 1)
	if err != nil {
		return data
	}
	return text
}
