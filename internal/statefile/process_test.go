//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package statefile_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/availabilitygroup/ag/internal/statefile"
)

// childDir is the environment variable that makes this program a child which
// opens the directory, begins a run and stays until it is killed.
const childDir = "STATEFILE_TEST_DIR"

const childRun = "run-of-the-child"

func TestMain(m *testing.M) {
	if path := os.Getenv(childDir); path != "" {
		os.Exit(child(path))
	}
	os.Exit(m.Run())
}

func child(path string) int {
	d, err := statefile.Open(path)
	if err == nil {
		err = d.Begin(childRun)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent dies
	return 0
}

// startChild returns when the child holds the directory.
func startChild(t *testing.T, path string) *os.Process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childDir+"="+path)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // killed, by the test or by its context
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "ready\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return cmd.Process
}

func signal(t *testing.T, p *os.Process, s os.Signal) {
	t.Helper()
	if err := p.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func checkLocked(t *testing.T, path, when string) {
	t.Helper()
	for range 100 {
		if _, err := statefile.Open(path); !errors.Is(err, statefile.ErrLocked) {
			t.Fatalf("Open while the child %s: %v, want ErrLocked", when, err)
		}
	}
}

func TestOpen_LockOfAnotherProcess(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	p := startChild(t, path)
	checkLocked(t, path, "lives")
	signal(t, p, syscall.SIGSTOP)
	checkLocked(t, path, "is stopped")
	signal(t, p, syscall.SIGCONT)
	checkLocked(t, path, "lives on")

	signal(t, p, syscall.SIGKILL)
	if _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	// At once: who waits for a dead process must not wait for its lock.
	d := open(t, path)
	if run, ok := d.PreviousRun(); !ok || run != childRun || !d.ProvenDead(childRun) {
		t.Errorf("PreviousRun = %q, %v, want the child's run proved dead", run, ok)
	}
}
