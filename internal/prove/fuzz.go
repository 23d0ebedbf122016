package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// How long a target is fuzzed.
const (
	fastFuzz    = 3 * time.Second
	nightlyFuzz = 10 * time.Minute
)

// target is a fuzz target.
type target struct{ folder, name string }

// fuzz runs every fuzz target of the module for some time.
func fuzz(ctx context.Context, p *prover, r *part) {
	c := p.command(ctx, "test", "-list", "^Fuzz", "./...")
	out, err := c.CombinedOutput()
	if err != nil {
		r.fail(fmt.Sprintf("list the fuzz targets: %v\n%s", err, out))
		return
	}
	inScratch(r, func(dir string) {
		f := fuzzer{prover: p, dir: dir, corpus: filepath.Join(dir, "corpus"), length: fastFuzz}
		if p.nightly {
			f.length = nightlyFuzz
			f.corpus, err = p.keptCorpus(ctx)
		}
		if err != nil {
			r.fail(err.Error())
			return
		}
		f.all(ctx, r, targets(string(out)))
	})
}

// all runs all targets.
func (f *fuzzer) all(ctx context.Context, r *part, all []target) {
	for _, t := range all {
		x, problem := f.run(ctx, t)
		r.rows = append(r.rows, x)
		if problem != "" {
			r.fail(x.name + ": " + problem)
		}
	}
	r.says = fmt.Sprintf("%d of %d targets held, %v each", r.count(held), len(all), f.length)
}

// keptCorpus is where the go command keeps what a fuzzer has found. The fast
// set does not use it: to go through what is there takes longer than it has.
func (p *prover) keptCorpus(ctx context.Context) (string, error) {
	out, err := p.command(ctx, "env", "GOCACHE").Output()
	if err != nil {
		return "", fmt.Errorf("find the corpus: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "fuzz"), nil
}

// fuzzer runs targets. The binary of a package is built once.
type fuzzer struct {
	*prover
	dir, corpus string
	length      time.Duration
	folder      string // of the last binary
	broken      string // why it could not be built
}

// run fuzzes one target, and returns what is wrong.
func (f *fuzzer) run(ctx context.Context, t target) (row, string) {
	x := row{name: t.name + " in " + strings.TrimPrefix(t.folder, "./"), status: broken}
	binary := filepath.Join(f.dir, "fuzz.test")
	if f.folder != t.folder {
		f.folder, f.broken = t.folder, ""
		if text, err := f.command(ctx, "test", "-c", "-vet=off", "-fuzz=.", "-o", binary, t.folder).CombinedOutput(); err != nil {
			f.broken = fmt.Sprintf("%v\n%s", err, text)
		}
	}
	if f.broken != "" {
		return x, f.broken
	}
	began := time.Now()
	text, err := f.once(ctx, binary, t)
	for range 2 {
		if err == nil || !cutOff(text) {
			break
		}
		text, err = f.once(ctx, binary, t)
	}
	x.took = time.Since(began)
	n := executions(text)
	x.figures = []figure{{"executions", n}}
	switch {
	case err != nil:
		return x, fmt.Sprintf("%v\n%s", err, text)
	case n == "0":
		return x, "it was not executed once\n" + text
	}
	x.status = held
	return x, ""
}

// once runs the binary.
func (f *fuzzer) once(ctx context.Context, binary string, t target) (string, error) {
	c := exec.CommandContext(ctx, binary, "-test.run", "^$", "-test.fuzz", "^"+t.name+"$",
		"-test.fuzztime", f.length.String(), "-test.fuzzcachedir", filepath.Join(f.corpus, module, t.folder))
	c.Dir, c.Env, c.WaitDelay = filepath.Join(f.root, t.folder), f.environment(), 10*time.Second
	ownGroup(c)
	text, err := c.CombinedOutput()
	killGroup(c)
	return string(text), err
}

// cutOff: the time was over while an input was being tried, which the fuzzer of
// Go before 1.27 takes for a failure now and then (go.dev/issue/75804). An input
// that fails is written down.
func cutOff(text string) bool {
	return strings.Contains(text, "context deadline exceeded") && !strings.Contains(text, "Failing input written")
}

// targets reads the output of go test -list: names, then the package they are
// in.
func targets(list string) []target {
	var all []target
	var names []string
	for line := range strings.SplitSeq(list, "\n") {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 1 && strings.HasPrefix(fields[0], "Fuzz"):
			names = append(names, fields[0])
		case len(fields) > 1 && fields[0] == "ok":
			for _, name := range names {
				all = append(all, target{"./" + strings.TrimPrefix(fields[1], module), name})
			}
			names = nil
		}
	}
	return all
}

// executions is the last number that the fuzzer has told.
func executions(text string) string {
	all := regexp.MustCompile(`execs: (\d+)`).FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return "0"
	}
	return all[len(all)-1][1]
}
