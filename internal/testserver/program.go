package testserver

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// missing ends the test: skipped, or failed where the servers are required.
func missing(tb testing.TB, server, what string) {
	tb.Helper()
	text := fmt.Sprintf("NOT TESTED against %s: %s", server, what)
	if os.Getenv("AG_REQUIRE_SERVERS") == "1" {
		tb.Fatalf("%s (AG_REQUIRE_SERVERS=1)", text)
	}
	tb.Skipf("%s; install it, or set AG_REQUIRE_SERVERS=1 to make this a failure", text)
}

// need returns the path of a program, or ends the test.
func need(tb testing.TB, server, program string) string {
	tb.Helper()
	path, err := find(program)
	if err != nil {
		missing(tb, server, err.Error())
	}
	return path
}

// find looks in PATH, and in the directories for system programs, which the
// PATH of a user often lacks.
func find(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin", "/opt/homebrew/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("program %s not found", program)
}

// unconfined returns a path of the same program that AppArmor's profile for it
// does not apply to, since that forbids files in temporary directories.
func unconfined(s *Server, program string) (string, error) {
	state, err := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	if err != nil || !strings.HasPrefix(string(state), "Y") {
		return program, nil //nolint:nilerr // no AppArmor here
	}
	return copyProgram(program, s.file(filepath.Base(program)))
}

func copyProgram(from, to string) (string, error) {
	in, err := os.Open(from)
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o700)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close() // the first error is the one to tell
		return "", err
	}
	return to, out.Close()
}
