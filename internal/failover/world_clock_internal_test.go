package failover

import (
	"time"

	"github.com/availabilitygroup/ag/internal/twoclocks"
)

// reading is what a system's clock returns. That it can be made, twoclocks
// makes sure of.
func reading(wall time.Time, mono time.Duration) time.Time {
	t, _ := twoclocks.Reading(wall, mono)
	return t
}
