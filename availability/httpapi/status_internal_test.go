package httpapi

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

func TestAgo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	for before, want := range map[time.Duration]string{
		0: "0 s ago", 999 * time.Millisecond: "0 s ago", 59 * time.Second: "59 s ago", time.Minute: "1 min ago",
		61 * time.Second: "1 min 1 s ago", 2*time.Hour + 5*time.Minute + 7*time.Second: "2 h 5 min ago",
		24 * time.Hour: "1 d ago", 49 * time.Hour: "2 d 1 h ago", -41 * time.Second: "in 41 s",
	} {
		if got := ago(now, now.Add(-before)); got != want {
			t.Errorf("%v before: %q, want %q", before, got, want)
		}
	}
}

// Since when the Primary is that, as far as a node can know.
func TestPrimarySince(t *testing.T) {
	t.Parallel()
	at := func(minute int) event.Header {
		return event.Header{At: time.Date(2026, 11, 22, 3, minute, 0, 0, time.UTC)}
	}
	history := []event.Event{
		event.PauseChange{Header: at(1)},
		event.PrimaryChange{Header: at(2), New: "a"},
		event.RoleChange{Header: at(3), New: event.RoleSecondary},
		event.PrimaryChange{Header: at(4), Previous: "a", New: "b"},
		event.RoleChange{Header: at(5), New: event.RolePrimary},
		event.PauseChange{Header: at(6)},
	}
	for name, tt := range map[string]struct {
		state   availability.NodeState
		history []event.Event
		minute  int // 0: not known
		atLeast bool
	}{
		"Primary":          {availability.NodeState{NodeRole: event.RolePrimary, NodeID: "b", PrimaryID: "b"}, history, 5, false},
		"Secondary":        {availability.NodeState{NodeRole: event.RoleSecondary, NodeID: "a", PrimaryID: "b"}, history, 4, false},
		"heard at first":   {availability.NodeState{NodeRole: event.RoleSecondary, NodeID: "c", PrimaryID: "a"}, history[:3], 2, true},
		"longer ago":       {availability.NodeState{NodeRole: event.RoleSecondary, NodeID: "c", PrimaryID: "d"}, history, 1, true},
		"no Primary":       {availability.NodeState{NodeRole: event.RoleSecondary, NodeID: "c"}, history, 0, false},
		"in no group":      {availability.NodeState{NodeRole: event.RoleNotInGroup}, history, 0, false},
		"nothing happened": {availability.NodeState{NodeRole: event.RoleSecondary, PrimaryID: "a"}, nil, 0, false},
	} {
		since, atLeast := primarySince(tt.state, tt.history)
		var want time.Time
		if tt.minute > 0 {
			want = at(tt.minute).At
		}
		if !since.Equal(want) || atLeast != tt.atLeast {
			t.Errorf("%s: since %v, at least %t; want %v, %t", name, since, atLeast, want, tt.atLeast)
		}
	}
}

// The worst comes first, with the words and the time of the last event of its
// kind.
func TestAlarms(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	head := event.Header{At: at}
	lost := event.HeartbeatLoss{Header: head}
	all := availability.NodeState{
		NodeRole: event.RoleSecondary, NodeDNSConnectionState: event.DNSDisconnected, Paused: true,
	}
	var titles []string
	for _, a := range alarms(all, []event.Event{
		event.DNSConnectionChange{Header: head, New: event.DNSDisconnected, Problem: "timeout"},
		event.HealthChange{Header: head, Problem: "disk full"},
		lost,
		event.PauseChange{Header: head, Paused: true},
	}) {
		titles = append(titles, a.Title+": "+a.Text)
		if a.Since.IsZero() == (a.Title != "No Primary is known") || a.Advice == "" {
			t.Errorf("%+v", a)
		}
	}
	want := []string{
		"No Primary is known: ", "DNS gives this node no usable answer: timeout", "The Primary is not heard: ",
		"The program says that this node is unhealthy: disk full", "Automatic takeover is paused: ",
	}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Errorf("alarms: mismatch (-want +got):\n%s", diff)
	}
	well := availability.NodeState{NodeRole: event.RoleSecondary, PrimaryID: "a", NodeDNSConnectionState: event.DNSConnected, Healthy: true}
	for _, end := range []event.Event{event.HeartbeatReturn{}, event.PrimaryChange{New: "a"}} {
		if got := alarms(well, []event.Event{lost, end}); len(got) > 0 {
			t.Errorf("after %T: %+v", end, got)
		}
	}
}

// The page listens to each event there is.
func TestStatusView_EventIDs(t *testing.T) {
	t.Parallel()
	if got := len(strings.Fields(newStatusView(time.Now(), availability.GroupInfo{}, nil).EventIDs)); got != len(event.IDs()) {
		t.Errorf("%d IDs, there are %d", got, len(event.IDs()))
	}
}
