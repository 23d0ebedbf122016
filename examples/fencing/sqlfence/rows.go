package sqlfence

import (
	"database/sql"
	"errors"
)

// Rows are what [sql.Rows] are. A database may report the error of a statement
// as late as in the place of a row, so the transaction learns of theirs too.
type Rows struct {
	rows   *sql.Rows
	tx     *Tx
	closed bool
	err    error
}

// Next goes to the next row, and closes the rows after the last one.
func (r *Rows) Next() bool {
	if r.rows.Next() {
		return true
	}
	_ = r.Close() // Err has it
	return false
}

// Scan reads the row.
func (r *Rows) Scan(dest ...any) error { return r.tx.saw(r.rows.Scan(dest...)) }

// Err returns the error that the rows have ended with.
func (r *Rows) Err() error {
	if r.err != nil {
		return r.err
	}
	return r.tx.saw(r.rows.Err())
}

// Close gives up the rows that were not read. It returns what Err returns.
func (r *Rows) Close() error {
	if r.closed {
		return r.err
	}
	r.closed, r.tx.open = true, false
	closed := r.rows.Close()
	if r.err = r.rows.Err(); r.err == nil {
		r.err = closed
	}
	return r.tx.saw(r.err)
}

// OneRow is what [sql.Row] is.
type OneRow struct {
	row *sql.Row
	tx  *Tx
	err error // of the query
}

// Scan reads the row. That there is none, [sql.ErrNoRows], is not an error of
// the transaction.
func (r *OneRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	err := r.row.Scan(dest...)
	r.tx.open = false
	if errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return r.tx.saw(err)
}
