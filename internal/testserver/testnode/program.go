package testnode

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Program is a program of the module, built once, by the first test that needs
// it, into a directory that outlives the test. The zero value is examples/node.
type Program struct {
	Folder string   // where it is in the module; empty: examples/node
	Flags  []string // of go build

	once sync.Once
	dir  string
	err  error
}

// Path is where the program is. It may be called concurrently.
func (p *Program) Path(tb testing.TB) string {
	tb.Helper()
	p.once.Do(func() { p.err = p.build(context.WithoutCancel(tb.Context())) })
	if p.err != nil {
		tb.Fatal(p.err)
	}
	return p.path()
}

func (p *Program) build(ctx context.Context) (err error) {
	if p.dir, err = os.MkdirTemp("", "agnode"); err != nil {
		return err
	}
	return Build(ctx, p.path(), cmp.Or(p.Folder, Node), p.Flags...)
}

func (p *Program) path() string { return filepath.Join(p.dir, "node") }

// Remove removes what Path has built.
func (p *Program) Remove() error {
	if p.dir == "" {
		return nil
	}
	return os.RemoveAll(p.dir)
}

// Node is the folder of the program that most tests run.
const Node = "examples/node"

// Build builds the program in a folder of the module into a file.
func Build(ctx context.Context, file, folder string, flags ...string) error {
	args := slices.Concat([]string{"build", "-o", file}, flags, []string{"github.com/availabilitygroup/ag/" + folder})
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// Together parses the flags, and has so many tests run at a time unless
// -parallel says otherwise: tests of nodes wait most of the time, whatever the
// number of processors. It is for TestMain.
func Together(n string) error {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return nil
	}
	return flag.Set("test.parallel", n)
}
