package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(1)
	}
}

// errNotProved: something does not hold. The output has said what.
var errNotProved = errors.New("not everything holds")

// options are the flags.
type options struct {
	only, out     string
	nightly, list bool
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("prove", flag.ContinueOnError)
	f.StringVar(&o.only, "only", "", "the `sections` to run, with commas between them; all without")
	f.StringVar(&o.out, "out", "", "write the table to a `file` as well")
	f.BoolVar(&o.nightly, "nightly", false, "run the large sets, which take hours")
	f.BoolVar(&o.list, "list", false, "list the sections and do nothing")
	return o, f.Parse(args)
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	chosen, err := choose(sections(), o.only)
	if err != nil {
		return err
	}
	if o.list {
		for _, s := range chosen {
			fmt.Fprintf(out, "%-16s %s\n", s.name, s.shows)
		}
		return nil
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	p := &prover{root: root, out: out, nightly: o.nightly, done: make(map[testID]outcome)}
	return p.proof(ctx, chosen, o, args)
}

// proof runs the sections and writes the table.
func (p *prover) proof(ctx context.Context, chosen []section, o options, args []string) error {
	limit := fastLimit
	if o.nightly {
		limit = nightlyLimit
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	r := report{date: began, command: strings.Join(append([]string{"go run ./internal/prove"}, args...), " ")}
	for _, s := range chosen {
		r.parts = append(r.parts, p.section(bounded, s))
	}
	r.took = time.Since(began)
	if err := ctx.Err(); err != nil {
		return err
	}
	text := r.markdown()
	fmt.Fprintf(p.out, "\n%s", text)
	if o.out != "" {
		if err := os.WriteFile(o.out, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if !r.holds() {
		return errNotProved
	}
	return nil
}

// The time that a run may take.
const (
	fastLimit    = 10 * time.Minute
	nightlyLimit = 12 * time.Hour
)

// choose returns the sections of those names, in the order of the table.
func choose(all []section, only string) ([]section, error) {
	if only == "" {
		return all, nil
	}
	names := strings.Split(only, ",")
	for _, name := range names {
		if !slices.ContainsFunc(all, func(s section) bool { return s.name == name }) {
			return nil, fmt.Errorf("there is no section %q; see -list", name)
		}
	}
	return slices.DeleteFunc(all, func(s section) bool { return !slices.Contains(names, s.name) }), nil
}
