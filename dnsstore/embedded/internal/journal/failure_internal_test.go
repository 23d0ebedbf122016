package journal

import (
	"errors"
	"maps"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Disks do not fail on demand, so this file is not a black box: it stands
// between a Log and its file.

var (
	errFull = errors.New("disk full")
	errDisk = errors.New("disk broken")
)

// failing is a file that fails as told.
type failing struct {
	*os.File
	fail map[string]error
}

func (f *failing) WriteAt(octets []byte, offset int64) (int, error) {
	if err := f.fail["write"]; err != nil {
		n, _ := f.File.WriteAt(octets[:len(octets)/2], offset)
		return n, err
	}
	return f.File.WriteAt(octets, offset)
}

func (f *failing) Truncate(size int64) error {
	if err := f.fail["truncate"]; err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *failing) Sync() error {
	if err := f.fail["sync"]; err != nil {
		return err
	}
	return f.File.Sync()
}

func openFailing(t *testing.T) (l *Log, fail map[string]error, dir string) {
	t.Helper()
	dir, fail = t.TempDir(), map[string]error{}
	l, _, err := openWith(dir, func(path string, flag int) (file, error) {
		if err := fail["open"]; err != nil {
			return nil, err
		}
		f, err := os.OpenFile(path, flag, 0o600)
		return &failing{File: f, fail: fail}, err
	})
	if err == nil {
		err = l.Rewrite([]byte("snapshot"))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // closed twice
	return l, fail, dir
}

// reopened returns what a new process finds.
func reopened(t *testing.T, l *Log, dir string) []string {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again, found, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }() // nothing was written
	var out []string
	for _, e := range found.Entries {
		out = append(out, string(e))
	}
	return out
}

func TestAppend_Failures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		fail   map[string]error
		want   error
		broken bool
	}{
		{"write", map[string]error{"write": errFull}, errFull, false},
		{"write and cut", map[string]error{"write": errFull, "truncate": errDisk}, errFull, true},
		{"write and cut, the cause of the cut", map[string]error{"write": errFull, "truncate": errDisk}, errDisk, true},
		{"sync", map[string]error{"sync": errDisk}, errDisk, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, fail, dir := openFailing(t)
			maps.Copy(fail, tt.fail)
			err := l.Append([]byte("one"))
			if !errors.Is(err, tt.want) || l.Broken() != tt.broken || errors.Is(err, ErrBroken) != tt.broken {
				t.Errorf("%v, broken %t; want %v, broken %t", err, l.Broken(), tt.want, tt.broken)
			}
			clear(fail)
			if tt.broken {
				if err := l.Append([]byte("refused")); !errors.Is(err, ErrBroken) {
					t.Errorf("next Append: %v, want ErrBroken", err)
				}
				if err := l.Rewrite([]byte("snapshot")); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.Append([]byte("two")); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"snapshot", "two"}, reopened(t, l, dir)); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRewrite_FailureKeepsTheOldFile: as long as the new file has not taken
// the name, the old one is in use.
func TestRewrite_FailureKeepsTheOldFile(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"open", "write", "sync"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			l, fail, dir := openFailing(t)
			fail[op] = errDisk
			if err := l.Rewrite([]byte("new")); !errors.Is(err, errDisk) || l.Broken() {
				t.Errorf("%v, broken %t; want errDisk, not broken", err, l.Broken())
			}
			clear(fail)
			if err := l.Append([]byte("one")); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"snapshot", "one"}, reopened(t, l, dir)); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRewrite_NoRename: the new file cannot take the name. Nothing is appended
// to either of them until a Rewrite succeeds.
func TestRewrite_NoRename(t *testing.T) {
	t.Parallel()
	l, _, dir := openFailing(t)
	if err := os.Remove(l.path(fileName)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(l.path(fileName), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := l.Rewrite([]byte("new")); err == nil || !l.Broken() {
		t.Fatalf("%v, broken %t; want an error, broken", err, l.Broken())
	}
	if err := l.Append([]byte("one")); !errors.Is(err, ErrBroken) {
		t.Errorf("%v, want ErrBroken", err)
	}
	if err := os.Remove(l.path(fileName)); err != nil {
		t.Fatal(err)
	}
	if err := l.Rewrite([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"new"}, reopened(t, l, dir)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// TestDue_NotAgainAtOnce: where the disk is full, a Rewrite is not tried with
// each entry.
func TestDue_NotAgainAtOnce(t *testing.T) {
	t.Parallel()
	l, fail, _ := openFailing(t)
	if err := l.Append(make([]byte, minLimit)); err != nil {
		t.Fatal(err)
	}
	if !l.Due() {
		t.Fatal("not due")
	}
	fail["write"] = errFull
	if err := l.Rewrite(nil); !errors.Is(err, errFull) {
		t.Fatal(err)
	}
	if l.Due() {
		t.Error("due at once after a failure")
	}
	clear(fail)
	if err := l.Append(make([]byte, 2*minLimit)); err != nil {
		t.Fatal(err)
	}
	if !l.Due() {
		t.Error("not due at twice the size")
	}
}
