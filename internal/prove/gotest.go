package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// goTest runs go test -json and notes what became of each test. A test that
// fails is no error; that nothing could be run is one.
func (p *prover) goTest(ctx context.Context, folder string, args ...string) (*testRun, error) {
	timeout := fastLimit
	if p.nightly {
		timeout = nightlyLimit
	}
	args = append([]string{"test", "-json", "-count=1", "-timeout", timeout.String()}, append(args, folder)...)
	c := p.command(ctx, args...)
	out, err := c.StdoutPipe()
	if err != nil {
		return &testRun{}, err
	}
	var problems bytes.Buffer
	c.Stderr = &problems
	if err := c.Start(); err != nil {
		return &testRun{}, err
	}
	r, readErr := read(out)
	err = c.Wait()
	killGroup(c)
	for id, t := range r.byID {
		p.done[id] = *t
	}
	if problems.Len() > 0 {
		r.other = append(r.other, problems.String())
	}
	if _, isExit := errors.AsType[*exec.ExitError](err); isExit && (r.failed || len(r.failures()) > 0) {
		err = nil // the tests have said it
	}
	return r, errors.Join(readErr, ctx.Err(), err)
}

// command is a call of the go command from the root of the module, in a process
// group of its own that is interrupted with ctx.
func (p *prover) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = p.root
	c.Env = p.environment()
	c.WaitDelay = 10 * time.Second
	ownGroup(c)
	return c
}

// environment is that of this process, with nothing that would make the tests
// do less than they should.
func (p *prover) environment() []string {
	var all []string
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "AG_") && !strings.HasPrefix(v, "AG_REQUIRE_") {
			continue
		}
		all = append(all, v)
	}
	if p.nightly {
		all = append(all, "AG_NIGHTLY=1")
	}
	return all
}

// moduleRoot is the folder of the module that the program was started in.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	file := strings.TrimSpace(string(out))
	if err == nil && (file == "" || file == os.DevNull) {
		err = errors.New("this is not the folder of the module")
	}
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(file), nil
}
