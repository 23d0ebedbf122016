package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// limit bounds the whole story.
const limit = time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fencing:", err)
		os.Exit(1)
	}
}

// run tells the story, and returns nil only if it was as it should be.
func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errors.New("the minute is over"))
	defer cancel()
	s, err := newStory(ctx, out)
	if err != nil {
		return err
	}
	defer s.close()
	return s.tell(ctx)
}
