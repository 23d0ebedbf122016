//go:build unix && !aix && !solaris

package journal

import (
	"syscall"
	"testing"
)

// A directory is free after Close although a child process has the lock file
// open, as each one has that is forked at that moment, until its exec.
func TestClose_UnlocksWhatAChildHas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, _, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	child, err := syscall.Dup(int(l.lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(child)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	again, _, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
