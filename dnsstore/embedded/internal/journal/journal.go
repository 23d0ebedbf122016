package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

var (
	// ErrLocked: another process, or another Log, has the directory.
	ErrLocked = errors.New("journal: directory is in use")
	// ErrCorrupt: the file is damaged in a way that no crash explains.
	ErrCorrupt = errors.New("journal: file is corrupt")
	// ErrBroken: an earlier failure left the file in an unknown state;
	// Rewrite mends it.
	ErrBroken = errors.New("journal: state of the file is unknown")
)

// The names in the directory.
const (
	fileName = "zone.journal"
	newName  = "zone.journal.new"
	lockName = "lock"
)

// minLimit is the size in octets below which no new file is due.
const minLimit = 1 << 20

// file is what a Log needs of *os.File.
type file interface {
	io.WriterAt
	io.Closer
	durable
}

type durable interface {
	Truncate(size int64) error
	Sync() error
}

// Log is an open journal. It is not safe for concurrent use.
type Log struct {
	dir    string
	lock   *os.File
	open   func(path string, flag int) (file, error)
	file   file // nil: none yet, or lost
	size   int64
	base   int64 // size when the file was new
	number uint64
	broken bool
}

// Recovered is what was found in a directory.
type Recovered struct {
	// Entries are a snapshot and the changes after it, in order. None: there
	// was no file, and Append needs a Rewrite first.
	Entries [][]byte
	// Cut is the number of octets of an unfinished entry that were removed.
	Cut int64
}

// Open locks the directory and reads what is in it. If there is no directory
// it is made; the one above must exist. Its errors wrap ErrLocked, ErrCorrupt, or are those of the file
// system.
func Open(dir string) (*Log, Recovered, error) {
	return openWith(dir, func(path string, flag int) (file, error) { return os.OpenFile(path, flag, 0o600) })
}

func openWith(dir string, open func(string, int) (file, error)) (*Log, Recovered, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, Recovered{}, fmt.Errorf("journal: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, Recovered{}, err
	}
	l := &Log{dir: dir, lock: lock, open: open, broken: true}
	found, err := l.recover()
	if err != nil {
		return nil, Recovered{}, errors.Join(err, l.Close())
	}
	return l, found, nil
}

func (l *Log) recover() (Recovered, error) {
	octets, err := os.ReadFile(l.path(fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return Recovered{}, l.syncParent()
	}
	if err != nil {
		return Recovered{}, fmt.Errorf("journal: %w", err)
	}
	c, err := parse(octets)
	if err != nil {
		return Recovered{}, fmt.Errorf("%w: %s", err, l.path(fileName))
	}
	if l.file, err = l.open(l.path(fileName), os.O_RDWR); err != nil {
		return Recovered{}, fmt.Errorf("journal: %w", err)
	}
	l.size, l.number = c.size, c.number
	l.base = int64(len(magic) + headerSize + len(c.entries[0]))
	cut := int64(len(octets)) - c.size
	if cut > 0 {
		if err := errors.Join(l.file.Truncate(c.size), l.file.Sync()); err != nil {
			return Recovered{}, fmt.Errorf("journal: cut: %w", err)
		}
	}
	l.broken = false
	return Recovered{Entries: c.entries, Cut: cut}, nil
}

// syncParent makes the directory itself durable, as it may be new. Not every
// process may open the one above; then it was made by somebody else.
func (l *Log) syncParent() error {
	dir, err := filepath.Abs(l.dir)
	if err == nil {
		err = syncDir(filepath.Dir(dir))
	}
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("journal: sync: %w", err)
	}
	return nil
}

func (l *Log) path(name string) string { return filepath.Join(l.dir, name) }

// Append adds an entry and returns nil once it is on the disk. After an error
// it is not in the journal, unless the error wraps ErrBroken: then it may be.
func (l *Log) Append(payload []byte) error {
	if l.broken {
		return ErrBroken
	}
	octets := frame(l.number+1, payload)
	if _, err := l.file.WriteAt(octets, l.size); err != nil {
		return l.undo(fmt.Errorf("journal: %w", err))
	}
	if err := l.file.Sync(); err != nil {
		// What the disk has of the pages that were to be synced is not known,
		// and the next sync may succeed without having written them.
		l.broken = true
		return fmt.Errorf("%w: sync: %w", ErrBroken, err)
	}
	l.size += int64(len(octets))
	l.number++
	return nil
}

// undo removes what a failed write may have left.
func (l *Log) undo(cause error) error {
	if err := l.file.Truncate(l.size); err != nil {
		l.broken = true
		return fmt.Errorf("%w: %w: cut: %w", ErrBroken, cause, err)
	}
	return cause
}

// Broken tells whether only a Rewrite makes the next Append possible.
func (l *Log) Broken() bool { return l.broken }

// Due tells whether the file has grown so much that a Rewrite is worth it.
func (l *Log) Due() bool { return l.size > max(minLimit, 2*l.base) }

// Rewrite replaces the file by one that has this snapshot only. After an error
// the old file is still in use, unless Broken says otherwise.
func (l *Log) Rewrite(snapshot []byte) error {
	octets := append([]byte(magic), frame(l.number+1, snapshot)...)
	l.base = l.size // if this fails, it is due again at twice the size
	if err := l.writeNew(octets); err != nil {
		return fmt.Errorf("journal: rewrite: %w", err)
	}
	// From here to the end it is not known which file has the name. The old
	// one is closed first, since not every system renames over an open file.
	l.broken = true
	if err := l.closeFile(); err != nil {
		return fmt.Errorf("journal: rewrite: %w", err)
	}
	if err := os.Rename(l.path(newName), l.path(fileName)); err != nil {
		return fmt.Errorf("journal: rewrite: %w", err)
	}
	if err := syncDir(l.dir); err != nil {
		return fmt.Errorf("journal: rewrite: %w", err)
	}
	f, err := l.open(l.path(fileName), os.O_RDWR)
	if err != nil {
		return fmt.Errorf("journal: rewrite: %w", err)
	}
	l.file, l.size, l.base = f, int64(len(octets)), int64(len(octets))
	l.number++
	l.broken = false
	return nil
}

func (l *Log) writeNew(octets []byte) error {
	f, err := l.open(l.path(newName), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(octets, 0)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (l *Log) closeFile() error {
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return f.Close()
}

// Close closes the file and gives the directory free.
func (l *Log) Close() error {
	l.broken = true
	return errors.Join(l.closeFile(), unlockFile(l.lock))
}
