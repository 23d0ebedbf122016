package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"time"
)

// process is a node in a process of its own.
type process struct {
	id      string
	address netip.Addr
	cmd     *exec.Cmd
	in      io.WriteCloser
	done    chan struct{} // closed when the process has ended

	mu      sync.Mutex
	role    string        // guarded by mu
	since   time.Time     // guarded by mu; the node's own time of its role
	changed chan struct{} // guarded by mu; closed at each news
	ends    []news        // guarded by mu; of verbs
}

// spawn starts a node and gives it its configuration.
func (s *show) spawn(id string, address netip.Addr) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{id: id, address: address, done: make(chan struct{}), changed: make(chan struct{})}
	p.cmd = exec.Command(self, "-node")
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	s.all.Go(func() {
		defer close(p.done)
		s.listen(p, out)
		_ = p.cmd.Wait() // a killed process ends with an error
	})
	settings := s.settings
	if address.Is4() {
		settings.ExternalIPv4Address = address
	} else {
		settings.ExternalIPv6Address = address
	}
	return p, p.tell(order{
		ID: id, Server: s.server, Address: address, Port: s.port, Settings: settings, Secret: s.secret.Reveal(),
	})
}

func (p *process) tell(o order) error {
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = p.in.Write(append(line, '\n'))
	return err
}

// listen takes a node's news until it ends.
func (s *show) listen(p *process, out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var n news
		if json.Unmarshal(lines.Bytes(), &n) != nil {
			continue
		}
		p.mu.Lock()
		switch n.Kind {
		case "role":
			p.role, p.since = string(n.Role.New), n.At
		case "done":
			p.ends = append(p.ends, n)
		}
		close(p.changed)
		p.changed = make(chan struct{})
		p.mu.Unlock()
		s.report(p, n)
	}
}

// await waits until ok, which is called with the process locked.
func (p *process) await(ctx context.Context, what string, ok func() bool) error {
	for {
		p.mu.Lock()
		good, changed := ok(), p.changed
		p.mu.Unlock()
		if good {
			return nil
		}
		select {
		case <-changed:
		case <-p.done:
			return fmt.Errorf("node %s ended before %s", p.id, what)
		case <-ctx.Done():
			return fmt.Errorf("waited for node %s: %s: %w", p.id, what, context.Cause(ctx))
		}
	}
}

// becomes waits for a role and returns since when the node has had it.
func (p *process) becomes(ctx context.Context, role string) (time.Time, error) {
	err := p.await(ctx, "it is "+role, func() bool { return p.role == role })
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.since, err
}

// do has a node carry out a verb and waits for its end.
func (p *process) do(ctx context.Context, verb string) error {
	p.mu.Lock()
	before := len(p.ends)
	p.mu.Unlock()
	if err := p.tell(order{Do: verb}); err != nil {
		return err
	}
	if err := p.await(ctx, verb+" has ended", func() bool { return len(p.ends) > before }); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if end := p.ends[before]; end.Error != "" {
		return errors.New(end.Error)
	}
	return nil
}

// kill ends a node as a crash would; quit asks it to end.
func (p *process) kill() { _ = p.cmd.Process.Kill(); <-p.done }
func (p *process) quit() { _ = p.in.Close() }
