package availability

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/availabilitygroup/ag/internal/statefile"
)

const stateName = "settings.json"

// stateDir is the state directory of a group. One without a path remembers and
// proves nothing, and fails at nothing. All methods are safe for concurrent
// use.
type stateDir struct {
	path string
	// owner holds one value, for whoever may use what is below. It is waited
	// for while another one writes to the disk, which no mutex is meant for.
	owner chan struct{}
	dir   *statefile.Dir // nil unless open
	last  []byte         // what was last written while open
}

// newStateDir looks at nothing yet.
func newStateDir(path string) *stateDir {
	d := &stateDir{path: path, owner: make(chan struct{}, 1)} // one owner at a time
	d.owner <- struct{}{}
	return d
}

// own waits until nobody else uses the directory.
func (d *stateDir) own() (release func()) {
	<-d.owner
	return func() { d.owner <- struct{}{} }
}

// open takes the directory for this Group alone, until close. It returns
// ErrStateLocked if another one has it.
func (d *stateDir) open() error {
	defer d.own()()
	if d.path == "" {
		return nil
	}
	dir, err := openDir(d.path)
	if err != nil {
		return err
	}
	d.dir, d.last = dir, nil
	return nil
}

func openDir(path string) (*statefile.Dir, error) {
	dir, err := statefile.Open(path)
	if errors.Is(err, statefile.ErrLocked) {
		return nil, fmt.Errorf("%w: %s", ErrStateLocked, path)
	}
	if err != nil {
		return nil, fmt.Errorf("availability: %w", err)
	}
	return dir, nil
}

// previousRun returns the last run of this node that is proved to have ended,
// while the directory is open.
func (d *stateDir) previousRun() (run string, ok bool) {
	defer d.own()()
	if d.dir == nil {
		return "", false
	}
	return d.dir.PreviousRun()
}

// provenDead tells whether run, as the record has it, is an earlier run of
// this node that is proved to have ended; only while the directory is open.
func (d *stateDir) provenDead(run string) bool {
	defer d.own()()
	return d.dir != nil && d.dir.ProvenDead(run)
}

// begin records the new run durably. It must not be used anywhere before.
func (d *stateDir) begin(run string) error {
	defer d.own()()
	if d.dir == nil {
		return nil
	}
	if err := d.dir.Begin(run); err != nil {
		return fmt.Errorf("availability: %w", err)
	}
	return nil
}

// load returns what was saved, ok false if nothing ever was. The directory
// need not be open. An error means that the file is damaged; it is left alone.
func (d *stateDir) load() (s savedState, ok bool, err error) {
	if d.path == "" {
		return savedState{}, false, nil
	}
	text, err := statefile.Read(d.path, stateName)
	if errors.Is(err, fs.ErrNotExist) {
		return savedState{}, false, nil
	}
	if err != nil {
		return savedState{}, false, fmt.Errorf("availability: %w", err)
	}
	if s, err = decodeState(text); err != nil {
		return savedState{}, false, fmt.Errorf("availability: %s is damaged: %w; move it away to start without it",
			filepath.Join(d.path, stateName), err)
	}
	return s, true, nil
}

// save writes s durably, unless it was the last to be written. A directory
// that is not open is opened for the moment, so save may return ErrStateLocked.
func (d *stateDir) save(s savedState) error {
	if d.path == "" {
		return nil
	}
	text, err := encodeState(s)
	if err != nil {
		return err
	}
	defer d.own()()
	if d.dir == nil {
		return writeOnce(d.path, text)
	}
	if bytes.Equal(text, d.last) {
		return nil
	}
	if err := d.dir.Write(stateName, text); err != nil {
		return fmt.Errorf("availability: %w", err)
	}
	d.last = text
	return nil
}

func writeOnce(path string, text []byte) error {
	dir, err := openDir(path)
	if err != nil {
		return err
	}
	if err := errors.Join(dir.Write(stateName, text), dir.Close()); err != nil {
		return fmt.Errorf("availability: %w", err)
	}
	return nil
}

// close gives the directory back, when nothing of the run goes on any more. It
// may be called more than once, and without open.
func (d *stateDir) close() error {
	defer d.own()()
	if d.dir == nil {
		return nil
	}
	dir := d.dir
	d.dir = nil
	if err := dir.Close(); err != nil {
		return fmt.Errorf("availability: %w", err)
	}
	return nil
}
