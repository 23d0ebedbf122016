package sqlfence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// errOpen: the end of the statement before has not been seen, and its error may
// be there.
var errOpen = errors.New("sqlfence: the rows of the statement before are not closed")

// Tx is the transaction that work gets, for one goroutine, and until work
// returns. After the first error of a statement, each other one fails with that
// error and does nothing: the database may have undone the transaction, and
// would then carry out what follows without the fence. So an error cannot be
// tolerated; have the statement not make one (INSERT ... ON CONFLICT DO
// NOTHING).
type Tx struct {
	tx   *sql.Tx
	err  error // the first one
	open bool  // there are rows that are not closed
}

var _ Execer = (*Tx)(nil)

// ExecContext runs a statement without rows.
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := t.ready(); err != nil {
		return nil, err
	}
	result, err := t.tx.ExecContext(ctx, query, args...)
	return result, t.saw(err)
}

// QueryContext runs a statement with rows. They are to be read to their end, or
// closed, before the next statement.
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*Rows, error) {
	if err := t.ready(); err != nil {
		return nil, err
	}
	rows, err := t.tx.QueryContext(ctx, query, args...)
	if t.saw(err) != nil {
		return nil, err
	}
	t.open = true
	return &Rows{rows: rows, tx: t}, nil
}

// QueryRowContext runs a statement with one row, which is to be scanned before
// the next statement.
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *OneRow {
	if err := t.ready(); err != nil {
		return &OneRow{err: err}
	}
	row := t.tx.QueryRowContext(ctx, query, args...)
	if err := t.saw(row.Err()); err != nil {
		return &OneRow{err: err}
	}
	t.open = true
	return &OneRow{row: row, tx: t}
}

func (t *Tx) ready() error {
	if t.open {
		return t.saw(errOpen)
	}
	return t.err
}

func (t *Tx) saw(err error) error {
	if t.err == nil {
		t.err = err
	}
	return err
}

// begin sets the savepoint that end looks for. It lives as long as the
// transaction, and no other has it.
func (t *Tx) begin(ctx context.Context) error {
	if _, err := t.tx.ExecContext(ctx, "SAVEPOINT fenced"); err != nil {
		return fmt.Errorf("set a savepoint: %w", err)
	}
	return nil
}

// end returns nil if all that work did is in one transaction that may commit.
// After the error of a statement the savepoint can be gone by right.
func (t *Tx) end(ctx context.Context, worked error) error {
	if first := t.ready(); first != nil {
		if worked != nil {
			return worked
		}
		return first
	}
	_, err := t.tx.ExecContext(ctx, "RELEASE SAVEPOINT fenced")
	switch {
	case err == nil:
		return worked
	case ctx.Err() != nil:
		return errors.Join(worked, err)
	}
	return errors.Join(worked, fmt.Errorf("%w: %w", ErrEnded, err))
}
