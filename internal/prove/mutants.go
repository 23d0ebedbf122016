package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/internal/mutant"
)

// killLimit is how long one killer may take: they take well below a second.
const killLimit = 20 * time.Second

// mutants runs the table of internal/mutant.
func mutants(ctx context.Context, p *prover, r *part) {
	all, err := mutant.Table()
	if err != nil {
		r.fail(err.Error())
		return
	}
	var results []mutant.Result
	inScratch(r, func(dir string) {
		lab := mutant.Lab{Root: p.root, Dir: dir, Workers: runtime.NumCPU(), Limit: killLimit, Now: time.Now}
		results, err = lab.Run(ctx, all)
	})
	if err != nil {
		r.fail(err.Error())
		return
	}
	r.rows, r.problems = byRule(results), survivors(results)
	equivalent := mutant.Count(results, mutant.Equivalent)
	dead := mutant.Count(results, mutant.Killed, mutant.Panicked, mutant.Hung)
	r.says = fmt.Sprintf("%d of %d mutants killed, %d more are equivalent", dead, len(results)-equivalent, equivalent)
	r.extra = everyMutant(results)
}

// byRule has a row for each rule.
func byRule(results []mutant.Result) []row {
	var rules []string
	of := make(map[string][]mutant.Result)
	for _, m := range results {
		if of[m.Rule] == nil {
			rules = append(rules, m.Rule)
		}
		of[m.Rule] = append(of[m.Rule], m)
	}
	slices.SortFunc(rules, func(a, b string) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b))
	})
	var rows []row
	for _, rule := range rules {
		rows = append(rows, ruleRow(rule, of[rule]))
	}
	return rows
}

// unnumbered is the place of what has no number: after all rules.
const unnumbered = 1000

// place orders rules by their number.
func place(rule string) int {
	n, err := strconv.Atoi(rule)
	if err != nil {
		return unnumbered
	}
	return n
}

func ruleRow(rule string, results []mutant.Result) row {
	x := row{name: "rule " + rule, status: held}
	if place(rule) == unnumbered {
		x.name = rule
	}
	equivalent := mutant.Count(results, mutant.Equivalent)
	for _, m := range results {
		x.took += m.Took
		if !m.Outcome.Fine() {
			x.status = broken
		}
	}
	x.figures = []figure{
		{"killed", strconv.Itoa(mutant.Count(results, mutant.Killed, mutant.Panicked, mutant.Hung))},
		{"of", strconv.Itoa(len(results) - equivalent)},
		{"equivalent", strconv.Itoa(equivalent)},
	}
	return x
}

// survivors is what is wrong with the mutants that are not dead.
func survivors(results []mutant.Result) []string {
	var all []string
	for _, m := range results {
		if m.Outcome.Fine() {
			continue
		}
		text := fmt.Sprintf("%s: %s in %s/%s, %s: %q became %q; killer %s", m.Outcome, m.ID, m.Package, m.File, m.Func, m.Old, m.New, m.Killer)
		if m.Outcome == mutant.Mistaken {
			text += "\n" + m.Text
		}
		all = append(all, text)
	}
	return all
}

// everyMutant is the table of mutants and killers.
func everyMutant(results []mutant.Result) string {
	rows := [][]string{{"rule", "mutant", "where", "killed by"}}
	var same []string
	for _, m := range results {
		name := strings.ReplaceAll(m.ID, "-", " ")
		switch {
		case m.Equivalent != "":
			same = append(same, fmt.Sprintf("- %s (`%s`): %s\n", name, m.Func, m.Equivalent))
			continue
		case m.With != "":
			name += " (behind: " + strings.ReplaceAll(m.With, "-", " ") + ")"
		}
		by := m.Killer
		if m.Outcome != mutant.Killed {
			by += " (" + string(m.Outcome) + ")"
		}
		rows = append(rows, []string{m.Rule, name, m.Func, by})
	}
	return "Every mutant, and the test that fails with it. One that stands behind another is a second line of defence: " +
		"its test holds with either of the two, and fails with both.\n\n" + table(rows) +
		"\nEquivalent ones, which nothing can notice, and why:\n\n" + strings.Join(same, "")
}
