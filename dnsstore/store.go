package dnsstore

import (
	"context"
	"errors"
	"time"
)

// Errors that a caller decides by. Only these two say that nothing was
// changed; every other error of Apply leaves the end unknown.
var (
	// ErrConflict: a condition of the change did not hold; nothing of it is there.
	ErrConflict = errors.New("dnsstore: condition not met")
	// ErrRefused: the server refused for a reason that sending again does not
	// mend (key, clock, zone, policy); nothing was changed.
	ErrRefused = errors.New("dnsstore: refused")
	// ErrUnknown: the change may or may not have been applied, or may yet be.
	ErrUnknown = errors.New("dnsstore: outcome unknown")
	// ErrUnfit: the server was reached, and does not keep what a Store
	// promises. A group must not be built on it. Stores that can tell return
	// it when they are probed, or when a read contradicts a condition.
	ErrUnfit = errors.New("dnsstore: the server is unfit to be an arbiter")
)

// Store is the arbiter of a group: a place where a few records are read and
// changed atomically. All methods are safe for concurrent use and return
// promptly when ctx ends.
type Store interface {
	// Lookup reads one RRset at the primary master, never from a cache. That
	// there is none is no error: the RRSet then has no Data. Any error means
	// "no answer", and says nothing about the data.
	Lookup(ctx context.Context, k Key) (RRSet, error)
	// Apply makes a conditional change: all of it or nothing, durable before
	// it returns nil. An error that wraps ErrConflict or ErrRefused says that
	// nothing of it is there, nor will be; every other error (ErrUnknown, the
	// context's own) says that the change may have been applied, or may yet be,
	// even after the call has returned.
	Apply(ctx context.Context, c Change) error
}

// Key names an RRset.
type Key struct {
	// Name is absolute, in lower case and without the final dot.
	Name string
	// Type is one of TXT, A, AAAA, CNAME, SOA.
	Type string
}

// RRSet is the set of records at a key.
type RRSet struct {
	Key
	// TTL is the time to live, whole seconds. It is no part of a condition.
	TTL time.Duration
	// Data has one element per record in presentation form, as `dig +short`
	// prints it: TXT strings in quotes and separated by a blank, addresses
	// bare. Their order means nothing. None: the RRset does not exist.
	Data []string
}

// Change is what Apply does, atomically.
type Change struct {
	// If are the conditions: the RRset has exactly this data; without data:
	// there is no such RRset.
	If []RRSet
	// Set are the new contents: the RRset is replaced; without data: deleted.
	Set []RRSet
}

// Access is what a store is opened with.
type Access struct {
	// FQDN is the name of the group.
	FQDN string
	// TSIGName, TSIGAlgorithm and TSIGSecret are the key (RFC 8945), the
	// secret in base64 as in a key file.
	TSIGName, TSIGAlgorithm string
	TSIGSecret              Secret
}
