package testnode

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// AwaitStopped waits until all of a process has stopped, by a SIGSTOP that was
// sent: its threads stop one after the other, and go on until then. Elsewhere
// than on Linux that cannot be seen.
func AwaitStopped(tb testing.TB, most time.Duration, pid int) {
	tb.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	Await(tb, most, "the process has stopped", func() bool {
		all, err := Stopped(pid)
		if err != nil {
			tb.Fatal(err)
		}
		return all
	})
}

// Stopped tells whether all threads of a process have stopped, by SIGSTOP. It is
// for Linux.
func Stopped(pid int) (bool, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err == nil && len(threads) == 0 {
		err = fmt.Errorf("there is no process %d", pid)
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has ended since
		}
		if err != nil {
			return false, err
		}
		if _, state, _ := strings.Cut(string(stat), ") "); !strings.HasPrefix(state, "T") {
			return false, nil
		}
	}
	return err == nil, err
}
