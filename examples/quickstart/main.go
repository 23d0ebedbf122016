// Command quickstart shows an availability group at work, with nothing to
// install and nothing to configure:
//
//	go run ./examples/quickstart
//
// It starts an authoritative DNS server in this process and two nodes in
// processes of their own, and lets a client call the group by its name, as
// the server resolves it. Then it kills the Primary with SIGKILL, shows how
// the other node takes the name over, starts the killed one again, and hands
// the role over and back by plan. It ends within a minute, with exit code 0
// only if all of that was seen to happen and two Primaries never were.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// limit bounds the whole show.
const limit = time.Minute

func main() {
	node := flag.Bool("node", false, "be a node; the quickstart starts itself with this")
	flag.Parse()
	if *node {
		exit(runNode(context.Background(), os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errors.New("the minute is over"))
	defer cancel()
	exit(runShow(ctx, os.Stdout))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
