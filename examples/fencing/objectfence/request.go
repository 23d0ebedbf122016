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

// ErrNoTag: the store gives no strong entity tag, so nothing can be written
// under a condition.
var ErrNoTag = errors.New("objectfence: no strong entity tag")

// errChanged: somebody has written since the content was read.
var errChanged = errors.New("changed since it was read")

// limit bounds what is read of one object, in octets.
const limit = 16 << 20

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
	if method == http.MethodGet {
		r.Header.Set("Cache-Control", "no-cache") // the tag of an older content is good for nothing
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
