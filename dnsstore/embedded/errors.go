package embedded

import (
	"errors"
	"fmt"

	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/journal"
)

// Errors of Run and Addr to decide by.
var (
	// ErrLocked: another server uses the directory.
	ErrLocked = journal.ErrLocked
	// ErrCorrupt: the journal is damaged, or is that of another zone.
	ErrCorrupt = journal.ErrCorrupt
	// ErrStopped: Run has ended, or was called a second time.
	ErrStopped = errors.New("embedded: server has stopped")
)

// FieldError is a mistake in a [Config]. [New] returns all of them, joined.
type FieldError struct {
	// Field is the path of the field, as in Keys[1].Secret.
	Field string
	// Err says what is wrong with it, never what a secret is.
	Err error
}

func (e *FieldError) Error() string { return fmt.Sprintf("embedded: %s: %s", e.Field, e.Err.Error()) }

// Unwrap returns the cause.
func (e *FieldError) Unwrap() error { return e.Err }

// mistakes collects what is wrong with a Config.
type mistakes []error

func (m *mistakes) add(field string, err error) {
	*m = append(*m, &FieldError{Field: field, Err: err})
}

func (m *mistakes) addText(field, problem string) { m.add(field, errors.New(problem)) }
