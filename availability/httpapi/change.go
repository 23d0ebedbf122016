package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const (
	// A change may take two failover periods, within these bounds: after that
	// no client waits for it any more.
	minChange = 10 * time.Second
	maxChange = 10 * time.Minute
	// writeWithin is how long an answer may take to be sent.
	writeWithin = 10 * time.Second
)

// change is an endpoint that changes something. What it does is given a
// context that ends in time, and returns what the client is told.
func change(do func(ctx context.Context, c *call, q url.Values) (done string, err error), query ...string) endpoint {
	return endpoint{scope: ScopeChange, do: func(ctx context.Context, c *call) error { return c.change(ctx, do, query) }}
}

func (c *call) change(ctx context.Context, do func(context.Context, *call, url.Values) (string, error), known []string) error {
	q, err := c.query(known)
	if err != nil {
		return err
	}
	within := min(max(2*c.group.Info().Configuration.AllowedAbsenceInterval, minChange), maxChange)
	// The server of the host may give an answer less time than a change takes.
	_ = http.NewResponseController(c.w).SetWriteDeadline(c.cfg.Clock.Now().Add(readWithin + within + writeWithin))
	waiting, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	done, err := do(waiting, c, q)
	if err != nil {
		return err
	}
	c.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "changed", append(c.attrs(), slog.String("text", done))...)
	c.answer(http.StatusOK, message{Message: done})
	return nil
}

// query returns the parameters. One that is not known, or there twice, might
// be a misspelt one that matters.
func (c *call) query(known []string) (url.Values, error) {
	q, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil, badQuery("The query of the URL cannot be read.")
	}
	for name, values := range q {
		if !slices.Contains(known, name) || len(values) > 1 {
			return nil, badQuery("The query of the URL has a parameter that is unknown here, or one twice. Nothing was done.")
		}
	}
	return q, nil
}

func badQuery(text string) *refusal {
	return &refusal{status: http.StatusBadRequest, reason: "query", text: text}
}
