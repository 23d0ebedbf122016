package objectfence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// ErrFenced: a newer term has written. Whoever gets it is not Primary any more,
// and nothing of what it tried was done.
var ErrFenced = errors.New("objectfence: a newer term has written")

// ErrNoTag: the store gives no strong entity tag, so nothing can be written
// under a condition.
var ErrNoTag = errors.New("objectfence: no strong entity tag")

// errChanged: somebody has written since the content was read.
var errChanged = errors.New("changed since it was read")

// limit bounds what is read of one object, in octets.
const limit = 16 << 20

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
// was the request to write that got no answer, the end is unknown. It tries as
// long as ctx lives.
func (o Object) Write(ctx context.Context, term uint64, change func(data json.RawMessage) (json.RawMessage, error)) error {
	for {
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
}

// Read returns the content; a zero one if there is no object.
func (o Object) Read(ctx context.Context) (Content, error) {
	c, _, err := o.read(ctx)
	return c, err
}

// read returns the content and its entity tag, which is empty if there is no
// object.
func (o Object) read(ctx context.Context) (Content, string, error) {
	answer, err := o.do(ctx, http.MethodGet, "", "", "")
	if err != nil {
		return Content{}, "", err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return Content{}, "", nil
	default:
		return Content{}, "", fmt.Errorf("read %s: %s", o.URL, answer.Status)
	}
	tag := answer.Header.Get("ETag")
	if !strings.HasPrefix(tag, `"`) {
		return Content{}, "", fmt.Errorf("%w: %s has %q", ErrNoTag, o.URL, tag)
	}
	var c Content
	if err := json.NewDecoder(io.LimitReader(answer.Body, limit)).Decode(&c); err != nil {
		return Content{}, "", fmt.Errorf("read %s: %w", o.URL, err)
	}
	return c, tag, nil
}

// put writes the content if the object still has that tag.
func (o Object) put(ctx context.Context, tag string, c Content) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write %s: %w", o.URL, err)
	}
	condition, value := "If-Match", tag
	if tag == "" {
		condition, value = "If-None-Match", "*"
	}
	answer, err := o.do(ctx, http.MethodPut, condition, value, string(body))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	switch code := answer.StatusCode; {
	case code == http.StatusOK, code == http.StatusCreated, code == http.StatusNoContent:
		return nil
	case code == http.StatusPreconditionFailed, code == http.StatusConflict, code == http.StatusNotFound && tag != "":
		return errChanged
	}
	return fmt.Errorf("write %s: %s", o.URL, answer.Status)
}

func (o Object) do(ctx context.Context, method, condition, value, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, o.URL, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if condition != "" {
		r.Header.Set(condition, value)
		r.Header.Set("Content-Type", "application/json")
	}
	client := o.Client
	if client == nil {
		client = http.DefaultClient
	}
	return client.Do(r)
}
