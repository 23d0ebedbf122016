package statefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// ErrLocked: another live process, or another Dir of this one, has the
// directory.
var ErrLocked = errors.New("statefile: the directory is in use")

const (
	lockName = "lock"
	runsName = "runs.json"
	dirMode  = 0o700
	fileMode = 0o600
)

// Dir is an open directory.
type Dir struct {
	path  string
	lock  *os.File // nil when closed
	ident string   // of the lock file
	begun []string // our own runs, newest first
	dead  []string // runs that have ended, newest first
}

// Open makes the directory if it is missing, and locks it. It returns
// ErrLocked if somebody else has it, and does not wait.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, dirMode); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	lock, err := takeLock(filepath.Join(path, lockName))
	if err != nil {
		return nil, fmt.Errorf("lock the state directory %s: %w", path, err)
	}
	d := &Dir{path: path, lock: lock}
	if err := d.learn(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// learn reads which runs have ended.
func (d *Dir) learn() error {
	ident, proof, err := identify(d.lock)
	if err != nil {
		return fmt.Errorf("look at the lock of the state directory %s: %w", d.path, err)
	}
	d.ident = ident
	known, err := readRuns(filepath.Join(d.path, runsName))
	if err != nil {
		return err
	}
	if proof && known.Lock == ident {
		d.dead = known.Runs
	}
	return nil
}

// PreviousRun returns the last run that is proved to have ended.
func (d *Dir) PreviousRun() (run string, ok bool) {
	if len(d.dead) == 0 {
		return "", false
	}
	return d.dead[0], true
}

// ProvenDead tells whether run is one of the last runs of this directory and
// is proved to have ended. A run that began after Open has not.
func (d *Dir) ProvenDead(run string) bool {
	return run != "" && slices.Contains(d.dead, run) && !slices.Contains(d.begun, run)
}

// Begin records a run, and returns when that is durable. The run must not be
// used before, or a later process could not tell that it has ended.
func (d *Dir) Begin(run string) error {
	begun := append([]string{run}, d.begun...)
	if err := d.Write(runsName, encodeRuns(d.ident, slices.Concat(begun, d.dead))); err != nil {
		return err
	}
	d.begun = begun
	return nil
}

// Write replaces the file name in the directory, and returns when that is
// durable.
func (d *Dir) Write(name string, data []byte) error {
	path := filepath.Join(d.path, name)
	if d.lock == nil {
		return fmt.Errorf("write %s: %w", path, fs.ErrClosed)
	}
	if err := replaceFile(path, data); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Close gives the directory back. It may be called more than once; Begin and
// Write return fs.ErrClosed afterwards.
func (d *Dir) Close() error {
	if d.lock == nil {
		return nil
	}
	lock := d.lock
	d.lock = nil
	if err := errors.Join(releaseLock(lock), lock.Close()); err != nil {
		return fmt.Errorf("unlock the state directory %s: %w", d.path, err)
	}
	return nil
}

// Read returns the content of the file name in the directory path, which need
// not be open: files are only ever replaced as a whole. The error wraps
// fs.ErrNotExist if there is none.
func Read(path, name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(path, name))
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	return data, nil
}
