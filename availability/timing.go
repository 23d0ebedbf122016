package availability

import (
	"fmt"
	"strconv"
	"time"

	"github.com/availabilitygroup/ag/internal/failover"
)

// Everything else that has to do with time follows from W, the
// AllowedAbsenceInterval. For clocks that run within ρ = 10 % of real time the
// Primary has stopped before anybody may take over, since
// lease/(1−ρ) + stopBudget ≤ W/(1+ρ).

// derived are the times that the machine takes from W.
func (t Timing) derived() failover.Timing { return failover.Timing{W: t.AllowedAbsenceInterval} }

// lease is L = 0.75·W, how long a confirmed renewal or a full set of promises
// lasts, counted from its send.
func (t Timing) lease() time.Duration { return t.derived().Lease() }

// stopBudget is δ = 0.075·W, how long before its authority ends a Primary
// stops.
func (t Timing) stopBudget() time.Duration { return t.derived().StopBudget() }

// attempt is U = W/15, the budget of one whole attempt to write the record,
// its read-back included.
func (t Timing) attempt() time.Duration { return t.derived().Attempt() }

// backOff is b = W/60, the pause after a failed attempt.
func (t Timing) backOff() time.Duration { return t.derived().BackOff() }

// longestReport is the longest HealthReportInterval that W allows, from
// R + 3·U + 2·b ≤ L − δ.
func (t Timing) longestReport() time.Duration { return t.derived().LongestReport() }

func checkAllowedAbsence(w time.Duration) string {
	return checkDuration(w, failover.MinAllowedAbsence, failover.MaxAllowedAbsence)
}

func checkInterval(d time.Duration) string {
	return checkDuration(d, failover.MinInterval, failover.MaxAllowedAbsence)
}

// checkDuration returns what is wrong with d, nothing if it is right.
func checkDuration(d, least, most time.Duration) string {
	switch {
	case d < least || d > most:
		return fmt.Sprintf("must be from %s to %s, is %s", seconds(least), seconds(most), seconds(d))
	case d%time.Millisecond != 0:
		return fmt.Sprintf("must be whole milliseconds, is %s", seconds(d))
	}
	return ""
}

// relateReport returns why R does not fit W, nothing if it does. The other
// relations are the same for C and the TTL.
func (t Timing) relateReport() string {
	if t.HealthReportInterval <= t.longestReport() {
		return ""
	}
	return fmt.Sprintf("must be at most %s with an allowed_absence_interval of %s, is %s: "+
		"a report and three attempts of %s to confirm it, with two pauses of %s, must fit into the lease of %s less %s to stop",
		seconds(t.longestReport().Truncate(time.Millisecond)), seconds(t.AllowedAbsenceInterval), seconds(t.HealthReportInterval),
		seconds(t.attempt().Round(time.Millisecond)), seconds(t.backOff().Round(time.Millisecond)),
		seconds(t.lease()), seconds(t.stopBudget()))
}

func (t Timing) relateCheck() string {
	if t.HealthCheckInterval <= t.AllowedAbsenceInterval {
		return ""
	}
	return fmt.Sprintf("must be at most the allowed_absence_interval of %s, is %s: "+
		"a Secondary has to look at the record within the failover period",
		seconds(t.AllowedAbsenceInterval), seconds(t.HealthCheckInterval))
}

func (t Timing) relateTTL(ttl time.Duration) string {
	if ttl <= t.AllowedAbsenceInterval {
		return ""
	}
	return fmt.Sprintf("must be at most the allowed_absence_interval of %s, is %s: "+
		"clients would look for the old Primary long after a failover",
		seconds(t.AllowedAbsenceInterval), seconds(ttl))
}

// seconds writes d for people.
func seconds(d time.Duration) string { return secondsNumber(d) + " s" }

// secondsNumber writes d as a number of seconds, exactly.
func secondsNumber(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
}
