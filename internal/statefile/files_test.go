package statefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/availabilitygroup/ag/internal/statefile"
)

func open(t *testing.T, path string) *statefile.Dir {
	t.Helper()
	d, err := statefile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeDir(t, d) })
	return d
}

func closeDir(t *testing.T, d *statefile.Dir) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestDir_WriteReplaces(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := open(t, path)
	if _, err := statefile.Read(path, "settings"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read before Write: %v, want ErrNotExist", err)
	}
	// What a crash leaves behind is in nobody's way.
	if err := os.WriteFile(filepath.Join(path, "settings.tmp"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one, and longer", "two"} {
		if err := d.Write("settings", []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := statefile.Read(path, "settings")
		if err != nil || string(got) != text {
			t.Errorf("Read = %q, %v, want %q", got, err, text)
		}
	}
}

func TestDir_WriteFails(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := open(t, path)
	if err := os.Mkdir(filepath.Join(path, "settings"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Write("settings", []byte("x")); err == nil {
		t.Error("Write over a directory succeeded")
	}
	if _, err := os.Stat(filepath.Join(path, "settings.tmp")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary file is still there: %v", err)
	}
}

func TestOpen_DamagedRuns(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty": "", "cut short": `{"version":1,"lock":"1","ru`, "a list": `["r1"]`, "later version": `{"version":2}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir()
			file := filepath.Join(path, "runs.json")
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time the lock must be free again
				if _, err := statefile.Open(path); err == nil || errors.Is(err, statefile.ErrLocked) {
					t.Errorf("Open: %v, want an error about the file", err)
				}
			}
			if got, err := os.ReadFile(file); err != nil || string(got) != content {
				t.Errorf("the damaged file has changed: %q, %v", got, err)
			}
		})
	}
}

func TestOpen_NoDirectoryToBeHad(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := statefile.Open(file); err == nil {
		t.Error("Open of a file succeeded")
	}
	path := t.TempDir()
	if err := os.Mkdir(filepath.Join(path, "lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := statefile.Open(path); err == nil || errors.Is(err, statefile.ErrLocked) {
		t.Errorf("Open with a directory for a lock: %v, want an error", err)
	}
}
