package main

import (
	"bufio"
	"context"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMistakesAreNamed: without an address and a secret the program says what
// is missing, by field.
func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", "0.0.0.0")
	cmd.Env = append(cmd.Environ(), "AG_SECRET=")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("ran without a secret")
	}
	for _, field := range []string{"external_ipv4_address", "tsig_secret"} {
		if !strings.Contains(string(out), field) {
			t.Errorf("the error does not name %s:\n%s", field, out)
		}
	}
}

// TestTerminated: SIGTERM ends the program as it ends a deployment, so that
// its group hears of it.
func TestTerminated(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no signals here")
	}
	program := filepath.Join(t.TempDir(), "minimal")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "192.0.2.10")
	cmd.Env = append(cmd.Environ(), "AG_SECRET=c2VjcmV0IG9mIHRoZSB0ZXN0LCBsb25nIGVub3VnaA==")
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	if !lines.Scan() { // it runs
		t.Error("the program has said nothing")
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	rest := lines.Text()
	for lines.Scan() {
		rest += "\n" + lines.Text()
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, rest)
	}
}
