package availability

import "github.com/availabilitygroup/ag/event"

// GroupInfo is what a node knows about its group at one instant.
type GroupInfo struct {
	// Configuration is the settings in force, without the secret.
	Configuration Settings `json:"configuration"`
	// Members are the members that the record lists, sorted by ID.
	Members []Member `json:"members"`
	// State is the state of this node.
	State NodeState `json:"state"`
}

// Member is one node of the group, as the record lists it.
type Member struct {
	// ID is the node's ID.
	ID string `json:"id"`
	// Role is primary for the node that the record names, secondary for others.
	Role event.Role `json:"role"`
	// URL is scheme://address:port, where the node is reached.
	URL string `json:"url"`
	// Priority says which member is preferred as Primary; 0: never.
	Priority int `json:"priority"`
	// Joining: the Primary has yet to confirm the member.
	Joining bool `json:"joining"`
}

// Report is the result of a rehearsal: would a failover work now?
type Report struct {
	// OK: all checks are.
	OK bool `json:"ok"`
	// Checks are what was looked at, in a fixed order.
	Checks []Check `json:"checks"`
}

// Check is one thing that a failover needs.
type Check struct {
	// Name says what was looked at, in a word or two.
	Name string `json:"name"`
	// OK: it would not stand in the way of a failover.
	OK bool `json:"ok"`
	// Detail is what was found, Advice what to do about it.
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"`
}
