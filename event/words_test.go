package event_test

import (
	"testing"

	"github.com/availabilitygroup/ag/event"
)

// The words are those of BlueCat's API: other programs compare with them.
func TestWords(t *testing.T) {
	t.Parallel()
	got := map[string]string{
		"primary":        string(event.RolePrimary),
		"secondary":      string(event.RoleSecondary),
		"not_in_group":   string(event.RoleNotInGroup),
		"connected":      string(event.DNSConnected),
		"disconnected":   string(event.DNSDisconnected),
		"not_applicable": string(event.DNSNotApplicable),
		"direct":         string(event.HeartbeatDirect),
		"dns":            string(event.HeartbeatDNS),
	}
	for want, word := range got {
		if word != want {
			t.Errorf("word = %q, want %q", word, want)
		}
	}
	if event.NodeRoleChanged != "NODE_ROLE_CHANGED" {
		t.Errorf("NodeRoleChanged = %q", event.NodeRoleChanged)
	}
}
