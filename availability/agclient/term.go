package agclient

import (
	"net/http"
	"strconv"

	"github.com/availabilitygroup/ag/internal/record"
)

// The headers that nodes and clients of a group exchange; package httpapi has
// the other end.
const (
	// headerTerm is the highest term that the sender knows, in decimal.
	headerTerm = "Ag-Term"
	// headerRole is the role of the node that answers.
	headerRole = "Ag-Role"
)

// termOf is the term in an answer, 0 if there is none that makes sense.
func termOf(h http.Header) uint64 {
	n, err := strconv.ParseUint(h.Get(headerTerm), 10, 64)
	if err != nil || n > record.MaxNumber {
		return 0
	}
	return n
}
