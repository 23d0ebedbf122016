// Package sqlfence lets a SQL database refuse the writes of a Primary whose
// term is over. It is an example: copy it.
//
// # What is promised
//
// Of the transactions made by [Fence.Tx] for one fence, none commits with a
// term lower than that of one that has committed before. What a transaction
// reads after its beginning, no Primary of an older term can change any more.
//
// # What is not promised
//
//   - Writes that go past [Tx] are not fenced. Where the database has roles, let
//     the program's role write through procedures or rules that ask for the
//     term.
//   - Work that ends the transaction itself lets go of the fence: by COMMIT or
//     ROLLBACK in the text of a statement or in a procedure, and in MySQL by
//     DDL, which commits. What it writes after that is done at once, whatever
//     the term. [Fence.Tx] tells it, by [ErrEnded], and cannot undo it.
//   - An older Primary may write until the newer one has made its first
//     transaction. So a tenure begins with [Fence.Claim], before anything is
//     read that matters.
//   - Reading outside Tx shows what is committed, on whatever node.
//   - If COMMIT is answered by an error other than the database's own, nobody
//     knows whether it was done. That is so without a fence as well.
//
// # How it works
//
// A table has one row for each group, with the highest term. The first
// statement of each transaction is
//
//	UPDATE fence SET term = ?, claims = claims + 1 WHERE name = ? AND term <= ?
//
// If it hits no row, a newer term has been there: the transaction is rolled
// back, with [ErrFenced]. If it hits the row, it locks it until the end of the
// transaction, so guarded transactions come one after the other.
//
// It is in the same transaction as the work. A check in a transaction of its
// own has the gap that is to be closed: between it and the work the process may
// be stopped.
//
// It comes first. What was read before the lock is held, an older Primary may
// still change: its transaction could commit between the read and the lock,
// and a newer one would then write over it what it has worked out from old
// data. Besides, nobody waits for the fence with other locks in hand.
//
// # A transaction that ends too early
//
// Some errors undo the whole transaction and leave the connection without one:
// in SQLite that of a write that is interrupted, as by the deadline of its
// context, or finds the disk full; in MySQL 1213, a deadlock. Without a
// transaction each later statement commits by itself, and COMMIT says nothing
// in MySQL. So work gets a [Tx] that does nothing more after the first error,
// with whatever context, and has work see the end of a statement, its rows
// included, before the next. (PostgreSQL does the same by itself.)
//
// Whatever else ends it is found at the end: Tx sets a savepoint after the
// UPDATE and releases it before COMMIT, and a savepoint does not outlive its
// transaction. A second UPDATE would not do: it hits the row without the
// transaction as well, as long as no newer term has come. Nor would either
// undo what was committed by then; but that is a mistake in work, and shows
// each time that work is run, with a newer term or without. It is not found if
// the context has ended, or a later statement has failed, before the end is
// reached; nor if work sets a savepoint named fenced of its own. Oracle and SQL
// Server do not release savepoints: look for the transaction's ID there.
//
// # Isolation levels
//
// PostgreSQL at READ COMMITTED, its default: an UPDATE that meets a locked row
// waits, and then looks at its WHERE again with the row as it is by then. An
// older term is refused there. Each later statement sees what is committed, so
// also all that was done before the lock was got. At REPEATABLE READ and
// SERIALIZABLE whoever had to wait gets error 40001 and has to try again; that
// is safe, and no gain, as the lock already orders the transactions.
//
// MySQL (InnoDB) at REPEATABLE READ, its default: an UPDATE waits for the lock
// and reads the newest row. The snapshot for plain SELECTs is made by the first
// of them, so after the lock, unless the transaction was begun WITH CONSISTENT
// SNAPSHOT. MySQL reports the rows that were changed, not those that were
// found; claims + 1 makes each row that is found one that is changed, whatever
// the driver's clientFoundRows says.
//
// SQLite: one writer for the whole file. Because the UPDATE is first, the
// transaction is a writing one from the start; one that had read before could
// get SQLITE_BUSY without being able to wait. Set busy_timeout, or try again
// when a transaction ends with SQLITE_BUSY.
//
// The tests run on SQLite and, where it is installed, on PostgreSQL. What stands
// here of MySQL was tried by hand with InnoDB in MariaDB 10.11.
//
// # A Primary that is stopped within a transaction
//
// It keeps the lock, and the newer Primary waits for it. Let the server end
// that: idle_in_transaction_session_timeout in PostgreSQL, a short
// wait_timeout of the session in MySQL. The session's end rolls the transaction
// back, so what the stopped process does later with it fails. SQLite has no
// server: the process that has the lock must go on or die.
//
// # Without a table of its own
//
// Where each row stands for itself, the term can be a column of the row, and
// the condition part of the statement; see [Row]. That fences each row from the
// moment that the newer Primary has written it, and not before.
package sqlfence
