package sqlfence

import (
	"context"
	"database/sql"
	"fmt"
)

// Execer is what a statement can be run by: a database, a connection or a
// transaction.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Row runs a statement that fences the row that it writes, and returns an error
// that wraps [ErrFenced] if it hit none: the row has a newer term, or there is
// no such row. The statement sets the term and asks for it:
//
//	UPDATE account SET balance = ?, last_term = ? WHERE id = ? AND last_term <= ?
//
//	INSERT INTO account (id, balance, last_term) VALUES (?, ?, ?)
//	ON CONFLICT (id) DO UPDATE SET balance = excluded.balance, last_term = excluded.last_term
//	WHERE account.last_term <= excluded.last_term
//
// One statement is atomic by itself, so a stopped process does no harm to a row
// that a newer Primary has written. To one that it has not, an older write
// still goes through: that is right where each row stands for itself and the
// last to write wins, and wrong where the newer Primary has read the row and
// acted upon it. A row that is deleted forgets its term; mark it instead. In
// MySQL connect with clientFoundRows=true, or a statement that changes nothing
// looks like one that was refused.
func Row(ctx context.Context, db Execer, query string, args ...any) error {
	result, err := db.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	hit, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if hit == 0 {
		return fmt.Errorf("%w, or there is no such row", ErrFenced)
	}
	return nil
}
