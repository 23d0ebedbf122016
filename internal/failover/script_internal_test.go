package failover

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the transcripts of the scripts")

// TestScripts runs testdata/*.txt. A script is a sentence of the protocol in
// its name, a comment, and blocks of directives, each followed by ---- and the
// transcript up to a blank line. The directives are in directive_internal_test.go.
// Run with -update to rewrite the transcripts, and read the difference.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, name, string(text))
			if *update && got != string(text) {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(string(text), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("transcript mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// play runs a script and returns it with the transcript that came of it.
func play(t *testing.T, name, text string) string {
	t.Helper()
	s := &script{world: newWorld(t, 1, testTiming(60*time.Second))}
	var out []string
	for _, b := range blocks(text) {
		out = append(out, b...)
		if !slices.Contains(b, "----") {
			continue
		}
		s.log, s.steps = nil, nil
		for _, line := range b {
			if line != "----" && line != "" && !strings.HasPrefix(line, "#") {
				s.directive(line)
			}
		}
		out = append(out, s.log...)
		out = append(out, s.steps...)
		out = append(out, "")
	}
	for _, b := range s.rules.broken {
		t.Errorf("%s: %s", name, b)
	}
	return strings.Join(out, "\n")
}

// blocks cuts a script at its transcripts, which it drops: each block is
// comments and directives and ends with "----".
func blocks(text string) [][]string {
	var all [][]string
	var block []string
	skip := false
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case skip:
			skip = line != ""
		case line == "----":
			all = append(all, append(block, line))
			block, skip = nil, true
		default:
			block = append(block, line)
		}
	}
	if len(block) > 0 {
		all = append(all, block)
	}
	return all
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	got := blocks("# why\n\nrun 1s\n----\n1s a is\n2s b is\n\nrun 2s\n----\n")
	want := [][]string{{"# why", "", "run 1s", "----"}, {"run 2s", "----"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}
