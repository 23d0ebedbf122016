//go:build linux

package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// together is how many tests run at a time unless -parallel says otherwise:
// they wait most of the time, whatever the number of processors.
const together = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	if !given("test.parallel") {
		if err := flag.Set("test.parallel", together); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	status := m.Run()
	if left := running.List(); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: processes have outlived their tests: %v\n", left)
		status = 1
	}
	if err := program.remove(); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: clean up:", err)
		status = 1
	}
	os.Exit(status)
}

func given(name string) bool {
	found := false
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// running are the processes that have been started and have not ended.
var running testnode.Processes

// program is examples/node, built once, by the first test that needs it.
var program binary

type binary struct {
	once sync.Once
	dir  string
	err  error
}

func (b *binary) path(t *testing.T) string {
	t.Helper()
	b.once.Do(func() { b.dir, b.err = build(context.WithoutCancel(t.Context())) })
	if b.err != nil {
		t.Fatal(b.err)
	}
	return filepath.Join(b.dir, "node")
}

func (b *binary) remove() error {
	if b.dir == "" {
		return nil
	}
	return os.RemoveAll(b.dir)
}

func build(ctx context.Context) (dir string, err error) {
	dir, err = os.MkdirTemp("", "age2e")
	if err != nil {
		return "", err
	}
	args := []string{"build", "-o", filepath.Join(dir, "node")}
	if raceDetector {
		args = append(args, "-race")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "github.com/availabilitygroup/ag/examples/node")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return dir, nil
}
