package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
)

const (
	zone = "quickstart.test"
	name = "app." + zone
	// period is the failover period W of availability.FastTiming, lease what
	// follows from it.
	period = 5 * time.Second
	lease  = period * 3 / 4
)

// show is everything that the quickstart starts.
type show struct {
	screen   *screen
	server   string
	port     uint16
	secret   availability.Secret
	settings availability.Settings
	watcher  *watcher
	all      sync.WaitGroup
	results  []string

	mu    sync.Mutex
	nodes map[string]*process // guarded by mu
}

// runShow starts the name server and the nodes, plays the story and says what
// came of it.
func runShow(ctx context.Context, out io.Writer) (err error) {
	s := &show{screen: newScreen(out), secret: embedded.GenerateSecret(), nodes: map[string]*process{}}
	ctx, cancel := context.WithCancel(ctx)
	stopServer, err := s.startServer(ctx)
	if err != nil {
		cancel()
		return err
	}
	defer func() {
		s.end()
		cancel()
		s.all.Wait()
		err = errors.Join(err, stopServer())
	}()
	pair, err := s.place()
	if err != nil {
		return err
	}
	s.settings = availability.Settings{
		GroupFQDN: name, GroupFQDNTTL: time.Second, ExternalScheme: "http", ExternalPort: s.port,
		Timing: availability.FastTiming(), TSIGName: "quickstart-key",
	}
	s.watcher = s.newWatcher()
	s.all.Go(func() { s.watcher.watch(ctx) })
	if err := s.play(ctx, pair[0], pair[1]); err != nil {
		s.screen.wipe()
		return err
	}
	return s.summary()
}

// startServer runs the embedded name server with a journal in a directory of
// its own, and returns how to end it.
func (s *show) startServer(ctx context.Context) (stop func() error, err error) {
	dir, err := os.MkdirTemp("", "quickstart-")
	if err != nil {
		return nil, err
	}
	server, err := embedded.New(embedded.Config{
		Zone: zone, Dir: dir, Keys: []embedded.Key{{Name: "quickstart-key", Secret: s.secret}},
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	stop = func() error {
		cancel()
		return errors.Join(<-ended, os.RemoveAll(dir))
	}
	if s.server, err = server.Addr(ctx); err != nil {
		return nil, errors.Join(err, stop())
	}
	s.screen.line("dns", "serves %s at %s, UDP and TCP; try: dig @127.0.0.1 -p %s %s A", zone, s.server, portOf(s.server), name)
	return stop, nil
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// addresses are the nodes that run.
func (s *show) addresses() map[string]netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]netip.Addr{}
	for id, p := range s.nodes {
		all[id] = p.address
	}
	return all
}

// report puts a node's news on the timeline.
func (s *show) report(p *process, n news) {
	switch {
	case n.Kind == "role" && n.Role.Previous == "":
		s.screen.line(p.id, "starts, %s", n.Role.New)
	case n.Kind == "role":
		s.screen.line(p.id, "%s -> %s (%s), term %d", n.Role.Previous, n.Role.New, n.Role.Cause, n.Role.Term)
	case n.Kind == "note":
		s.screen.line(p.id, "%s", n.Text)
	}
}

// end ends what still runs: cleanly if it will, at once if not.
func (s *show) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.nodes {
		p.quit()
	}
	for _, p := range s.nodes {
		select {
		case <-p.done:
		case <-time.After(5 * time.Second):
			p.kill()
		}
	}
	clear(s.nodes)
}
