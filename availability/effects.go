package availability

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/internal/failover"
	"github.com/availabilitygroup/ag/internal/record"
	"github.com/availabilitygroup/ag/transport"
)

// start begins one effect. Whatever can wait runs on a worker of its own.
func (d *driver) start(e failover.Effect) {
	switch e := e.(type) {
	case failover.Read:
		d.worker(e.Within, func(ctx context.Context) { d.read(ctx, e) })
	case failover.Write:
		d.worker((1+probeTimes)*e.Within, func(ctx context.Context) { d.send(d.links.write(ctx, e)) })
	case failover.Send:
		d.worker(e.Within, func(ctx context.Context) { d.send(d.exchange(ctx, e)) })
	case failover.Reply:
		d.replies.answer(e.Conn, e.Message)
	case failover.Demote:
		d.demote(e)
	case failover.Promote:
		d.worker(e.Within, func(ctx context.Context) { d.send(d.promote(ctx, e)) })
	case failover.Finish:
		d.g.finished(e)
	}
}

func (d *driver) worker(within time.Duration, do func(ctx context.Context)) {
	d.all.Go(func() error {
		ctx, cancel := context.WithTimeout(d.work, within)
		defer cancel()
		do(ctx)
		return nil
	})
}

func (d *driver) read(ctx context.Context, e failover.Read) {
	d.send(d.links.read(ctx, e))
	if skew, news := d.links.skew(); news {
		d.send(skew)
	}
}

// exchange asks a peer.
func (d *driver) exchange(ctx context.Context, e failover.Send) failover.Input {
	answer := failover.Answered{Op: e.Op, From: e.To.ID}
	d.g.counts.sent.Add(1)
	m, err := d.links.ask(ctx, e.To, e.Message)
	if err != nil {
		d.g.counts.unanswered.Add(1)
		if !errors.Is(err, errNoTransport) && d.work.Err() == nil {
			d.g.peerProblem(e.To.ID, err)
		}
		answer.Problem = problemOf(err)
		return answer
	}
	d.g.counts.works(channel{peer: e.To.ID})
	answer.Message = m
	return answer
}

// ask sends a message to another member and waits for its answer.
func (l *links) ask(ctx context.Context, to record.Member, m failover.Message) (failover.Message, error) {
	if l.g.cfg.Transport == nil {
		return nil, errNoTransport
	}
	request, err := pack(l.fqdn(), l.g.nodeID(), to.ID, m)
	if err != nil {
		return nil, err
	}
	answer, err := l.g.cfg.Transport.Exchange(ctx, peerOf(to), request)
	if err != nil {
		return nil, err
	}
	return unpack(answer)
}

// replies are the messages that wait for the machine's answer.
type replies struct {
	mu   sync.Mutex
	last uint64                           // guarded by mu
	open map[uint64]chan failover.Message // guarded by mu
}

func newReplies() *replies { return &replies{open: map[uint64]chan failover.Message{}} }

func (r *replies) add() (conn uint64, answer <-chan failover.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	c := make(chan failover.Message, 1) // so that the driver never waits for a handler
	r.open[r.last] = c
	return r.last, c
}

func (r *replies) drop(conn uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, conn)
}

func (r *replies) answer(conn uint64, m failover.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.open[conn]; ok {
		delete(r.open, conn)
		c <- m
	}
}

// HandleMessage takes a message of a peer to the machine and waits for its
// answer; the transport has authenticated it.
func (d *driver) HandleMessage(ctx context.Context, m transport.Message) (transport.Message, error) {
	fqdn, id := d.links.fqdn(), d.g.nodeID()
	if m.Group != fqdn || m.To != id {
		d.g.counts.badMessages.Add(1)
		return transport.Message{}, fmt.Errorf("%w: %w", transport.ErrUnauthenticated, errForeignMessage)
	}
	in, err := unpack(m)
	if err != nil {
		d.g.counts.badMessages.Add(1)
		return transport.Message{}, err
	}
	d.g.counts.received.Add(1)
	conn, answer := d.replies.add()
	defer d.replies.drop(conn)
	select {
	case d.g.inputs <- failover.Received{Conn: conn, From: m.From, Message: in}:
	case <-ctx.Done():
		return transport.Message{}, context.Cause(ctx)
	case <-d.work.Done():
		return transport.Message{}, ErrNotRunning
	}
	select {
	case a := <-answer:
		d.notePause(m.From, in, a)
		return pack(m.Group, id, m.From, a)
	case <-ctx.Done():
		return transport.Message{}, context.Cause(ctx)
	case <-d.work.Done():
		return transport.Message{}, ErrNotRunning
	}
}

// notePause logs why another member has paused the group.
func (d *driver) notePause(from string, in, answer failover.Message) {
	ask, asked := in.(failover.Ask)
	verdict, answered := answer.(failover.Verdict)
	if asked && answered && ask.Request.Verb == failover.VerbPause && verdict.Code == "" {
		d.g.logPause(from, ask.Request.Reason)
	}
}

var _ transport.Handler = (*driver)(nil)

// serve delivers messages as long as the group runs. A transport that gives up
// is tried again; the group goes on over DNS.
func (d *driver) serve(ctx context.Context) {
	t := d.g.cfg.Transport
	if t == nil {
		return
	}
	select { // without settings there is no key to serve with
	case <-d.links.ready:
	case <-ctx.Done():
		return
	}
	for failures := 1; ctx.Err() == nil; failures++ {
		err := t.Serve(ctx, d)
		if ctx.Err() != nil {
			return
		}
		if err != nil && worthTelling(failures) {
			d.g.log.Warn("the transport has stopped serving; trying again", slogErr(err))
		}
		if !d.pause(ctx, d.g.timing().HealthReportInterval) {
			return
		}
	}
}

// pause waits, and tells whether ctx still lives.
func (d *driver) pause(ctx context.Context, wait time.Duration) bool {
	t := d.g.cfg.Clock.Timer(max(wait, time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
