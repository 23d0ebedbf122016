//go:build linux

package hosts_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/testserver/testnode"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// programConfig is the environment variable that makes the test binary the
// program below: the name of its JSON file, in the form of examples/node.
const programConfig = "AG_HOSTS_PROGRAM"

// program is a host program of the library's public API: it writes to a ledger
// while it is Primary, and its clock can be set.
type program struct {
	group  *availability.Group
	clock  *stepClock
	id     string
	ledger string
	log    *slog.Logger
	all    sync.WaitGroup

	trouble *trouble // nil: none
}

type programOptions struct {
	Settings  availability.Settings  `json:"settings"`
	Server    string                 `json:"server"`
	Zone      string                 `json:"zone"`
	Net       string                 `json:"net"`
	NodeID    string                 `json:"node_id"`
	Bootstrap availability.Bootstrap `json:"bootstrap"`
	StateDir  string                 `json:"state_dir"`
	Ledger    string                 `json:"ledger"`
	Trouble   bool                   `json:"trouble"`
	LogFormat string                 `json:"log_format"`
}

// programMain returns the exit status.
func programMain(file string) int {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	var o programOptions
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err == nil {
		err = runProgram(o, log)
	}
	if err != nil {
		log.Error("the program has failed", "err", err.Error())
		return 1
	}
	return 0
}

func runProgram(o programOptions, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	p := &program{clock: newStepClock(), id: o.NodeID, ledger: o.Ledger, log: log}
	peers := httptransport.New(httptransport.Config{Logger: log})
	store := rfc2136.Config{Server: o.Server, Zone: o.Zone, Net: o.Net, Now: p.clock.Now}
	config := availability.Config{
		Settings: o.Settings, NodeID: o.NodeID, Bootstrap: o.Bootstrap, StateDir: o.StateDir,
		OpenStore: store.Open, Transport: peers, Clock: p.clock, Logger: log,
	}
	if o.Trouble {
		p.trouble = newTrouble(&config)
	}
	g, err := availability.New(config)
	if err != nil {
		return err
	}
	p.group = g
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", nodePort))
	if err != nil {
		return err
	}
	log.Info("listening")
	server := &http.Server{Handler: p.handler(peers)}
	p.all.Go(func() { _ = server.Serve(l) })
	p.all.Go(func() { _ = g.RunWhilePrimary(ctx, p.work) })
	err = g.Run(ctx)
	_ = server.Close()
	stop()
	p.all.Wait()
	return err
}

func (p *program) handler(peers http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(httptransport.Path, peers)
	mux.Handle("/ag/", httpapi.New(p.group, httpapi.Config{Authorize: everybody, Logger: p.log}))
	mux.HandleFunc("GET /work", func(w http.ResponseWriter, _ *http.Request) {
		var err error
		if !p.group.IsPrimary() {
			err = availability.ErrNotPrimary
		}
		p.answer(w, err)
	})
	mux.HandleFunc("POST /spin", func(w http.ResponseWriter, _ *http.Request) {
		begun := make(chan struct{})
		p.all.Go(func() { p.spin(begun) })
		<-begun
		p.answer(w, nil)
	})
	if p.trouble != nil {
		p.trouble.handle(mux, p.group)
	}
	mux.HandleFunc("POST /step", func(w http.ResponseWriter, r *http.Request) {
		by, err := time.ParseDuration(r.URL.Query().Get("by"))
		if err == nil {
			p.clock.step(by)
		}
		p.answer(w, err)
	})
	return mux
}

func everybody(*http.Request, httpapi.Scope) (string, error) { return "", nil }

// answer writes the state, or what is wrong.
func (p *program) answer(w http.ResponseWriter, err error) {
	var v any = p.group.GetNodeState()
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		v = map[string]any{"message": err.Error()}
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		_, err = w.Write(text)
	}
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		p.log.Warn("answer", "err", err.Error())
	}
}

// spin asks for the role without a pause until the process has been stopped for
// a while, and tells what it heard first when it went on: it goes on in the
// middle of that, ahead of all others, before anything of the library had a
// chance to notice.
func (p *program) spin(begun chan<- struct{}) {
	const most, while, first = 10 * time.Second, time.Second, -20
	runtime.LockOSThread() // and the thread ends with it
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, first); err != nil {
		p.log.Warn("spin", "err", err.Error())
	}
	begin := time.Now()
	close(begun)
	for last := begin; last.Sub(begin) < most; {
		now := time.Now()
		s := p.group.GetNodeState()
		if now.Sub(last) > while {
			p.log.Info("woken", "text", string(s.NodeRole))
			return
		}
		last = now
	}
	p.log.Warn("woken", "text", "never stopped")
}

// pens is how many write at a time, each again and again after preparing for a
// while: less than the stop budget, as a program has to.
const (
	pens    = 8
	prepare = 10 * testnode.Every
)

// work writes to the ledger as long as it may.
func (p *program) work(ctx context.Context, _ uint64) error {
	var all sync.WaitGroup
	for i := range pens {
		all.Go(func() {
			<-time.NewTimer(prepare * time.Duration(i) / pens).C // not all at the same time
			p.write(ctx)
		})
	}
	all.Wait()
	return nil
}

// write writes to the ledger again and again. As programs do, it looks whether
// it may, prepares what it writes, and writes: whatever happens in between.
func (p *program) write(ctx context.Context) {
	pen := &pen{dial: new(net.Dialer).DialContext, to: p.ledger}
	defer pen.close()
	for p.group.GetNodeState().NodeRole == event.RolePrimary && ctx.Err() == nil {
		term, _ := availability.TermFromContext(ctx)
		preparation := time.NewTimer(prepare)
		<-preparation.C
		if err := pen.write(context.WithoutCancel(ctx), p.id, term); errors.Is(err, errStale) {
			p.log.Warn("the ledger has refused a write", "term", term)
		}
	}
}
