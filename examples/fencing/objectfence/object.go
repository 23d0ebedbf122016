package objectfence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// ErrFenced: a newer term has written. Whoever gets it is not Primary any more,
// and nothing of what it tried was done.
var ErrFenced = errors.New("objectfence: a newer term has written")

// ErrBusy: the store has refused one write after the other, each made from a
// content that was no longer there. Nothing was done. Others write all the
// time, or a cache answers the reads.
var ErrBusy = errors.New("objectfence: the object is never as it was read")

// tries are those of one write.
const tries = 12

// Object is an object with a term. It has no state, so it may be copied, and
// used by any number of goroutines.
type Object struct {
	// URL is where it is read and written.
	URL string
	// Client makes the requests; nil: [http.DefaultClient].
	Client *http.Client
}

// Content is what the object contains, as JSON. Data is the program's own; it
// is nil before the first write.
type Content struct {
	Term uint64          `json:"term"`
	Data json.RawMessage `json:"data,omitempty"`
}

// Claim writes the term into the object, so that older ones are refused from
// here on. A tenure begins with it. It returns what Write returns.
func (o Object) Claim(ctx context.Context, term uint64) error {
	return o.Write(ctx, term, func(data json.RawMessage) (json.RawMessage, error) { return data, nil })
}

// Write replaces the data by what change makes of it, unless a newer term has
// written. Change is called again, with the newer data, each time somebody else
// was quicker. The term is that of the tenure, from Guard or RunWhilePrimary,
// and never one that was asked for later. Write returns an error that wraps
// [ErrFenced] or [ErrNoTag], what change returns, or that of a request; if it
// was the request to write that got no answer, the end is unknown. It tries a
// dozen times within a few seconds, and then returns one that wraps [ErrBusy].
func (o Object) Write(ctx context.Context, term uint64, change func(data json.RawMessage) (json.RawMessage, error)) error {
	for try := range tries {
		if err := pause(ctx, try); err != nil {
			return err
		}
		old, tag, err := o.read(ctx)
		if err != nil {
			return err
		}
		if old.Term > term {
			return fmt.Errorf("%w: term %d, and we have %d", ErrFenced, old.Term, term)
		}
		data, err := change(old.Data)
		if err != nil {
			return err
		}
		if err := o.put(ctx, tag, Content{Term: term, Data: data}); !errors.Is(err, errChanged) {
			return err
		}
	}
	return fmt.Errorf("%w: write %s: given up after %d tries", ErrBusy, o.URL, tries)
}

// Read returns the content; a zero one if there is no object.
func (o Object) Read(ctx context.Context) (Content, error) {
	c, _, err := o.read(ctx)
	return c, err
}
