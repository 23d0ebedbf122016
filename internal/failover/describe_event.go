package failover

import (
	"fmt"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/event"
)

// DescribeEvent returns e as one line, without what all events have in common.
func DescribeEvent(e event.Event) string {
	switch e := e.(type) {
	case event.RoleChange:
		return fmt.Sprintf("role %s -> %s (%s)", orNone(string(e.Previous)), e.New, e.Cause)
	case event.PrimaryChange:
		return fmt.Sprintf("primary %s -> %s", orNone(e.Previous), orNone(e.New))
	case event.DNSConnectionChange:
		return fmt.Sprintf("dns %s -> %s", e.Previous, e.New) + because(e.Problem)
	case event.HeartbeatMethodChange:
		return fmt.Sprintf("heartbeats %s -> %s", e.Previous, e.New)
	case event.HeartbeatLoss:
		return "hears nothing of " + e.Peer
	case event.HeartbeatReturn:
		return "hears " + e.Peer + " again"
	case event.FailoverResult:
		return describeResult(e)
	default:
		return describeRare(e)
	}
}

// describeRare describes the events that have to do with people.
func describeRare(e event.Event) string {
	switch e := e.(type) {
	case event.AuthorityRisk:
		return fmt.Sprintf("authority at risk, %v left", e.Until.Sub(e.At).Round(time.Millisecond))
	case event.MembersChange:
		text := "members " + orNone(strings.Join(e.Members, ","))
		return text + mark(" joining "+strings.Join(e.Joining, ","), len(e.Joining) > 0)
	case event.ConfigurationChange:
		return "configuration " + strings.Join(e.Fields, ",")
	case event.PauseChange:
		if e.Paused {
			return "paused"
		}
		return "resumed"
	case event.HealthChange:
		return healthText(e.Healthy, e.Problem)
	case event.Conflict:
		return "conflict" + because(e.Problem)
	case event.HostRecordRepair:
		return fmt.Sprintf("host record %s -> %s", orNone(strings.Join(e.Found, ",")), orNone(strings.Join(e.Set, ",")))
	case event.ClockSkew:
		return fmt.Sprintf("the clock of %s is %v ahead", e.Peer, e.Ahead)
	default:
		return "nothing"
	}
}

func describeResult(e event.FailoverResult) string {
	text := fmt.Sprintf("failover %s -> %s (%s)", orNone(e.From), orNone(e.To), e.Cause)
	if e.Problem != "" {
		return text + " failed" + because(e.Problem)
	}
	return text + because(e.Reason)
}
