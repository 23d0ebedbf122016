package sqlfence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
)

// ErrFenced: a newer term has written. Whoever gets it is not Primary any more,
// and nothing of what it tried was done.
var ErrFenced = errors.New("sqlfence: a newer term has written")

// ErrNoFence: there is no fence of that name; [Fence.Create] makes it.
var ErrNoFence = errors.New("sqlfence: no such fence")

// ErrEnded: the transaction of [Fence.Tx] was over before work was. What work
// did after that, if anything, was not fenced, and may be done. It is a mistake
// in work, unless the error that it wraps is the loss of the connection: what
// is lost with that was not done.
var ErrEnded = errors.New("sqlfence: the transaction has ended within work")

// Schema makes the table of the fences.
const Schema = `CREATE TABLE IF NOT EXISTS fence (
	name VARCHAR(255) NOT NULL PRIMARY KEY,
	term BIGINT NOT NULL,
	claims BIGINT NOT NULL
)`

// Fence is the fence of one group in a database. It has no state, so it may be
// copied, and used by any number of goroutines.
type Fence struct {
	// Name is the row's key, such as the FQDN of the group.
	Name string
	// Numbered is for drivers that want $1 for a placeholder, as PostgreSQL's
	// do, and not the question mark.
	Numbered bool
}

// Create makes the table and the row unless they are there. It is part of the
// installation; that nodes do it at the same time does no harm.
func (f Fence) Create(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, Schema); err != nil {
		return fmt.Errorf("create the table of fences: %w", err)
	}
	_, insertErr := db.ExecContext(ctx, f.text("INSERT INTO fence (name, term, claims) VALUES (?, 0, 0)", "INSERT INTO fence (name, term, claims) VALUES ($1, 0, 0)"), f.Name)
	if insertErr == nil {
		return nil
	}
	if _, err := f.Term(ctx, db); err != nil {
		return fmt.Errorf("create fence %s: %w", f.Name, errors.Join(insertErr, err))
	}
	return nil
}

// Claim tells the database the term, so that older ones are refused from here
// on. A tenure begins with it. It returns what Tx returns.
func (f Fence) Claim(ctx context.Context, db *sql.DB, term uint64) error {
	return f.Tx(ctx, db, term, func(*Tx) error { return nil })
}

// Tx calls work in a transaction that commits only if no newer term has
// written, and commits it. The term is that of the tenure, from Guard or
// RunWhilePrimary, and never one that was asked for later. Work must not end
// the transaction: no COMMIT or ROLLBACK, and in MySQL no DDL.
//
// Tx returns an error that wraps [ErrFenced] without calling work;
// [ErrNoFence]; what work returns, after a rollback; the first error of work's
// statements, if work returns nil in spite of it; [ErrEnded]; or the database's
// error. It waits for other transactions as long as ctx lives and the database
// lets it.
func (f Fence) Tx(ctx context.Context, db *sql.DB, term uint64, work func(tx *Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := f.pass(ctx, tx, term); err != nil {
		return err
	}
	fenced := &Tx{tx: tx}
	if err := fenced.begin(ctx); err != nil {
		return err
	}
	if err := fenced.end(ctx, work(fenced)); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit in term %d: %w", term, err)
	}
	return nil
}

// pass locks the row, or says why it may not.
func (f Fence) pass(ctx context.Context, tx *sql.Tx, term uint64) error {
	if term > math.MaxInt64 {
		return fmt.Errorf("term %d does not fit into a BIGINT", term)
	}
	result, err := tx.ExecContext(ctx, f.text(
		"UPDATE fence SET term = ?, claims = claims + 1 WHERE name = ? AND term <= ?",
		"UPDATE fence SET term = $1, claims = claims + 1 WHERE name = $2 AND term <= $3",
	), int64(term), f.Name, int64(term))
	if err != nil {
		return fmt.Errorf("pass fence %s: %w", f.Name, err)
	}
	switch hit, err := result.RowsAffected(); {
	case err != nil:
		return fmt.Errorf("pass fence %s: %w", f.Name, err)
	case hit > 0:
		return nil
	}
	newest, err := f.Term(ctx, tx)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: term %d, and we have %d", ErrFenced, newest, term)
}

// Querier is what a term can be read from: a database, a connection or a
// transaction.
type Querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Term returns the highest term that has passed the fence; 0 before the first.
// It returns [ErrNoFence] if there is none.
func (f Fence) Term(ctx context.Context, from Querier) (uint64, error) {
	var term int64
	err := from.QueryRowContext(ctx, f.text("SELECT term FROM fence WHERE name = ?", "SELECT term FROM fence WHERE name = $1"), f.Name).Scan(&term)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, fmt.Errorf("%w: %s", ErrNoFence, f.Name)
	case err != nil:
		return 0, fmt.Errorf("read fence %s: %w", f.Name, err)
	}
	return uint64(max(term, 0)), nil
}

func (f Fence) text(marked, numbered string) string {
	if f.Numbered {
		return numbered
	}
	return marked
}
