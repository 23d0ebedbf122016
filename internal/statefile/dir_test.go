//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package statefile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/internal/statefile"
)

func begin(t *testing.T, d *statefile.Dir, run string) {
	t.Helper()
	if err := d.Begin(run); err != nil {
		t.Fatal(err)
	}
}

// proven returns those of the runs that d proves to have ended.
func proven(d *statefile.Dir, runs ...string) []string {
	var dead []string
	for _, run := range runs {
		if d.ProvenDead(run) {
			dead = append(dead, run)
		}
	}
	return dead
}

func TestOpen_MakesAPrivateDirectory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "var", "state")
	d := open(t, path)
	begin(t, d, "r1")
	if err := d.Write("settings", []byte("x")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("mode of the directory = %v, want 0700", info.Mode().Perm())
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode of %s = %v, want 0600", e.Name(), info.Mode().Perm())
		}
	}
	if len(entries) != 3 {
		t.Errorf("%d files in the directory, want lock, runs and settings", len(entries))
	}
}

func TestOpen_LockedWithinTheProcess(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := open(t, path)
	for range 3 {
		if _, err := statefile.Open(path); !errors.Is(err, statefile.ErrLocked) {
			t.Fatalf("second Open: %v, want ErrLocked", err)
		}
	}
	closeDir(t, d)
	open(t, path)
}

func TestDir_CloseTwice(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := open(t, path)
	closeDir(t, d)
	other := open(t, path)
	closeDir(t, d) // must not unlock what another one holds now
	if _, err := statefile.Open(path); !errors.Is(err, statefile.ErrLocked) {
		t.Errorf("Open after a second Close: %v, want ErrLocked", err)
	}
	if err := d.Begin("r1"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Begin after Close: %v, want ErrClosed", err)
	}
	if err := d.Write("x", nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write after Close: %v, want ErrClosed", err)
	}
	closeDir(t, other)
}

func TestDir_ProvesEarlierRunsDead(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := open(t, path)
	if run, ok := d.PreviousRun(); ok || run != "" {
		t.Errorf("PreviousRun of a new directory = %q, %v", run, ok)
	}
	begin(t, d, "r1")
	begin(t, d, "r2")
	if got := proven(d, "r1", "r2", ""); got != nil {
		t.Errorf("own runs %q are proved dead", got)
	}
	closeDir(t, d)

	d = open(t, path)
	if run, ok := d.PreviousRun(); !ok || run != "r2" {
		t.Errorf("PreviousRun = %q, %v, want r2", run, ok)
	}
	begin(t, d, "r3")
	if diff := cmp.Diff([]string{"r1", "r2"}, proven(d, "r1", "r2", "r3", "other", "")); diff != "" {
		t.Errorf("proven mismatch (-want +got):\n%s", diff)
	}
	begin(t, d, "r1") // a run that is used again lives again
	if d.ProvenDead("r1") {
		t.Error("a run of our own is proved dead")
	}
}

// A process that crashes before it has written to the group's record leaves
// the run there that was before; it must still be known when the next starts.
func TestDir_RemembersRunsOverManyRestarts(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	const restarts, remembered = 20, 16
	for i := range restarts {
		d := open(t, path)
		begin(t, d, fmt.Sprint("r", i))
		closeDir(t, d)
	}
	d := open(t, path)
	for i := range restarts {
		if got, want := d.ProvenDead(fmt.Sprint("r", i)), i >= restarts-remembered; got != want {
			t.Errorf("ProvenDead(r%d) = %v, want %v", i, got, want)
		}
	}
}

// A directory that was copied to another node, while the first one lives,
// proves nothing about it.
func TestDir_ACopyProvesNothing(t *testing.T) {
	t.Parallel()
	path, copied := t.TempDir(), t.TempDir()
	d := open(t, path)
	begin(t, d, "r1")
	if err := os.CopyFS(copied, os.DirFS(path)); err != nil {
		t.Fatal(err)
	}
	c := open(t, copied)
	if c.ProvenDead("r1") {
		t.Error("a copy of the directory proves a living run dead")
	}
}

// Who removes the lock file lets a second process in; it must not take the
// first for dead.
func TestDir_AReplacedLockProvesNothing(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := open(t, path)
	begin(t, d, "r1")
	if err := os.Remove(filepath.Join(path, "lock")); err != nil {
		t.Fatal(err)
	}
	second := open(t, path)
	begin(t, second, "r2")
	closeDir(t, second)
	third := open(t, path)
	if diff := cmp.Diff([]string{"r2"}, proven(third, "r1", "r2")); diff != "" {
		t.Errorf("proven mismatch (-want +got):\n%s", diff)
	}
}

// What a crash, or somebody else, left there is not written into: others may
// be able to read it.
func TestDir_WriteIsPrivate(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := open(t, path)
	for _, name := range []string{"settings.tmp", "settings"} {
		if err := os.WriteFile(filepath.Join(path, name), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(path, name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Write("settings", []byte("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(path, "settings"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the file = %v, want 0600", info.Mode().Perm())
	}
}
