package sqlfence_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/availabilitygroup/ag/examples/fencing/sqlfence"
)

// Both are how long a connection waits for another's lock, in milliseconds.
const (
	waits  = 60_000
	atOnce = 0
)

// fence is the one of all tests.
func fence() sqlfence.Fence { return sqlfence.Fence{Name: "app.example.net"} }

// newFile makes a database with the fence and the table work, and returns its
// path.
func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fencing.db")
	db := open(t, path, waits)
	if err := fence().Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE work (n INTEGER PRIMARY KEY AUTOINCREMENT, term BIGINT NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	return path
}

// open is a node's connections to the file. What a crash of the machine leaves
// behind is not tested, so nothing waits for the disk.
func open(t *testing.T, path string, busy int) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", fmt.Sprintf("file:%s?_pragma=busy_timeout(%d)&_pragma=synchronous(OFF)", path, busy))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// writes is the work that shows the order of transactions.
func writes(ctx context.Context, term uint64) func(*sqlfence.Tx) error {
	return func(tx *sqlfence.Tx) error { return write(ctx, tx, term) }
}

func write(ctx context.Context, tx sqlfence.Execer, term uint64) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO work (term) VALUES (?)", int64(term))
	return err
}

// written returns the terms of the work that was committed, in order.
func written(t *testing.T, db *sql.DB) []uint64 {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT term FROM work ORDER BY n")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var terms []uint64
	for rows.Next() {
		var term uint64
		if err := rows.Scan(&term); err != nil {
			t.Fatal(err)
		}
		terms = append(terms, term)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return terms
}

// busy tells whether another connection has the lock.
func busy(err error) bool { return err != nil && strings.Contains(err.Error(), "SQLITE_BUSY") }
