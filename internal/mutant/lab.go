package mutant

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Lab runs mutants.
type Lab struct {
	// Root is the folder of the module, Dir one for what is built.
	Root, Dir string
	// Workers is how many killers run at a time, Limit how long one may take.
	Workers int
	Limit   time.Duration
	// Now is the clock that the runs are measured by.
	Now func() time.Time
	// Report is told each result as soon as there is one, one call at a time.
	// Nil: nobody is.
	Report func(Result)
}

// Run builds the test binaries and runs every mutant. The error is one of the
// building, or of ctx; it wraps [ErrTable] if the table is to blame. The
// results are in the order of the mutants.
func (l *Lab) Run(ctx context.Context, all []Mutant) ([]Result, error) {
	overlay, err := Overlay(l.Root, l.Dir, all)
	if err = errors.Join(err, partners(all)); err != nil {
		return nil, err
	}
	if err := l.build(ctx, overlay, Packages(all)); err != nil {
		return nil, err
	}
	healthy := l.healthy(ctx, all)
	results := make([]Result, len(all))
	var report sync.Mutex
	l.each(len(all), func(i int) {
		r := l.try(ctx, all[i], healthy)
		results[i] = r
		report.Lock()
		defer report.Unlock()
		if l.Report != nil && ctx.Err() == nil {
			l.Report(r)
		}
	})
	return results, ctx.Err()
}

// each calls do for the numbers below n, several at a time.
func (l *Lab) each(n int, do func(i int)) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range max(1, l.Workers) {
		workers.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
}

func (l *Lab) build(ctx context.Context, overlay string, folders []string) error {
	for _, folder := range folders {
		c := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", l.binary(folder), "./"+folder)
		c.Dir = l.Root
		if text, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s: %w\n%s", ErrTable, folder, err, text)
		}
	}
	return nil
}

func (l *Lab) binary(folder string) string {
	return filepath.Join(l.Dir, strings.ReplaceAll(folder, "/", "_")+".test")
}

// healthy runs every killer once without a mutant, and returns what is wrong
// with those that do not pass.
func (l *Lab) healthy(ctx context.Context, all []Mutant) map[killer]string {
	var killers []killer
	problems := make(map[killer]string)
	for _, m := range all {
		if _, known := problems[m.killer()]; !known && m.Killer != "" {
			problems[m.killer()] = ""
			killers = append(killers, m.killer())
		}
	}
	var mu sync.Mutex
	l.each(len(killers), func(i int) {
		if out, text := l.kill(ctx, killers[i]); out != Survived {
			mu.Lock()
			defer mu.Unlock()
			problems[killers[i]] = "without any mutant: " + text
		}
	})
	return problems
}

// killer is a test of a package.
type killer struct{ folder, test string }

func (m Mutant) killer() killer { return killer{m.Package, m.Killer} }

// try runs one mutant.
func (l *Lab) try(ctx context.Context, m Mutant, healthy map[killer]string) Result {
	began := l.Now()
	r := Result{Mutant: m}
	switch problem := healthy[m.killer()]; {
	case m.Equivalent != "":
		r.Outcome, r.Text = Equivalent, m.Equivalent
	case problem != "":
		r.Outcome, r.Text = Mistaken, problem
	case m.With != "":
		r.Outcome, r.Text = l.tryPair(ctx, m)
	default:
		r.Outcome, r.Text = l.kill(ctx, m.killer(), m.Number)
	}
	r.Took = l.Now().Sub(began)
	return r
}

// kill runs a killer with those mutants.
func (l *Lab) kill(ctx context.Context, k killer, active ...int) (Outcome, string) {
	slow, cancel := context.WithTimeout(ctx, 2*l.Limit) // the test ends itself before
	defer cancel()
	c := exec.CommandContext(slow, l.binary(k.folder), "-test.run", anchored(k.test), "-test.v", "-test.timeout", l.Limit.String())
	c.Dir = filepath.Join(l.Root, filepath.FromSlash(k.folder))
	c.Env = append(environment(), Selector+"="+strings.Trim(strings.Join(strings.Fields(fmt.Sprint(active)), ","), "[]"))
	text, err := c.CombinedOutput()
	return verdict(k.test, string(text), err)
}

// environment is that of this process, without what tests listen to.
func environment() []string {
	var all []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AG_") {
			all = append(all, v)
		}
	}
	return all
}

// anchored is the expression that matches that test alone.
func anchored(test string) string {
	parts := strings.Split(test, "/")
	for i, p := range parts {
		parts[i] = "^" + p + "$"
	}
	return strings.Join(parts, "/")
}

// verdict tells what the end of a killer says.
func verdict(test, text string, err error) (Outcome, string) {
	failed, isExit := errors.AsType[*exec.ExitError](err)
	switch {
	case !strings.Contains(text, "=== RUN   "+test+"\n"):
		return Mistaken, "there is no test " + test + "\n" + text
	case err == nil && strings.Contains(text, "--- PASS: "+test+" "):
		return Survived, text
	case err == nil:
		return Mistaken, test + " was skipped\n" + text
	case !isExit:
		return Mistaken, err.Error()
	case strings.Contains(text, "panic: test timed out"):
		return Hung, text
	case failed.ExitCode() == 1 && strings.Contains(text, "--- FAIL: "+test+" "):
		return Killed, text
	case strings.Contains(text, "\npanic: ") || strings.Contains(text, "\nfatal error: "):
		return Panicked, text
	}
	return Mistaken, failed.Error() + "\n" + text
}
