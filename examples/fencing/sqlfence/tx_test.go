package sqlfence_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/examples/fencing/sqlfence"
)

// undoes ends the transaction with an error: there is a row 1.
const undoes = "INSERT OR ROLLBACK INTO work (n, term) VALUES (1, 5) RETURNING n"

// TestTx_AfterAnError: work tolerates the error with which the database has
// undone the transaction. What it does then is not done, or it would come after
// what the newer Primary has done meanwhile.
func TestTx_AfterAnError(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func(ctx context.Context, tx *sqlfence.Tx) error{
		"a statement": func(ctx context.Context, tx *sqlfence.Tx) error {
			_, err := tx.ExecContext(ctx, undoes)
			return err
		},
		"a query": func(ctx context.Context, tx *sqlfence.Tx) error {
			rows, err := tx.QueryContext(ctx, undoes)
			if err == nil {
				err = rows.Close()
			}
			return err
		},
		"a query of one row": func(ctx context.Context, tx *sqlfence.Tx) error {
			var n int
			return tx.QueryRowContext(ctx, undoes).Scan(&n)
		},
		"a query of one row that is not scanned": func(ctx context.Context, tx *sqlfence.Tx) error {
			_ = tx.QueryRowContext(ctx, undoes)
			return io.EOF
		},
		"a write that takes too long": func(ctx context.Context, tx *sqlfence.Tx) error {
			ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			_, err := tx.ExecContext(ctx, `INSERT INTO work (term)
				WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT 5 FROM c`)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := newFile(t)
			older, newer := open(t, path, waits), open(t, path, waits)
			if err := fence().Tx(t.Context(), older, 5, writes(t.Context(), 5)); err != nil {
				t.Fatal(err)
			}
			var first, second error
			err := fence().Tx(t.Context(), older, 5, func(tx *sqlfence.Tx) error {
				if first = fails(t.Context(), tx); first == nil {
					t.Error("nothing has failed")
				}
				if err := fence().Tx(t.Context(), newer, 6, writes(t.Context(), 6)); err != nil {
					t.Errorf("the newer term: %v", err)
				}
				second = write(t.Context(), tx, 5)
				return nil
			})
			if second == nil || !errors.Is(err, second) || !errors.Is(first, io.EOF) && !errors.Is(second, first) {
				t.Errorf("work got %v, and then %v; Tx: %v", first, second, err)
			}
			if got := written(t, newer); !slices.Equal(got, []uint64{5, 6}) {
				t.Errorf("committed %d", got)
			}
		})
	}
}

// TestTx_ErrorOfRows: an error that comes in the place of a row, or with it, is
// one of the transaction; that there is no row is not.
func TestTx_ErrorOfRows(t *testing.T) {
	t.Parallel()
	const second = "SELECT abs(column1) FROM (VALUES (1), (-9223372036854775808))" // overflows in the second row
	for name, tt := range map[string]struct {
		query string
		read  func(rows *sqlfence.Rows)
		fails bool
	}{
		"read to the end":          {second, func(rows *sqlfence.Rows) { _, _ = rows.Next(), rows.Next() }, true},
		"closed before that":       {second, func(rows *sqlfence.Rows) { rows.Next(); rows.Close() }, false},
		"not what is scanned":      {"SELECT 'x'", func(rows *sqlfence.Rows) { rows.Next(); _ = rows.Scan(new(int)); rows.Close() }, true},
		"not closed":               {"SELECT 1", func(*sqlfence.Rows) {}, true},
		"closed":                   {"SELECT 1", func(rows *sqlfence.Rows) { rows.Close(); rows.Close() }, false},
		"no rows, read to the end": {"SELECT 1 WHERE 0", func(rows *sqlfence.Rows) { rows.Next() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, newFile(t), waits)
			err := fence().Tx(t.Context(), db, 5, func(tx *sqlfence.Tx) error {
				if err := write(t.Context(), tx, 5); err != nil {
					return err
				}
				rows, err := tx.QueryContext(t.Context(), tt.query)
				if err != nil {
					return err
				}
				tt.read(rows)
				if err := write(t.Context(), tx, 5); (err != nil) != tt.fails {
					t.Errorf("the statement after it: %v", err)
				}
				return nil
			})
			if (err != nil) != tt.fails || (len(written(t, db)) == 0) != tt.fails {
				t.Errorf("Tx: %v; committed %d", err, written(t, db))
			}
		})
	}
}

// TestTx_OneRow: as a *sql.Row, but its errors are the transaction's.
func TestTx_OneRow(t *testing.T) {
	t.Parallel()
	db := open(t, newFile(t), waits)
	for query, fails := range map[string]bool{"SELECT 7": false, "SELECT 7 WHERE 0": false, "SELECT 'x'": true} {
		err := fence().Tx(t.Context(), db, 5, func(tx *sqlfence.Tx) error {
			var n int
			err := tx.QueryRowContext(t.Context(), query).Scan(&n)
			if (n == 7) != (err == nil) {
				t.Errorf("%s: %d, %v", query, n, err)
			}
			return nil
		})
		if (err != nil) != fails {
			t.Errorf("%s: Tx: %v", query, err)
		}
	}
	if err := fence().Tx(t.Context(), db, 5, func(tx *sqlfence.Tx) error {
		_ = tx.QueryRowContext(t.Context(), "SELECT 7")
		return nil
	}); err == nil {
		t.Error("a row that was not scanned, and no error")
	}
}

// TestTx_Ended: work ends the transaction by itself. What it writes then is
// done, as doc.go warns; but Tx tells it, whatever work returns.
func TestTx_Ended(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end    string
		result error
		want   []uint64
	}{
		"committed":            {"COMMIT", nil, []uint64{6, 5}},
		"rolled back":          {"ROLLBACK", nil, []uint64{6, 5}},
		"and begun again":      {"ROLLBACK; BEGIN", nil, []uint64{6}},
		"with an error after":  {"COMMIT", io.EOF, []uint64{6, 5}},
		"with a savepoint set": {"ROLLBACK; SAVEPOINT other", nil, []uint64{6}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := newFile(t)
			older, newer := open(t, path, waits), open(t, path, waits)
			err := fence().Tx(t.Context(), older, 5, func(tx *sqlfence.Tx) error {
				if _, err := tx.ExecContext(t.Context(), tt.end); err != nil {
					return err
				}
				if err := fence().Tx(t.Context(), newer, 6, writes(t.Context(), 6)); err != nil {
					t.Errorf("the newer term: %v", err)
				}
				return errors.Join(write(t.Context(), tx, 5), tt.result)
			})
			if !errors.Is(err, sqlfence.ErrEnded) || tt.result != nil && !errors.Is(err, tt.result) {
				t.Errorf("error %v, want %v", err, sqlfence.ErrEnded)
			}
			if got := written(t, newer); !slices.Equal(got, tt.want) {
				t.Errorf("committed %d, want %d", got, tt.want)
			}
		})
	}
}

// TestTx_NotEnded: an error of work, or the end of the context, is not taken
// for the end of the transaction.
func TestTx_NotEnded(t *testing.T) {
	t.Parallel()
	db := open(t, newFile(t), waits)
	if err := fence().Tx(t.Context(), db, 5, func(*sqlfence.Tx) error { return io.EOF }); !errors.Is(err, io.EOF) || errors.Is(err, sqlfence.ErrEnded) {
		t.Errorf("an error of work: %v", err)
	}
	ctx, end := context.WithCancel(t.Context())
	if err := fence().Tx(ctx, db, 5, func(*sqlfence.Tx) error { end(); return nil }); err == nil || errors.Is(err, sqlfence.ErrEnded) {
		t.Errorf("the context has ended: %v", err)
	}
}
