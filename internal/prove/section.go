package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// section is one part of the proof.
type section struct {
	name, title string
	shows       string // what it shows, in one sentence

	tests []tests                               // go test runs, or
	do    func(context.Context, *prover, *part) // something else

	list bool // each figure is a line of its own, not a column
}

// tests is one run of go test.
type tests struct {
	folder string // from the root of the module, as "./internal/x"
	run    string // of the names of the tests
}

// sections is the proof, in the order in which it is run.
func sections() []section {
	const machine = "./internal/failover"
	return []section{
		{
			name: "explorer", title: "Explorer",
			shows: "No sequence of events leads the shipped machine to two Primaries: searched breadth first, in a canonical form in which time is unbounded.",
			tests: []tests{{machine, "^TestExplore"}},
		},
		{
			name: "mutants", title: "Mutants",
			shows: "Each rule of the protocol, each comparison and each choice of a clock is held in place by a named test.",
			do:    mutants,
		},
		{
			name: "simulator", title: "Simulator of the machine",
			shows: "Groups of two, three and five machines under random faults and skewed clocks keep the invariants after every event.",
			tests: []tests{{machine, "^TestSimulator"}},
		},
		{
			name: "library", title: "Simulator of the whole library",
			shows: "The same with the driver, the subscriptions, the codec, the transport and the store, in virtual time.",
			tests: []tests{{"./availability", "^TestSimulation"}},
		},
		{
			name: "linearizability", title: "Linearizability of the stores",
			shows: "A conditional write is atomic on every store that the library is used with, and one of unknown end happens once or never.",
			tests: []tests{{"./internal/linear", "^TestLinear"}},
		},
		{
			name: "hosts", title: "Hosts", list: true,
			shows: "Real processes in network namespaces, with a real name server: never two Primaries, and one again within the bound.",
			tests: []tests{{"./internal/hosts", "^TestHosts"}},
		},
		{
			name: "operation", title: "Operation", list: true,
			shows: "A crashed Primary takes its own role back in two round trips; a rehearsal names what stands in the way of a failover.",
			tests: []tests{{"./internal/e2e", "^Test(Restart|Preflight)"}},
		},
		{
			name: "fuzz", title: "Fuzzing",
			shows: "Whatever comes from outside does no harm.",
			do:    fuzz,
		},
		{
			name: "hostile", title: "Hostile peers",
			shows: "Forged, unsigned, replayed, reflected, oversized, slow and re-ordered answers and messages change no role.",
			tests: []tests{{"./internal/e2e", "^TestHostile"}, {"./availability", "^TestHostile"}},
		},
		{
			name: "claims", title: "Claims",
			shows: "Each sentence of the promise in README.md is backed by tests that passed.",
			do:    claims,
		},
	}
}

// prover runs sections.
type prover struct {
	root    string
	out     io.Writer
	nightly bool
	done    map[testID]outcome // every test that was run
}

// section runs one section and says so.
func (p *prover) section(ctx context.Context, s section) part {
	began := time.Now()
	r := part{section: s}
	fmt.Fprintf(p.out, "%-16s ", s.name)
	switch {
	case ctx.Err() != nil:
		r.fail("there was no time left for it")
	case s.do != nil:
		s.do(ctx, p, &r)
	default:
		p.runTests(ctx, &r)
	}
	r.took = time.Since(began)
	fmt.Fprintf(p.out, "%-8s %6.1f s  %s\n", r.status(), r.took.Seconds(), r.summary())
	for _, row := range r.rows {
		if row.status == skipped {
			fmt.Fprintf(p.out, "    SKIPPED %s: %s\n", row.name, row.note)
		}
	}
	for _, text := range r.problems {
		fmt.Fprintf(p.out, "    %s\n", strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    "))
	}
	return r
}

// runTests runs the tests of a section.
func (p *prover) runTests(ctx context.Context, r *part) {
	for _, t := range r.section.tests {
		run, err := p.goTest(ctx, t.folder, "-run", t.run)
		if err != nil {
			r.fail(fmt.Sprintf("%s %s: %v\n%s", t.folder, t.run, err, run.text()))
		}
		rows := run.rows()
		if len(rows) == 0 && err == nil {
			r.fail(fmt.Sprintf("%s has no test %s", t.folder, t.run))
		}
		r.rows = append(r.rows, rows...)
		r.problems = append(r.problems, run.failures()...)
	}
}
