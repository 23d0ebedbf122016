//go:build unix

package sqlfence_test

import (
	"bytes"
	"database/sql"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	_ "github.com/lib/pq"
)

// postgresServer starts a server of its own in a directory of its own, and
// returns what to connect by. The test is skipped where PostgreSQL is not
// installed.
func postgresServer(t *testing.T) (dsn string) {
	t.Helper()
	bin := postgresBin(t)
	dir, err := os.MkdirTemp("", "fencing") //nolint:usetesting // a short path, for a socket, that another user may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	attr := unprivileged(t, dir)
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(t.Context(), filepath.Join(bin, "initdb"), "-D", data, "-A", "trust", "-U", "test", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, attr
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	var log bytes.Buffer
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off")
	server.Dir, server.SysProcAttr, server.Stderr = dir, attr, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT) // ends the sessions, and the server
		_ = server.Wait()
		if t.Failed() {
			t.Logf("%s", &log)
		}
	})
	dsn = "host=" + dir + " user=test dbname=postgres sslmode=disable"
	awaitPostgres(t, openPostgres(t, dsn))
	return dsn
}

func postgresBin(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian
	if err != nil || len(found) == 0 {
		t.Skip("PostgreSQL is not installed")
	}
	return filepath.Dir(found[len(found)-1])
}

// unprivileged gives the directory to a user who may run the server: root may
// not.
func unprivileged(t *testing.T, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("PostgreSQL does not run as root, and there is no user nobody")
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func openPostgres(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func awaitPostgres(t *testing.T, db *sql.DB) {
	t.Helper()
	await(t, "the server to answer", func() bool { return db.PingContext(t.Context()) == nil })
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !is() {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
