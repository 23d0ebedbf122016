//go:build linux

package hosts_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// nodePort is where every node listens, on all addresses of its host.
const nodePort = 8080

// node is one member, or is to become one: a process on a host, most of the
// time.
type node struct {
	t       *testing.T
	id      string // and the name of its host
	host    *namespace
	own     bool           // it runs the program of this package
	program string         // another build of examples/node; empty: the usual one
	conf    map[string]any // of the JSON file
	dir     string
	cmd     *exec.Cmd
	done    chan struct{} // closed when the process has ended
	listens atomic.Bool
	secret  string // the TSIG secret, which it must never print
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

// control is where the node is reached from its own host: nothing that a
// scenario cuts is on that way, and the node takes orders from there.
func (n *node) control() string { return fmt.Sprintf("http://127.0.0.1:%d", nodePort) }

// start runs the node, waits until it listens, and returns when that was.
func (n *node) start() time.Time {
	n.t.Helper()
	from := len(n.log())
	n.run()
	await(n.t, "node "+n.id+" listens", func() bool {
		if !n.alive() {
			n.t.Fatalf("node %s has ended at the start", n.id)
		}
		return slices.ContainsFunc(n.lines(from), func(l testnode.Line) bool { return l.Msg == "listening" })
	})
	n.listens.Store(true)
	return time.Now()
}

// run starts the process on its host.
func (n *node) run() {
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
	n.cmd = n.command(config)
	n.cmd.Dir, n.cmd.Stdout, n.cmd.Stderr = n.dir, file, file
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := n.host.start(n.cmd); err != nil {
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

func (n *node) command(config string) *exec.Cmd {
	n.t.Helper()
	ctx := context.WithoutCancel(n.t.Context()) // end ends it, however the test did
	if !n.own {
		program := n.program
		if program == "" {
			program = nodeProgram.Path(n.t)
		}
		return exec.CommandContext(ctx, program, "-config", config)
	}
	self, err := os.Executable()
	if err != nil {
		n.t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), programConfig+"="+config, "GORACE=halt_on_error=1")
	return cmd
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
	if err := n.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		n.t.Fatalf("%v to node %s: %v", s, n.id, err)
	}
}

// kill ends the process as nothing can be caught.
func (n *node) kill() {
	n.t.Helper()
	n.signal(syscall.SIGKILL)
}

// crash kills processes, all at the same time, and returns when they have ended.
func crash(nodes ...*node) time.Time {
	for _, n := range nodes {
		n.t.Helper()
		if n.alive() {
			n.kill()
		}
	}
	for _, n := range nodes {
		<-n.done
		n.listens.Store(false)
	}
	return time.Now()
}

// freeze stops the process, and returns when all of it has.
func (n *node) freeze() time.Time {
	n.t.Helper()
	n.signal(syscall.SIGSTOP)
	testnode.AwaitStopped(n.t, patience, n.cmd.Process.Pid)
	return time.Now()
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
	if testnode.Spilled(text, n.secret) {
		n.t.Errorf("node %s has printed what it must not: a secret, a race or a panic", n.id)
	}
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

// logged tells whether an event has been logged, with a text.
func (n *node) logged(id, text string) bool { return testnode.Logged(n.log(), id, text) }
