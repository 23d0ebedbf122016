//go:build linux

package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// node is one member, or is to become one: a process, most of the time.
type node struct {
	t     *testing.T
	id    string
	ip    string
	relay *relay
	conf  map[string]any // of the JSON file
	dir   string
	cmd   *exec.Cmd
	done  chan struct{}          // closed when the process has ended
	base  atomic.Pointer[string] // of the URLs at which the test reaches it; nil: not at all
	key   string                 // the TSIG secret, which it must never print
}

// options are keys of the node's file; those of the settings begin with a dot.
type options map[string]any

func (n *node) set(o options) {
	settings, _ := n.conf["settings"].(map[string]any)
	for key, value := range o {
		if name, ok := strings.CutPrefix(key, "."); ok {
			settings[name] = value
			continue
		}
		n.conf[key] = value
	}
}

// start runs the node and waits until it listens.
func (n *node) start() {
	n.t.Helper()
	from := len(n.log())
	n.run()
	n.await("the node listens", func() bool {
		if !n.alive() {
			n.t.Fatalf("node %s has ended at the start", n.id)
		}
		for _, l := range n.lines(from) {
			if l.Msg == "listening" {
				n.relay.aim(l.Address)
				n.base.Store(new(n.scheme() + "://" + l.Address))
				return true
			}
		}
		return false
	})
}

// run starts the process.
func (n *node) run(flags ...string) {
	n.t.Helper()
	text, err := json.Marshal(n.conf)
	if err != nil {
		n.t.Fatal(err)
	}
	config := filepath.Join(n.dir, "node.json")
	if err := os.WriteFile(config, text, 0o600); err != nil {
		n.t.Fatal(err)
	}
	file, err := os.OpenFile(n.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		n.t.Fatal(err)
	}
	defer file.Close()
	ctx := context.WithoutCancel(n.t.Context()) // end ends it, however the test did
	n.cmd = exec.CommandContext(ctx, program.Path(n.t), append([]string{"-config", config}, flags...)...)
	n.cmd.Dir, n.cmd.Stdout, n.cmd.Stderr = n.dir, file, file
	n.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	running.Add(n.cmd.Process.Pid, "node "+n.id)
	n.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // how it ended is in cmd
		running.Remove(cmd.Process.Pid)
		close(done)
	}(n.cmd, n.done)
}

func (n *node) alive() bool {
	if n.done == nil {
		return false
	}
	select {
	case <-n.done:
		return false
	default:
		return true
	}
}

// signal sends one to the process.
func (n *node) signal(s syscall.Signal) {
	n.t.Helper()
	if err := n.cmd.Process.Signal(s); err != nil {
		n.t.Fatalf("%v to node %s: %v", s, n.id, err)
	}
}

// crash ends the process as nothing can be caught, and returns when that was.
func (n *node) crash() time.Time {
	n.t.Helper()
	n.signal(syscall.SIGKILL)
	<-n.done
	n.base.Store(nil)
	return time.Now()
}

// exit waits for the end of the process and returns its status.
func (n *node) exit(within time.Duration) int {
	n.t.Helper()
	select {
	case <-n.done:
	case <-time.After(within):
		n.t.Fatalf("node %s has not ended within %v", n.id, within)
	}
	n.base.Store(nil)
	return n.cmd.ProcessState.ExitCode()
}

// freeze stops the process, and returns when all of it has.
func (n *node) freeze() {
	n.t.Helper()
	n.signal(syscall.SIGSTOP)
	testnode.AwaitStopped(n.t, patience, n.cmd.Process.Pid)
}

func (n *node) thaw() {
	n.t.Helper()
	n.signal(syscall.SIGCONT)
}

// end is the clean-up.
func (n *node) end() {
	if n.alive() {
		if err := n.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			n.t.Errorf("end node %s: %v", n.id, err)
		}
		<-n.done
	}
	text := n.log()
	if n.t.Failed() {
		n.t.Logf("the end of the log of node %s:\n%s", n.id, text[max(0, len(text)-12000):])
	}
	if testnode.Spilled(text, n.key) {
		n.t.Errorf("node %s has printed what it must not: a secret, a race or a panic", n.id)
	}
}

func (n *node) scheme() string {
	settings, _ := n.conf["settings"].(map[string]any)
	return fmt.Sprint(settings["external_scheme"])
}

func (n *node) logFile() string { return filepath.Join(n.dir, n.id+".log") }

func (n *node) log() string {
	text, err := os.ReadFile(n.logFile())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err.Error()
	}
	return string(text)
}

// lines are those of the log from an offset on.
func (n *node) lines(from int) []testnode.Line { return testnode.Lines(n.log()[from:]) }

// logged tells whether an event has been logged since an offset, with a text.
func (n *node) logged(from int, id, text string) bool {
	return testnode.Logged(n.log()[from:], id, text)
}

func (n *node) await(what string, ok func() bool) {
	n.t.Helper()
	await(n.t, what, ok)
}
