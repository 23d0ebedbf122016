package availability_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/transport"
)

var (
	errSimDown  = errors.New("no process listens")
	errSimDying = errors.New("the process is dead")
)

// simTransport is a process's way to its peers: the network of the group, and
// the process's own state. What arrives at a machine goes to the process that
// runs on it then.
type simTransport struct{ p *simProcess }

var _ transport.Transport = simTransport{}

func (s simTransport) Exchange(ctx context.Context, to transport.Peer, m transport.Message) (transport.Message, error) {
	if err := s.p.out(ctx); err != nil {
		return transport.Message{}, err
	}
	there, _ := s.p.w.trip(s.p.m.id + " sends to " + to.ID)
	if err := simSleep(ctx, there); err != nil {
		return transport.Message{}, s.p.in(ctx, err)
	}
	if s.p.w.asleep(to.ID) {
		<-ctx.Done() // a suspended machine answers nothing, and keeps nothing
		return transport.Message{}, s.p.in(ctx, errSimLost)
	}
	answer, err := s.p.w.net.Node(s.p.m.id).Exchange(ctx, to, m)
	if err != nil && s.p.w.plant.forge && m.Kind == "heartbeat" {
		answer, err = forgedPromise(s.p.w, m), nil
	}
	return answer, s.p.in(ctx, err)
}

// asleep: the machine of a member is suspended.
func (w *simWorld) asleep(id string) bool {
	i := slices.IndexFunc(w.members, func(m *simMember) bool { return m.id == id })
	return i >= 0 && w.members[i].machine.suspended()
}

// forgedPromise is what a network would say that answers for nodes it cannot
// reach.
func forgedPromise(w *simWorld, m transport.Message) transport.Message {
	var heartbeat simReport
	if err := json.Unmarshal(m.Body, &heartbeat); err != nil {
		w.fail("a heartbeat cannot be read: %v", err)
	}
	heartbeat.Promise, heartbeat.Role = w.plan.w(), "secondary"
	body, err := json.Marshal(heartbeat)
	if err != nil {
		w.fail("a promise cannot be written: %v", err)
	}
	return transport.Message{Group: m.Group, From: m.To, To: m.From, Kind: "report", Body: body}
}

func (s simTransport) Serve(ctx context.Context, h transport.Handler) error {
	s.p.serve(h)
	<-ctx.Done()
	s.p.serve(nil)
	s.p.calls.Wait()
	return nil
}

// simDoor is a machine's door to the network.
type simDoor struct{ m *simMember }

// simReport is what a simulation reads of a heartbeat's answer.
type simReport struct {
	Group   string        `json:"group,omitempty"`
	Run     string        `json:"run,omitempty"`
	Term    uint64        `json:"term,omitempty"`
	Seq     uint64        `json:"seq,omitempty"`
	Promise time.Duration `json:"promise,omitempty"`
	Role    string        `json:"role,omitempty"`
}

// HandleMessage takes a message to the process. To a stopped one it waits at
// the door, however long.
func (d simDoor) HandleMessage(ctx context.Context, m transport.Message) (transport.Message, error) {
	p := d.m.process()
	h, leave := p.enter()
	if h == nil {
		return transport.Message{}, errSimDown
	}
	defer leave()
	p.awake()
	if p.dead() {
		return transport.Message{}, errSimDying
	}
	answer, err := h.HandleMessage(ctx, m)
	if err == nil && m.Kind == "heartbeat" {
		p.answered(answer)
	}
	p.awake()
	if p.dead() {
		return transport.Message{}, errSimDying
	}
	return answer, err
}

// answered notes a promise, and one that was refused.
func (p *simProcess) answered(answer transport.Message) {
	var report simReport
	if err := json.Unmarshal(answer.Body, &report); err != nil {
		p.w.fail("the answer of %s to a heartbeat cannot be read: %v", p.name(), err)
		return
	}
	if report.Promise == 0 {
		p.w.reach("promises refused")
		return
	}
	p.w.reach("promises given")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.promisedAt, p.promised = time.Now(), report.Promise
}

// enter begins a call of the process's handler.
func (p *simProcess) enter() (h transport.Handler, leave func()) {
	if p == nil || p.dead() {
		return nil, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.handler == nil {
		return nil, nil
	}
	p.calls.Add(1)
	return p.handler, p.calls.Done
}

func (p *simProcess) serve(h transport.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = h
}
