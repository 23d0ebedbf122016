//go:build linux

package hosts_test

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/availability/agclient"
	"github.com/availabilitygroup/ag/internal/testserver"
)

// The paths of examples/workflow: what is for the first one is redirected to
// the Primary, what is for the other is refused elsewhere.
const (
	orders    = "/orders"
	reminders = "/reminders"
)

// The rates of the two clients, in requests a second: one that knows nothing
// but the name, and one of package agclient, which is there to be compared.
const (
	plainRate = 200 / slower
	knownRate = 40 / slower
)

// workflow is a group of two programs that are examples/workflow, and clients
// that use them all the time.
type workflow struct {
	*lab
	a, b         *node
	plain, known *load
}

// loadTimes are those of the scenarios under load.
func loadTimes() times { return times{w: 6 * time.Second, r: time.Second, c: time.Second} }

// newWorkflow is settled, with a as Primary, and has served for a while. Its
// clients wait for their answers for within.
func newWorkflow(t *testing.T, name string, within time.Duration, sum *totals) *workflow {
	t.Helper()
	return newWorkflowOf(t, workflowProgram.Path(t), "redirect", name, within, sum)
}

// newWorkflowOf is newWorkflow for a build of the program, and for what becomes
// of orders elsewhere.
func newWorkflowOf(t *testing.T, program, elsewhere, name string, within time.Duration, sum *totals) *workflow {
	t.Helper()
	l := newLab(t, scenario{name: "load-" + name, times: loadTimes(), server: testserver.BIND}, sum)
	w := &workflow{lab: l, a: l.node(hostA), b: l.node(hostB)}
	url := l.webLedger()
	for _, n := range []*node{w.a, w.b} {
		n.program = program
		delete(n.conf, "log_format")
		n.set(options{"elsewhere": elsewhere, "ledger": url})
		n.start()
		l.watch.watch(n)
	}
	l.enter(w.a, "/create")
	l.enter(w.b, "/join")
	l.settle(w.a, w.b)
	w.plain = send(t, "plain", plainRate, within, l.newObedient(), orders, reminders)
	w.known = send(t, "known", knownRate, within, w.newKnowing(), orders, reminders)
	w.calm()
	return w
}

// newObedient uses the name as its TTL allows: no connection without use is
// kept for longer.
func (l *lab) newObedient() *http.Transport {
	return &http.Transport{DialContext: l.resolver().dial, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Second / 2}
}

// newKnowing is a client of package agclient that knows the name and the
// members.
func (w *workflow) newKnowing() http.RoundTripper {
	w.t.Helper()
	var members []string
	for _, id := range []string{hostA, hostB} {
		members = append(members, "http://"+addressOf(id)+":"+strconv.Itoa(nodePort))
	}
	c, err := agclient.New(agclient.Config{FQDN: fqdn, Members: members, Base: w.newObedient()})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// calm lets the clients go on for a second and more.
func (w *workflow) calm() {
	w.t.Helper()
	w.plain.more(w.t, plainRate)
	w.known.more(w.t, knownRate)
}

// back waits until the clients are served in a new term, and compares with the
// bound: that of the takeover, after which the old address may be used for the
// TTL. The slack is for a machine that has much to do.
func (w *workflow) back(from time.Time, old uint64) {
	w.t.Helper()
	const ttl, slack = time.Second, 2 * time.Second
	w.prove(w.name+"-back", from, w.plain.firstAfter(w.t, old), w.times.takeover()+ttl+slack)
}

// end ends the clients and judges.
func (w *workflow) end(planned bool) {
	w.t.Helper()
	w.plain.stop()
	w.known.stop()
	entries := w.ledger.kept()
	for _, d := range []*load{w.plain, w.known} {
		all := d.kept()
		key := w.name
		if d == w.known {
			key += "-agclient"
		}
		w.t.Attr("prove."+key, countRequests(all).String())
		w.t.Logf("%s: %v", key, countRequests(all))
		for _, path := range d.paths {
			w.t.Logf("%s%s: %v", key, path, countRequests(slices.DeleteFunc(slices.Clone(all), func(r request) bool { return r.path != path })))
		}
		wrong := judgeRequests(all, entries)
		if planned {
			wrong = append(wrong, w.lost(all)...)
		}
		w.report(wrong)
	}
	w.finish()
}

// lost is what a planned failover has lost. It is not known of a machine that
// did nothing for so long that a write had to be given up, or even the role, nor
// of one that could not keep up with the clients: the program then gives up
// writes that wait for their turn.
func (l *lab) lost(all []request) []string {
	l.t.Helper()
	const much = 2 * time.Second
	wrong := lost(all)
	if len(wrong) == 0 {
		return nil
	}
	unsent := slices.ContainsFunc(all, func(r request) bool { return errors.Is(r.err, errTooMany) })
	if late := machine.Longest(all[0].sent, time.Now()); late > much || unsent {
		l.t.Logf("not counted: the machine was late by %v at one go; requests could not be sent: %t; %q", late, unsent, wrong)
		return nil
	}
	return wrong
}

// report makes known what is wrong, or the first of it.
func (l *lab) report(wrong []string) {
	l.t.Helper()
	for _, text := range wrong[:min(20, len(wrong))] {
		l.t.Error(text)
	}
	l.totals.violations.Add(int64(len(wrong)))
}

// The role is moved there and back, and again, while the programs are in use:
// no order is lost, and no reminder is refused without a word of when to come
// again.
func loadPlanned(t *testing.T, sum *totals) { movedAbout(newWorkflow(t, "planned", patience, sum), 4) }

// The same with programs that forward orders.
func loadForward(t *testing.T, sum *totals) {
	movedAbout(newWorkflowOf(t, workflowProgram.Path(t), "forward", "forward", patience, sum), 2)
}

func movedAbout(w *workflow, times int) {
	defer w.end(true)
	from, to := w.a, w.b
	for range times {
		begin := time.Now()
		w.enter(from, "/failover?to="+to.id)
		w.t.Logf("the failover from %s took %v", from.id, time.Since(begin))
		w.settle(to, from)
		w.calm()
		from, to = to, from
	}
}

// One program after the other is stopped and started again, as for a new
// version, each while it is Primary.
func loadRestart(t *testing.T, sum *totals) {
	w := newWorkflow(t, "restart", patience, sum)
	defer w.end(true)
	from, to := w.a, w.b
	for range 2 {
		from.terminate()
		from.start()
		w.settle(to, from)
		w.calm()
		from, to = to, from
	}
}

// terminate ends the process in order.
func (n *node) terminate() {
	n.t.Helper()
	n.signal(syscall.SIGTERM)
	await(n.t, "the process has ended", func() bool { return !n.alive() })
	n.listens.Store(false)
	if !n.cmd.ProcessState.Success() {
		n.t.Errorf("node %s has ended with %v", n.id, n.cmd.ProcessState)
	}
}

// The Primary is killed.
func loadCrash(t *testing.T, sum *totals) {
	w := newWorkflow(t, "crash", loadWithin, sum)
	defer w.end(false)
	old := w.watch.Tenure(hostA).Term
	w.back(crash(w.a), old)
	w.a.start()
	w.settle(w.b, w.a)
	w.calm()
}

// The Primary reaches neither the other node nor the name server; its clients
// and the ledger it does. They are served until it stops by itself.
func loadPartition(t *testing.T, sum *totals) {
	w := newWorkflow(t, "partition", loadWithin, sum)
	defer w.end(false)
	old := w.watch.Tenure(hostA).Term
	w.back(w.net.cut(slices.Concat(both(hostA, hostB), both(hostA, dnsHost))...), old)
	w.calm()
	w.net.heal()
	w.settle(w.b, w.a)
	w.calm()
}

// The Primary's process is stopped in the midst of its work, and goes on when
// the other node has taken over.
func loadPause(t *testing.T, sum *totals) {
	w := newWorkflow(t, "pause", loadWithin, sum)
	defer w.end(false)
	old := w.watch.Tenure(hostA).Term
	w.back(w.a.freeze(), old)
	w.calm()
	w.a.thaw()
	w.settle(w.b, w.a)
	w.calm()
}

// loadWithin is how long clients wait for an answer where not all can be
// served.
const loadWithin = 2 * time.Second

// TestHosts_Load has the programs in use all the time while the role moves,
// planned or not. It runs alone: it measures.
func TestHosts_Load(t *testing.T) {
	need(t)
	var sum totals
	for _, s := range []struct {
		name string
		run  func(*testing.T, *totals)
	}{
		{"planned", loadPlanned},
		{"forward", loadForward},
		{"restart", loadRestart},
		{"crash", loadCrash},
		{"partition", loadPartition},
		{"pause", loadPause},
		{"trouble", loadTrouble},
	} {
		t.Run(s.name, func(t *testing.T) { s.run(t, &sum) })
	}
	t.Attr("prove.load-violations", strconv.FormatInt(sum.violations.Load(), 10))
}
