//go:build !windows && (!unix || aix || solaris)

package journal

import (
	"errors"
	"fmt"
	"os"
)

// lockFile refuses: without a lock two servers could write one journal.
func lockFile(path string) (*os.File, error) {
	return nil, fmt.Errorf("journal: lock %s: %w", path, errors.ErrUnsupported)
}

func unlockFile(f *os.File) error { return f.Close() }

func syncDir(string) error { return errors.ErrUnsupported }
