package availability

import (
	"fmt"
	"slices"
)

// Bootstrap says what a node does by itself when the record of its group does
// not list it.
type Bootstrap int

// The ways to start.
const (
	// BootstrapManual: nothing. The node is in no group until it is told to
	// create or to join one. The default.
	BootstrapManual Bootstrap = iota
	// BootstrapJoin: the node joins the group, and waits for it to exist.
	BootstrapJoin
	// BootstrapCreate: the node joins the group, and creates it once it has
	// seen for an AllowedAbsenceInterval that there is none. So all nodes may
	// have the same configuration. A group that was dissolved is created again by
	// nobody but [Group.Create].
	BootstrapCreate
)

func bootstrapWords() []string { return []string{"manual", "join", "create"} }

func (b Bootstrap) valid() bool { return b >= BootstrapManual && b <= BootstrapCreate }

// String returns "manual", "join" or "create".
func (b Bootstrap) String() string {
	if !b.valid() {
		return fmt.Sprintf("Bootstrap(%d)", int(b))
	}
	return bootstrapWords()[b]
}

// MarshalText writes what String returns. It fails for a value that is none
// of the constants.
func (b Bootstrap) MarshalText() ([]byte, error) {
	if !b.valid() {
		return nil, fmt.Errorf("availability: no such bootstrap: %d", int(b))
	}
	return []byte(b.String()), nil
}

// UnmarshalText reads "manual", "join" or "create", exactly.
func (b *Bootstrap) UnmarshalText(text []byte) error {
	i := slices.Index(bootstrapWords(), string(text))
	if i < 0 {
		return fmt.Errorf("availability: bootstrap %q is none of manual, join, create", text)
	}
	*b = Bootstrap(i)
	return nil
}
