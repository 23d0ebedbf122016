package linear_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// The ends of a history: its mark comes after all that has returned, and what
// never returned comes whenever it likes.
const (
	endOfHistory = math.MaxInt64 - 2
	never        = math.MaxInt64
)

// history is all that has happened. It is safe for concurrent use.
type history struct {
	start time.Time

	mu    sync.Mutex
	calls []porcupine.Operation // guarded by mu
	count counts                // guarded by mu
}

// counts are of calls by what came of them.
type counts struct{ reads, failedReads, applied, conflicts, refused, unknown int }

func (c counts) calls() int {
	return c.reads + c.failedReads + c.applied + c.conflicts + c.refused + c.unknown
}

// shown tells whether enough has happened for a check to mean something.
func (c counts) shown() bool {
	return c.reads >= 20 && c.applied >= 10 && c.conflicts >= 2 && c.unknown >= 2
}

func newHistory() *history { return &history{start: time.Now()} }

func (h *history) now() int64 { return int64(time.Since(h.start)) }

func (h *history) soFar() counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}

// registers returns the calls for each register, each list with its end.
func (h *history) registers() map[string][]porcupine.Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := map[string][]porcupine.Operation{}
	for _, op := range h.calls {
		name := op.Input.(input).register
		all[name] = append(all[name], op)
	}
	for name := range all {
		all[name] = append(all[name], porcupine.Operation{
			Input: input{register: name}, Call: endOfHistory, Output: output{}, Return: endOfHistory + 1,
		})
	}
	return all
}

// recorder is a store that notes all calls of one client.
type recorder struct {
	below  dnsstore.Store
	client int
	to     *history
	// doubled: messages of this client are doubled on the way.
	doubled bool
}

var _ dnsstore.Store = (*recorder)(nil)

// Lookup reads and notes what was read. A failure says nothing, so there is
// nothing to note but that.
func (r *recorder) Lookup(ctx context.Context, k dnsstore.Key) (dnsstore.RRSet, error) {
	called := r.to.now()
	set, err := r.below.Lookup(ctx, k)
	returned := r.to.now()
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	if err != nil {
		r.to.count.failedReads++
		return set, err
	}
	r.to.count.reads++
	r.to.calls = append(r.to.calls, porcupine.Operation{
		ClientId: r.client, Call: called, Return: returned,
		Input: input{register: registerOf(k.Name), read: k.Type}, Output: output{data: partOf(set).data},
	})
	return set, nil
}

// Apply makes a change and notes it with its end.
func (r *recorder) Apply(ctx context.Context, c dnsstore.Change) error {
	in := input{register: registerOf(slices.Concat(c.If, c.Set)[0].Name)}
	for _, s := range c.If {
		in.ifs = append(in.ifs, partOf(s))
	}
	for _, s := range c.Set {
		in.set = append(in.set, partOf(s))
	}
	called := r.to.now()
	err := r.below.Apply(ctx, c)
	returned := r.to.now()
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	end := endOf(err)
	if end == conflict && r.doubled && len(c.Set) > 0 {
		end = outdone
	}
	r.to.noteLocked(porcupine.Operation{ClientId: r.client, Input: in, Call: called, Output: output{end: end}, Return: returned})
	return err
}

// noteLocked notes a call of Apply.
func (h *history) noteLocked(op porcupine.Operation) {
	switch op.Output.(output).end {
	case applied:
		h.count.applied++
	case conflict:
		h.count.conflicts++
	case outdone:
		h.count.conflicts++
		in := op.Input.(input)
		// An instant after the return: what was made and is gone does not come
		// back.
		h.calls = append(h.calls, porcupine.Operation{
			ClientId: op.ClientId, Input: input{register: in.register, gone: in.set[0].data},
			Call: op.Return + 1, Output: output{}, Return: op.Return + 1,
		})
	case refused:
		h.count.refused++
	case unknown:
		h.count.unknown++
		op.Return = never
	}
	h.calls = append(h.calls, op)
}

// endOf is what an error of Apply says by the contract of the store, and by
// that of package rfc2136 for what has not left the host.
func endOf(err error) ending {
	switch {
	case err == nil:
		return applied
	case errors.Is(err, dnsstore.ErrConflict):
		return conflict
	case errors.Is(err, dnsstore.ErrRefused), errors.Is(err, rfc2136.ErrNotSent):
		return refused
	}
	return unknown
}

// apart is the label of the names that have the TXT alone.
const apart = "_ag."

// registerOf returns the register that a name belongs to.
func registerOf(name string) string { return strings.TrimPrefix(name, apart) }
