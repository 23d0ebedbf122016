//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package statefile

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// takeLock opens and locks the file at path. The lock belongs to the open
// file, so a second one in the same process is refused too.
func takeLock(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
		if err != nil {
			return nil, err
		}
		if err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			if errors.Is(err, syscall.EWOULDBLOCK) {
				err = ErrLocked
			}
			return nil, errors.Join(err, f.Close())
		}
		same, err := isAt(f, path)
		if same && err == nil {
			return f, nil
		}
		// Somebody removed the file while we were about to lock it.
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
}

// isAt tells whether f is the file that path leads to.
func isAt(f *os.File, path string) (bool, error) {
	ours, err := f.Stat()
	if err != nil {
		return false, err
	}
	theirs, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(ours, theirs), err
}

// releaseLock unlocks f even if a child process has it open too.
func releaseLock(f *os.File) error { return flock(f, syscall.LOCK_UN) }

func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// identify returns what tells the lock file from a copy of it, and whether
// holding the lock proves that nobody else does.
func identify(f *os.File) (ident string, proof bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return "", false, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", false, nil
	}
	remote, err := onNetwork(f)
	if err != nil {
		return "", false, err
	}
	return strconv.FormatUint(stat.Ino, 10), !remote, nil
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
