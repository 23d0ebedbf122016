package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/availabilitygroup/ag/dnsstore/embedded"
)

// childEnv makes this program a server on the directory that it names.
const childEnv = "AG_EMBEDDED_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		serveAsChild(dir)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// serveAsChild prints the address and serves until it is killed.
func serveAsChild(dir string) {
	c := testConfig()
	c.Dir = dir
	s, err := embedded.New(c)
	if err != nil {
		fmt.Println(err)
		return
	}
	limitFileSize()
	go func() {
		addr, err := s.Addr(context.Background())
		fmt.Println(addr, err)
	}()
	fmt.Println(s.Run(context.Background()))
}

// child is a server in a process of its own.
type child struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr string
}

func startChild(t *testing.T, dir string) *child {
	t.Helper()
	return startChildWithInput(t, dir, nil)
}

func startChildWithInput(t *testing.T, dir string, input *os.File, env ...string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), append(env, childEnv+"="+dir)...)
	if input != nil {
		cmd.Stdin = input
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: cmd}
	t.Cleanup(func() { // most are dead
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	addr, failure, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil || failure != "<nil>" {
		t.Fatalf("child: %q, %v", line, err)
	}
	c.addr = addr
	return c
}

// kill ends the process as kill -9 does, and waits for that.
func (c *child) kill() {
	c.t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		c.t.Fatal(err)
	}
	_ = c.cmd.Wait() // it was killed, that is its error
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && !status.Signaled() && runtime.GOOS != "windows" { // which has no signals
		c.t.Fatalf("child had ended by itself: %v", c.cmd.ProcessState)
	}
}
