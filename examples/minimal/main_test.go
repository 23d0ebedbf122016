package main

import (
	"os/exec"
	"strings"
	"testing"
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
