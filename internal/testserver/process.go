package testserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 20 * time.Second
	runTimeout   = 30 * time.Second
	buildTimeout = 10 * time.Minute
)

// process is a child process that somebody waits for.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startProcess runs argv in dir, with all its output appended to a file. The
// process outlives ctx: only the methods of process end it.
func startProcess(ctx context.Context, argv []string, dir, output string) (*process, error) {
	file, err := os.OpenFile(output, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close() // the child has its own descriptor
	cmd := exec.CommandContext(context.WithoutCancel(ctx), argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, file, file
	cmd.SysProcAttr = endWithParent()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() { // ends with the process, which end() ends
		defer close(p.done)
		_ = cmd.Wait() // how it ended is in its log
	}()
	return p, nil
}

// running tells whether the process has not ended yet.
func (p *process) running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill ends the process, running, paused or ended already.
func (p *process) kill() error {
	if !p.running() {
		return nil
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.done
	return nil
}

// terminate asks the process to end and waits.
func (p *process) terminate(ctx context.Context) error {
	if !p.running() {
		return errors.New("it does not run")
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := errors.Join(p.resume(), signalEnd(p.cmd.Process)); err != nil {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("it did not end: %w", ctx.Err()), p.kill())
	}
}

func (p *process) pause() error  { return signalStop(p.cmd.Process) }
func (p *process) resume() error { return signalContinue(p.cmd.Process) }

// run runs a short program to its end and returns its standard output.
func run(ctx context.Context, argv []string) (string, error) {
	return runFor(ctx, runTimeout, argv)
}

func runFor(ctx context.Context, timeout time.Duration, argv []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%s: %w: %s", argv[0], err, strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}
