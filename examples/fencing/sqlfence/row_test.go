package sqlfence_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/availabilitygroup/ag/examples/fencing/sqlfence"
)

const (
	updateRow = "UPDATE account SET balance = ?1, last_term = ?2 WHERE id = ?3 AND last_term <= ?2"
	upsertRow = `INSERT INTO account (balance, last_term, id) VALUES (?1, ?2, ?3)
		ON CONFLICT (id) DO UPDATE SET balance = excluded.balance, last_term = excluded.last_term
		WHERE account.last_term <= excluded.last_term`
)

func TestRow(t *testing.T) {
	t.Parallel()
	type step struct {
		query   string
		term    int64
		id      string
		refused bool
	}
	for name, tt := range map[string]struct {
		steps []step
		want  map[string]int64 // the last term of each row
	}{
		"in order":                     {[]step{{updateRow, 1, "x", false}, {updateRow, 2, "x", false}}, map[string]int64{"x": 2}},
		"the same term again":          {[]step{{updateRow, 1, "x", false}, {updateRow, 1, "x", false}}, map[string]int64{"x": 1}},
		"an older one is late":         {[]step{{updateRow, 2, "x", false}, {updateRow, 1, "x", true}}, map[string]int64{"x": 2}},
		"no such row":                  {[]step{{updateRow, 2, "y", true}}, map[string]int64{"x": 0}},
		"a new row":                    {[]step{{upsertRow, 2, "y", false}}, map[string]int64{"x": 0, "y": 2}},
		"an older one makes it first":  {[]step{{upsertRow, 1, "y", false}, {upsertRow, 2, "y", false}}, map[string]int64{"x": 0, "y": 2}},
		"an older one makes it late":   {[]step{{upsertRow, 2, "y", false}, {upsertRow, 1, "y", true}}, map[string]int64{"x": 0, "y": 2}},
		"another row is not protected": {[]step{{upsertRow, 2, "y", false}, {updateRow, 1, "x", false}}, map[string]int64{"x": 1, "y": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := accounts(t)
			for _, s := range tt.steps {
				err := sqlfence.Row(t.Context(), db, s.query, 100*s.term, s.term, s.id)
				if errors.Is(err, sqlfence.ErrFenced) != s.refused || !s.refused && err != nil {
					t.Errorf("%+v: %v", s, err)
				}
			}
			for id, want := range tt.want {
				var balance, term int64
				if err := db.QueryRowContext(t.Context(), "SELECT balance, last_term FROM account WHERE id = ?", id).Scan(&balance, &term); err != nil {
					t.Fatal(err)
				}
				if term != want || balance != 100*want {
					t.Errorf("%s: balance %d of term %d, want term %d", id, balance, term, want)
				}
			}
		})
	}
}

// TestRow_Wrong: what is no refusal is not told as one.
func TestRow_Wrong(t *testing.T) {
	t.Parallel()
	err := sqlfence.Row(t.Context(), accounts(t), "UPDATE nowhere SET x = 1")
	if err == nil || errors.Is(err, sqlfence.ErrFenced) {
		t.Errorf("a statement that is wrong: %v", err)
	}
}

// accounts is a database with one account, x.
func accounts(t *testing.T) *sql.DB {
	t.Helper()
	db := open(t, newFile(t), waits)
	for _, text := range []string{
		"CREATE TABLE account (id TEXT PRIMARY KEY, balance BIGINT NOT NULL, last_term BIGINT NOT NULL)",
		"INSERT INTO account VALUES ('x', 0, 0)",
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	return db
}
