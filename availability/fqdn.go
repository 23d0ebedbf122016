package availability

import (
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/internal/record"
)

// checkName returns what is wrong with a name of a group or a key, nothing if
// it is right.
func checkName(name string) string { return record.NameProblem(dnsstore.Canonical(name)) }
