package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func recorded(t *testing.T) *testRun {
	t.Helper()
	f, err := os.Open("testdata/gotest.json")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	r, err := read(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A test has a row if it has figures, was skipped, or is no subtest; one whose
// subtests have figures is told by them. A test that did not end has failed.
func TestRows(t *testing.T) {
	t.Parallel()
	want := []row{
		{name: "TestLinear_Memory", status: held, took: 1890 * time.Millisecond, figures: []figure{{"operations", "2997"}, {"unknown", "337"}}},
		{name: "TestLinear_Embedded/udp", status: held, took: 9300 * time.Millisecond, figures: []figure{{"operations", "662"}}},
		{name: "TestLinear_Knot", status: skipped, note: "NOT TESTED on Knot: knotd is not installed"},
		{name: "TestLinear_BIND", status: broken, took: 2 * time.Second},
		{name: "TestLinear_Cut", status: broken},
	}
	if diff := cmp.Diff(want, recorded(t).rows(), cmp.AllowUnexported(row{}, figure{})); diff != "" {
		t.Errorf("rows mismatch (-want +got):\n%s", diff)
	}
}

// What failed tests have said is kept.
func TestFailures(t *testing.T) {
	t.Parallel()
	r := recorded(t)
	all := r.failures()
	if len(all) != 2 || !strings.Contains(all[0], "TestLinear_BIND in internal/linear:\n    stores_test.go:173: no order") {
		t.Errorf("failures = %q", all)
	}
	if text := r.text(); text != "this line is no event\nFAIL\n" {
		t.Errorf("other output = %q", text)
	}
}

// A package that does not compile has failed, without a test that has.
func TestFailures_OfABuild(t *testing.T) {
	t.Parallel()
	r, err := read(strings.NewReader(
		`{"ImportPath":"x","Action":"build-output","Output":"x.go:1: undefined: y\n"}` + "\n" + `{"ImportPath":"x","Action":"build-fail"}` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"x.go:1: undefined: y\n"}, r.failures()); diff != "" {
		t.Errorf("failures mismatch (-want +got):\n%s", diff)
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	got := targets("FuzzA\nFuzzB\nok  \t" + module + "internal/record\t0.007s\n?   \t" + module + "event\t[no test files]\n" +
		"ok  \t" + module + "transport\t0.1s\nFuzzC\nok  \t" + module + "availability\t0.2s\n")
	want := []target{{"./internal/record", "FuzzA"}, {"./internal/record", "FuzzB"}, {"./availability", "FuzzC"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(target{})); diff != "" {
		t.Errorf("targets mismatch (-want +got):\n%s", diff)
	}
}

// The fuzzer's own end is no failure, an input that fails is one.
func TestCutOff(t *testing.T) {
	t.Parallel()
	const end = "--- FAIL: FuzzX (4.08s)\n    context deadline exceeded\nFAIL\n"
	for text, want := range map[string]bool{
		end: true, "    Failing input written to testdata/fuzz/FuzzX/1\n" + end: false, "--- FAIL: FuzzX (4.08s)\n    wrong\n": false,
	} {
		if got := cutOff(text); got != want {
			t.Errorf("cutOff(%q) = %t", text, got)
		}
	}
}

func TestExecutions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"fuzz: elapsed: 3s, execs: 12 (4/sec)\nfuzz: elapsed: 4s, execs: 345 (333/sec)\nPASS\n": "345",
		"fuzz: elapsed: 3s, gathering baseline coverage: 1/9 completed\n":                       "0",
	} {
		if got := executions(text); got != want {
			t.Errorf("executions(%q) = %s, want %s", text, got, want)
		}
	}
}
