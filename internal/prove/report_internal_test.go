package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/internal/mutant"
)

func linear(t *testing.T) part {
	t.Helper()
	return part{section: section{name: "linear", title: "Stores", shows: "They are atomic."}, rows: recorded(t).rows(), took: 13 * time.Second}
}

// The table of a section has a column for each kind of figure.
func TestPart_Markdown(t *testing.T) {
	t.Parallel()
	x := linear(t)
	want := `## Stores

They are atomic.

|  | result | operations | unknown | time |
| --- | --- | --- | --- | --- |
| TestLinear_Memory | ok | 2997 | 337 | 1.9 s |
| TestLinear_Embedded/udp | ok | 662 |  | 9.3 s |
| TestLinear_Knot | **skipped** |  |  | 0.0 s |
| TestLinear_BIND | **FAILED** |  |  | 2.0 s |
| TestLinear_Cut | **FAILED** |  |  | 0.0 s |

**Skipped:** TestLinear_Knot: NOT TESTED on Knot: knotd is not installed.
`
	if diff := cmp.Diff(want, x.markdown()); diff != "" {
		t.Errorf("table mismatch (-want +got):\n%s", diff)
	}
	x.section.list = true
	x.rows = x.rows[:1]
	want = "## Stores\n\nThey are atomic.\n\n|  | result | measured |\n| --- | --- | --- |\n| operations | ok | 2997 |\n| unknown | ok | 337 |\n"
	if diff := cmp.Diff(want, x.markdown()); diff != "" {
		t.Errorf("list mismatch (-want +got):\n%s", diff)
	}
}

// A report names the day, the command and the machine, and neither a host nor a
// path; a bar in a cell does not end it.
func TestReport_Markdown(t *testing.T) {
	t.Parallel()
	r := report{date: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC), command: "go run ./internal/prove", took: 90 * time.Second, parts: []part{linear(t)}}
	text := r.markdown()
	for _, want := range []string{
		"Made on 2026-11-22 by `go run ./internal/prove` in 1m30s, on ",
		"\n| Stores | **FAILED** | 2 of 4 tests passed, 1 SKIPPED | 13.0 s |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if got := table([][]string{{"a|b"}}); got != "| a\\|b |\n| --- |\n" {
		t.Errorf("table = %q", got)
	}
}

// What makes a section, and with it the run, hold.
func TestPart_Status(t *testing.T) {
	t.Parallel()
	rows := func(all ...status) (rows []row) {
		for _, s := range all {
			rows = append(rows, row{status: s})
		}
		return rows
	}
	for name, tt := range map[string]struct {
		part part
		want status
	}{
		"nothing ran":       {part{}, broken},
		"all passed":        {part{rows: rows(held, held)}, held},
		"one failed":        {part{rows: rows(held, broken)}, broken},
		"one was skipped":   {part{rows: rows(held, skipped)}, held},
		"all were skipped":  {part{rows: rows(skipped)}, skipped},
		"another way wrong": {part{rows: rows(held), problems: []string{"x"}}, broken},
	} {
		if got := tt.part.status(); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
		r := report{parts: []part{{rows: rows(held)}, tt.part}}
		if got := r.holds(); got != (tt.want != broken) {
			t.Errorf("%s: holds = %t", name, got)
		}
	}
	if (&report{}).holds() {
		t.Error("a report of nothing holds")
	}
}

func TestRun_List(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-list", "-only", "mutants,explorer"}, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "explorer ") || !strings.HasPrefix(lines[1], "mutants ") {
		t.Errorf("list = %q", lines)
	}
	if err := run(t.Context(), []string{"-only", "nothing"}, &out); err == nil {
		t.Error("no error for a section that there is not")
	}
}

// A section for which no time is left has failed, and an interrupt is told.
func TestProof_Interrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	p := &prover{out: &out, done: make(map[testID]outcome)}
	if err := p.proof(ctx, sections(), options{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("proof = %v, want the error of the context", err)
	}
	if n := strings.Count(out.String(), "FAILED"); n != len(sections()) {
		t.Errorf("%d sections have failed, want all:\n%s", n, out.String())
	}
}

func TestSections(t *testing.T) {
	t.Parallel()
	var names []string
	for _, s := range sections() {
		if slices.Contains(names, s.name) || s.title == "" || s.shows == "" || (s.do == nil) == (len(s.tests) == 0) {
			t.Errorf("section %q is used twice or lacks something", s.name)
		}
		names = append(names, s.name)
	}
}

// The mutants are told by rule, by number, and a survivor is a failure.
func TestMutants(t *testing.T) {
	t.Parallel()
	of := func(id, rule string, o mutant.Outcome) mutant.Result {
		return mutant.Result{Mutant: mutant.Mutant{ID: id, Rule: rule, Killer: "TestX", Func: "f"}, Outcome: o}
	}
	same := of("same", "10", mutant.Equivalent)
	same.Equivalent, same.Killer = "nobody looks.", ""
	all := []mutant.Result{of("x", "law 3", mutant.Killed), same, of("c", "10", mutant.Hung), of("b", "2", mutant.Survived)}
	got := table((&part{rows: byRule(all)}).columns())
	want := "|  | result | killed | of | equivalent | time |\n| --- | --- | --- | --- | --- | --- |\n" +
		"| rule 2 | **FAILED** | 0 | 1 | 0 | 0.0 s |\n| rule 10 | ok | 1 | 1 | 1 | 0.0 s |\n| law 3 | ok | 1 | 1 | 0 | 0.0 s |\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules mismatch (-want +got):\n%s", diff)
	}
	if problems := survivors(all); len(problems) != 1 || !strings.HasPrefix(problems[0], "SURVIVED: b in ") {
		t.Errorf("problems = %q", problems)
	}
	text := everyMutant(all)
	for _, want := range []string{"| 10 | c | f | TestX (killed by the time limit) |", "- same (`f`): nobody looks.\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
