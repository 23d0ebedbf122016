//go:build unix

package sqlfence_test

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lib/pq"

	"github.com/availabilitygroup/ag/examples/fencing/sqlfence"
)

// postgres is what the tests of one server share.
type postgres struct {
	*testing.T

	dsn   string
	fence sqlfence.Fence
	db    *sql.DB // looks on
}

// TestPostgres: what doc.go says of PostgreSQL.
func TestPostgres(t *testing.T) {
	t.Parallel()
	dsn := postgresServer(t)
	for name, tt := range map[string]struct {
		level string
		again bool // whoever waited has to try again
	}{
		"read committed":  {"read committed", false},
		"repeatable read": {"repeatable read", true},
		"serializable":    {"serializable", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPostgres(t, dsn, name)
			level := dsn + " default_transaction_isolation='" + tt.level + "'"
			p.olderWaits(level, tt.again)
			p.newerWaits(level, tt.again)
		})
	}
	t.Run("ended within", func(t *testing.T) {
		p := newPostgres(t, dsn, "ended")
		p.endedWithin()
	})
	t.Run("stopped within", func(t *testing.T) {
		p := newPostgres(t, dsn, "stopped")
		p.stoppedWithin(dsn + " idle_in_transaction_session_timeout=500")
	})
}

func newPostgres(t *testing.T, dsn, name string) postgres {
	t.Helper()
	p := postgres{T: t, dsn: dsn, fence: sqlfence.Fence{Name: name, Numbered: true}, db: openPostgres(t, dsn)}
	for range 2 {
		if err := p.fence.Create(t.Context(), p.db); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.db.ExecContext(t.Context(), "DROP TABLE IF EXISTS work; CREATE TABLE work (n BIGSERIAL PRIMARY KEY, term BIGINT NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	return p
}

// write does one transaction in a goroutine of its own; meanwhile is called
// within it.
func (p postgres) write(dsn string, term uint64, meanwhile func(tx *sqlfence.Tx)) <-chan error {
	end, db := make(chan error, 1), openPostgres(p.T, dsn)
	go func() {
		end <- p.fence.Tx(p.Context(), db, term, func(tx *sqlfence.Tx) error {
			meanwhile(tx)
			_, err := tx.ExecContext(p.Context(), "INSERT INTO work (term) VALUES ($1)", int64(term))
			return err
		})
	}()
	return end
}

// behind does two transactions at once, the second of which has to wait for
// the first.
func (p postgres) behind(dsn string, first, second uint64, seen func(tx *sqlfence.Tx)) (errFirst, errSecond error) {
	p.Helper()
	within, goOn := make(chan struct{}), make(chan struct{})
	one := p.write(dsn, first, func(*sqlfence.Tx) { close(within); <-goOn })
	p.reach(within, one)
	two := p.write(dsn, second, seen)
	await(p.T, "the second transaction to wait", func() bool {
		var waiting int
		err := p.db.QueryRowContext(p.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE fence%'").Scan(&waiting)
		return err == nil && waiting == 1
	})
	close(goOn)
	return <-one, <-two
}

// reach waits until a transaction is within its work.
func (p postgres) reach(within <-chan struct{}, end <-chan error) {
	p.Helper()
	select {
	case <-within:
	case err := <-end:
		p.Fatalf("the transaction has ended before its work: %v", err)
	}
}

func (p postgres) olderWaits(dsn string, again bool) {
	p.Helper()
	newer, older := p.behind(dsn, 2, 1, func(*sqlfence.Tx) { p.Error("the work of the older term was called") })
	if newer != nil || serialization(older) != again || !again && !errors.Is(older, sqlfence.ErrFenced) {
		p.Errorf("the newer term: %v; the older one behind it: %v", newer, older)
	}
	if err := <-p.write(dsn, 1, func(*sqlfence.Tx) {}); !errors.Is(err, sqlfence.ErrFenced) {
		p.Errorf("the older term again: %v", err)
	}
	p.wrote(2)
}

func (p postgres) newerWaits(dsn string, again bool) {
	p.Helper()
	sees := func(tx *sqlfence.Tx) {
		var n int
		if err := tx.QueryRowContext(p.Context(), "SELECT count(*) FROM work WHERE term = 2").Scan(&n); err != nil || n != 2 {
			p.Errorf("the newer term sees %d rows of the older one (%v), want 2", n, err)
		}
	}
	older, newer := p.behind(dsn, 2, 3, sees)
	if older != nil || serialization(newer) != again || !again && newer != nil {
		p.Errorf("the older term: %v; the newer one behind it: %v", older, newer)
	}
	if again {
		if err := <-p.write(dsn, 3, sees); err != nil {
			p.Errorf("the newer term again: %v", err)
		}
	}
	p.wrote(2, 2, 3)
}

// stoppedWithin: the server ends the session that does nothing, and the newer
// Primary passes.
func (p postgres) stoppedWithin(dsn string) {
	p.Helper()
	within, goOn := make(chan struct{}), make(chan struct{})
	stopped := p.write(dsn, 1, func(*sqlfence.Tx) { close(within); <-goOn })
	p.reach(within, stopped)
	if err := <-p.write(p.dsn, 2, func(*sqlfence.Tx) {}); err != nil {
		p.Errorf("the newer term: %v", err)
	}
	close(goOn)
	if err := <-stopped; err == nil {
		p.Error("the stopped transaction was committed")
	}
	p.wrote(2)
}

// endedWithin: work goes on after an error, and after the end.
func (p postgres) endedWithin() {
	p.Helper()
	exec := func(text string) error {
		return <-p.write(p.dsn, 1, func(tx *sqlfence.Tx) { _, _ = tx.ExecContext(p.Context(), text) })
	}
	if err := exec("SELECT 1/0"); err == nil || !strings.Contains(err.Error(), "zero") || errors.Is(err, sqlfence.ErrEnded) {
		p.Errorf("after an error: %v", err)
	}
	p.wrote()
	if err := exec("COMMIT"); !errors.Is(err, sqlfence.ErrEnded) {
		p.Errorf("after COMMIT: %v", err)
	}
	p.wrote(1)
}

func (p postgres) wrote(want ...uint64) {
	p.Helper()
	if got := written(p.T, p.db); !slices.Equal(got, want) {
		p.Errorf("committed %d, want %d", got, want)
	}
}

// serialization tells whether a transaction has to be tried again.
func serialization(err error) bool {
	e, ok := errors.AsType[*pq.Error](err)
	return ok && e.Code == "40001"
}
