package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// The exit statuses. A process manager need not start a node again whose
// configuration is wrong.
const (
	exitClean  = 0
	exitFailed = 1
	exitMisuse = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

func run(args []string, output io.Writer) int {
	o, err := parseOptions(args, output)
	if errors.Is(err, flag.ErrHelp) {
		return exitClean
	}
	if err != nil {
		fmt.Fprintln(output, "node:", err)
		return exitMisuse
	}
	log := o.logger(output)
	n, err := newNode(o, log)
	if err != nil {
		fmt.Fprintln(output, "node:", err)
		return exitMisuse
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := n.run(ctx); err != nil {
		log.Error("the node has failed", slog.String("err", err.Error()))
		return exitFailed
	}
	return exitClean
}
