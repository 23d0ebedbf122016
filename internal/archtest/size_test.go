package archtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Limits, in lines.
const (
	maxFile     = 500
	maxFunction = 70
	maxNinth    = 32 // nine functions of ten are not longer
	maxExample  = 150
)

func sizeRules() []rule {
	return []rule{
		{
			name: "files are short",
			why: fmt.Sprintf("a file is about one thing and is read in one go: not more than %d lines, "+
				"and an example, which a newcomer reads first, not more than %d", maxFile, maxExample),
			check:  fileLength,
			breaks: map[string]string{"event/x.go": lines(maxFile + 1), "examples/node/main.go": lines(maxExample + 1)},
			keeps: map[string]string{
				"event/x.go": lines(maxFile), "event/x_test.go": lines(maxFile + 1),
				"examples/node/main.go": lines(maxExample), "examples/node/main_test.go": lines(maxFile),
			},
		},
		{
			name:   "functions are short",
			why:    fmt.Sprintf("a function fits on a screen: not more than %d lines", maxFunction),
			check:  functionLength,
			breaks: map[string]string{"event/x.go": function(maxFunction + 1)},
			keeps:  map[string]string{"event/x.go": function(maxFunction), "event/x_test.go": function(maxFunction + 1)},
		},
	}
}

func fileLength(s source) []string {
	limit := maxFile
	if s.in("examples") {
		limit = maxExample
	}
	if s.test() || s.length() <= limit {
		return nil
	}
	return []string{fmt.Sprintf("%s: %d lines, the limit is %d", s.path, s.length(), limit)}
}

func functionLength(s source) []string {
	if s.test() {
		return nil
	}
	var findings []string
	for _, f := range s.functions() {
		if n := s.lines(f); n > maxFunction {
			findings = append(findings, s.at(f, "%s has %d lines, the limit is %d", f.Name.Name, n, maxFunction))
		}
	}
	return findings
}

func TestMostFunctionsAreSmall(t *testing.T) {
	t.Parallel()
	var lengths []int
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		for _, f := range s.functions() {
			lengths = append(lengths, s.lines(f))
		}
	}
	slices.Sort(lengths)
	if got := ninth(lengths); got > maxNinth {
		t.Errorf("nine of ten functions have up to %d lines, the limit is %d\n"+
			"Why: code that is a pleasure to read is made of small functions; a long one is the exception that needs its length", got, maxNinth)
	}
}

// ninth returns the smallest number that nine tenths of the sorted numbers do
// not exceed.
func ninth(sorted []int) int {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*9+9)/10-1]
}

func TestNinth(t *testing.T) {
	t.Parallel()
	for want, sorted := range map[int][]int{
		0: nil, 7: {7}, 2: {1, 2}, 9: {1, 2, 3, 4, 5, 6, 7, 8, 9, 90}, 11: {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
	} {
		if got := ninth(sorted); got != want {
			t.Errorf("ninth(%v) = %d, want %d", sorted, got, want)
		}
	}
}

// lines is a Go file of n lines.
func lines(n int) string { return "package x\n" + strings.Repeat("\n", n-1) }

// function is a Go file with a function of n lines.
func function(n int) string { return "package x\n\nfunc f() {\n" + strings.Repeat("\n", n-2) + "}\n" }
