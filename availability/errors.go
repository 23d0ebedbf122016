package availability

import (
	"errors"
	"fmt"
	"strings"
)

// Errors that a caller decides by. Those of the verbs may be wrapped in an
// error that says more; use [errors.Is].
var (
	// ErrInGroup: the node is a member of a group. From Create, Join and
	// Preconfigure.
	ErrInGroup = errors.New("availability: the node is in a group")
	// ErrNotInGroup: the node is a member of no group. From Leave, Dissolve,
	// Remove, Failover, Pause, Resume, Configure and VerifyPrimary.
	ErrNotInGroup = errors.New("availability: the node is in no group")
	// ErrGroupExists: there is a group at the FQDN already. From Create.
	ErrGroupExists = errors.New("availability: the group exists")
	// ErrHostRecordExists: the FQDN has addresses that are none of this
	// node's; AdoptHostRecord replaces them. From Create.
	ErrHostRecordExists = errors.New("availability: the FQDN has addresses of others")
	// ErrNoGroup: there is no group at the FQDN. From Join.
	ErrNoGroup = errors.New("availability: there is no group at the FQDN")
	// ErrMemberExists: the group has another member with this node's ID. From
	// Join.
	ErrMemberExists = errors.New("availability: the group has a member of this ID")
	// ErrTooManyMembers: the group's record has no room for another member.
	// From Join.
	ErrTooManyMembers = errors.New("availability: the group has as many members as fit")
	// ErrNotPrimary: the node is not Primary. From VerifyPrimary, and the
	// cause with which the context of PrimaryContext ends.
	ErrNotPrimary = errors.New("availability: the node is not Primary")
	// ErrUnknownMember: the group has no member of that ID. From Remove and
	// from Failover with To.
	ErrUnknownMember = errors.New("availability: no such member")
	// ErrNoTarget: no member can take the role over; the error that wraps it
	// tells why each of them can not. From Failover.
	ErrNoTarget = errors.New("availability: no member can take over")
	// ErrPrimaryAlive: the Primary answers, so its place cannot be taken by
	// force. From Failover with Force.
	ErrPrimaryAlive = errors.New("availability: the Primary is alive")
	// ErrPrimaryUnreachable: the Primary, who has to carry the request out,
	// does not answer; the error that wraps it tells what can be done instead.
	// From the verbs on a Secondary.
	ErrPrimaryUnreachable = errors.New("availability: the Primary does not answer")
	// ErrStoreUnreachable: the store, the DNS server of the group, does not
	// give a usable answer; the error that wraps it says which. From the verbs.
	ErrStoreUnreachable = errors.New("availability: the store gave no usable answer")
	// ErrBadRequest: the request makes no sense, whatever the state; the error
	// that wraps it says why. From Failover, with Force and without a reason or
	// at another node than the one that shall take over; from Remove of the
	// Primary itself; from Create, Join and Configure with settings that open no
	// store; from verbs with a reason or an ID that is too long; from
	// RunWhilePrimary without a function.
	ErrBadRequest = errors.New("availability: bad request")
	// ErrBusy: 64 requests wait already, here or at the Primary. From the verbs;
	// ask again later.
	ErrBusy = errors.New("availability: too many requests wait")
	// ErrNotRunning: Run has returned, or the context ended while the verb
	// waited for Run to be called. From the verbs.
	ErrNotRunning = errors.New("availability: the group is not running")
	// ErrStateLocked: another live process, or another Group of this one, uses
	// the state directory. From Run.
	ErrStateLocked = errors.New("availability: the state directory is in use")
)

// ConfigError tells everything that is wrong with a configuration. From New,
// Create, Join, Configure and Preconfigure, and from decoding Settings; after
// it nothing has changed.
type ConfigError struct {
	// Fields are the mistakes, in the order of the JSON keys of Settings, then
	// of the rest. At most one for each field.
	Fields []FieldError `json:"fields"`
}

// FieldError is one mistake in a configuration.
type FieldError struct {
	// Field is the JSON key of the field, as "group_fqdn_ttl"; empty if the
	// mistake is the whole.
	Field string `json:"field"`
	// Problem says what is wrong, and what would be right.
	Problem string `json:"problem"`
}

// Error lists all the mistakes in one line.
func (e *ConfigError) Error() string {
	problems := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		problems[i] = f.Problem
		if f.Field != "" {
			problems[i] = f.Field + ": " + f.Problem
		}
	}
	return fmt.Sprintf("availability: wrong configuration: %s", strings.Join(problems, "; "))
}

// configError returns fields as an error, nil if there are none.
func configError(fields []FieldError) error {
	if len(fields) == 0 {
		return nil
	}
	return &ConfigError{Fields: fields}
}
