package sqlfence_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	_ "modernc.org/sqlite"

	"github.com/availabilitygroup/ag/examples/fencing/sqlfence"
)

// A Primary that was stopped comes too late.
func ExampleFence_Tx() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", "file:/example?vfs=memdb")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	db.SetMaxIdleConns(1) // the last connection keeps the database in memory
	fence := sqlfence.Fence{Name: "app.example.net"}
	fmt.Println(fence.Create(ctx, db))
	write := func(term uint64) error {
		return fence.Tx(ctx, db, term, func(*sqlfence.Tx) error {
			fmt.Println("writing in term", term)
			return nil
		})
	}

	fmt.Println(fence.Claim(ctx, db, 17), write(17))
	fmt.Println(fence.Claim(ctx, db, 18)) // another node has become Primary
	late := write(17)
	fmt.Println(errors.Is(late, sqlfence.ErrFenced), late)
	// Output:
	// <nil>
	// writing in term 17
	// <nil> <nil>
	// <nil>
	// true sqlfence: a newer term has written: term 18, and we have 17
}
