package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// entry is one thing that was done, and the term in which it was.
type entry struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Node string `json:"node"`
	Term uint64 `json:"term"`
}

// ledger is where the work is kept.
type ledger interface {
	// write returns errOldTerm if the entry was refused. After any other error
	// it may be there, or not.
	write(ctx context.Context, e entry) error
}

// errOldTerm: the ledger has an entry of a newer term, so this node is no
// longer Primary, whatever it knows. Nothing was written.
var errOldTerm = errors.New("the ledger has seen a newer term")

// newLedger takes a URL, or the name of a file.
func newLedger(where string) (ledger, error) {
	switch {
	case strings.HasPrefix(where, "http://"), strings.HasPrefix(where, "https://"):
		t := &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 15 * time.Second}
		return remote{where, &http.Client{Transport: t}}, nil
	case where != "":
		return file(where), nil
	}
	return nil, errors.New("ledger: needed, a URL or a file")
}

// remote is a ledger that compares terms: it keeps the highest that it has
// seen, and answers 409 to an older one. It does both in one transaction;
// examples/fencing has that for SQL and for object stores.
type remote struct {
	url    string
	client *http.Client
}

func (l remote) write(ctx context.Context, e entry) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := l.client.Do(r)
	if err != nil {
		return err // it may have arrived
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 4<<10)) // so that the connection can be used again
	switch answer.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusNoContent:
		return nil
	case http.StatusConflict:
		return errOldTerm
	}
	return fmt.Errorf("the ledger answers %s", answer.Status)
}

// file is a line for each entry. It compares no terms.
type file string

func (l file) write(_ context.Context, e entry) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(string(l), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Close())
}
