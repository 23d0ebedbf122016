package httpapi

import (
	"slices"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

// alarms are what the state says is wrong or unusual, the worst first. The
// history adds the words of whoever found it, and since when.
func alarms(s availability.NodeState, history []event.Event) []alarm {
	var found []alarm
	if s.NodeRole == event.RoleSecondary && s.PrimaryID == "" {
		found = append(found, alarm{Kind: "bad", Title: "No Primary is known", Advice: "Nobody may serve until there is one. Look at DNS and at the other members."})
	}
	if s.NodeDNSConnectionState == event.DNSDisconnected {
		a := alarm{
			Kind: "bad", Title: "DNS gives this node no usable answer",
			Advice: "The Primary goes on while all members hear it and promise; a takeover needs DNS. Look at the DNS server, and at the way to it.",
		}
		found = append(found, a.told(history, func(e event.Event) (string, bool) {
			c, ok := e.(event.DNSConnectionChange)
			return c.Problem, ok && c.New == event.DNSDisconnected
		}))
	}
	if s.NodeRole == event.RoleSecondary && unheard(history) {
		a := alarm{Kind: "bad", Title: "The Primary is not heard", Advice: "If that lasts for the failover period, a member takes over, unless the group is paused."}
		found = append(found, a.told(history, func(e event.Event) (string, bool) {
			_, ok := e.(event.HeartbeatLoss)
			return "", ok
		}))
	}
	if !s.Healthy {
		a := alarm{Kind: "bad", Title: "The program says that this node is unhealthy", Advice: "It does not take over; a Primary hands over if it can."}
		found = append(found, a.told(history, func(e event.Event) (string, bool) {
			h, ok := e.(event.HealthChange)
			return h.Problem, ok && !h.Healthy
		}))
	}
	if s.Paused {
		a := alarm{Title: "Automatic takeover is paused", Advice: "If the Primary fails, nobody takes over. A failover that somebody asks for works. To end the pause: DELETE api/v1/group/pause."}
		found = append(found, a.told(history, func(e event.Event) (string, bool) {
			p, ok := e.(event.PauseChange)
			return "", ok && p.Paused
		}))
	}
	return found
}

// told adds what the newest event of the kind says.
func (a alarm) told(history []event.Event, of func(event.Event) (problem string, ok bool)) alarm {
	for _, e := range slices.Backward(history) {
		if problem, ok := of(e); ok {
			a.Text, a.Since = problem, e.Meta().At
			return a
		}
	}
	return a
}

// unheard tells whether the Primary has been lost and not been heard again.
func unheard(history []event.Event) bool {
	for _, e := range slices.Backward(history) {
		switch e.(type) {
		case event.HeartbeatLoss:
			return true
		case event.HeartbeatReturn, event.PrimaryChange:
			return false
		default:
		}
	}
	return false
}
