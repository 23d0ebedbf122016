package availability_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

func TestNodeState_MarshalJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2022, 11, 25, 19, 28, 24, 999_999_999, time.FixedZone("CET", 3600))
	for name, c := range map[string]struct {
		state availability.NodeState
		want  string
	}{
		"Primary": {
			availability.NodeState{
				NodeRole: event.RolePrimary, NodeDNSConnectionState: event.DNSConnected, HeartbeatMethod: event.HeartbeatDirect,
				LastHeartbeatTime: at, LastUpdated: at.Add(29 * time.Second), NodeID: "gw-a", PrimaryID: "gw-a", Term: 1795290771,
				AuthorityUntil: at.Add(40 * time.Second), Paused: true, Healthy: true,
			},
			`{"heartbeat_method":"direct","last_heartbeat_time":"2022-11-25T18:28:24+00:00","last_updated":"2022-11-25T18:28:53+00:00",` +
				`"node_dns_connection_state":"connected","node_role":"primary","node_id":"gw-a","primary_id":"gw-a","term":1795290771,` +
				`"authority_until":"2022-11-25T18:29:04+00:00","paused":true,"healthy":true}`,
		},
		"in no group": {
			availability.NodeState{NodeRole: event.RoleNotInGroup, NodeDNSConnectionState: event.DNSNotApplicable},
			`{"heartbeat_method":null,"last_heartbeat_time":null,"last_updated":null,` +
				`"node_dns_connection_state":"not_applicable","node_role":"not_in_group","node_id":null,"primary_id":null,"term":null,` +
				`"authority_until":null,"paused":false,"healthy":false}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(c.state)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Errorf("JSON mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
