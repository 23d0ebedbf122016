package main

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed claims.txt
var claimTable string

// claim is a sentence of README.md and what backs it.
type claim struct {
	text string
	by   []testID
	// limit: it says what is not promised.
	limit bool
}

// readClaims reads the text of a table of claims.
func readClaims(text string) ([]claim, error) {
	var all []claim
	for i, line := range strings.Split(text, "\n") {
		kind, value, _ := strings.Cut(line, " ")
		switch kind {
		case "", "#":
		case "claim", "limit":
			all = append(all, claim{text: value, limit: kind == "limit"})
		case "by":
			folder, test, ok := strings.Cut(value, " ")
			if !ok || len(all) == 0 {
				return nil, fmt.Errorf("claims, line %d: a test is named after its claim, by its folder and its name", i+1)
			}
			last := &all[len(all)-1]
			last.by = append(last.by, testID{folder, test})
		default:
			return nil, fmt.Errorf("claims, line %d: %q", i+1, line)
		}
	}
	return all, nil
}

// claims runs those tests of the claims that no section before has run, and
// shows for each claim what backs it.
func claims(ctx context.Context, p *prover, r *part) {
	all, err := readClaims(claimTable)
	if err != nil {
		r.fail(err.Error())
		return
	}
	p.runMissing(ctx, all, r)
	var limits strings.Builder
	for _, c := range all {
		if c.limit {
			limits.WriteString("- " + c.text + "\n")
			continue
		}
		x, by := p.judge(c)
		if x.status == broken {
			r.fail(fmt.Sprintf("%s: %s", c.text, by))
		}
		x.figures = []figure{{"backed by", by}}
		r.rows = append(r.rows, x)
	}
	r.says = fmt.Sprintf("%d of %d claims are backed", r.count(held), len(r.rows))
	r.extra = "Not promised, and said to be so:\n\n" + limits.String()
}

// judge tells whether a claim is backed: by a test that passed at least, and
// none that failed.
func (p *prover) judge(c claim) (row, string) {
	x := row{name: c.text, status: skipped, note: "none of its tests could run here"}
	if len(c.by) == 0 {
		x.status = broken
		return x, "no test"
	}
	var by []string
	for _, id := range c.by {
		o, ran := p.done[id]
		x.took += o.took
		text := "`" + id.test + "`"
		switch {
		case !ran:
			x.status = broken
			text += " (**there is no such test**)"
		case o.status == broken:
			x.status = broken
			text += " (**failed**)"
		case o.status == skipped:
			text += " (skipped)"
		case x.status == skipped:
			x.status = held
		}
		by = append(by, text)
	}
	return x, strings.Join(by, ", ")
}

// runMissing runs the tests of claims that have not been run, those of a folder
// together.
func (p *prover) runMissing(ctx context.Context, all []claim, r *part) {
	var folders []string
	missing := make(map[string][]string)
	for _, c := range all {
		for _, id := range c.by {
			name, _, _ := strings.Cut(id.test, "/")
			if _, ran := p.done[id]; ran || slices.Contains(missing[id.folder], name) {
				continue
			}
			if missing[id.folder] == nil {
				folders = append(folders, id.folder)
			}
			missing[id.folder] = append(missing[id.folder], name)
		}
	}
	for _, folder := range folders {
		run, err := p.goTest(ctx, "./"+folder, "-run", "^("+strings.Join(missing[folder], "|")+")$")
		if err != nil {
			r.fail(fmt.Sprintf("%s: %v\n%s", folder, err, run.text()))
		}
		r.problems = append(r.problems, run.failures()...)
	}
}
