package event_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/event"
)

func header(id event.ID) event.Header {
	return event.Header{
		ID: id, Seq: 3, At: time.Date(2026, 11, 21, 20, 12, 50, 0, time.UTC),
		Group: "gw.example.net", Node: "gw-a", Term: 7,
	}
}

// everyEvent has one event of each kind, every field set, in the order of
// event.IDs.
func everyEvent() []event.Event {
	at := time.Date(2026, 11, 21, 20, 12, 0, 0, time.UTC)
	return []event.Event{
		event.RoleChange{Header: header(event.NodeRoleChanged), Previous: event.RoleSecondary, New: event.RolePrimary, Cause: event.CauseHandover},
		event.PrimaryChange{Header: header(event.PrimaryChanged), Previous: "gw-a", New: "gw-b"},
		event.DNSConnectionChange{Header: header(event.DNSConnectionChanged), Previous: event.DNSConnected, New: event.DNSDisconnected, Problem: "timeout"},
		event.HeartbeatMethodChange{Header: header(event.HeartbeatMethodChanged), Previous: event.HeartbeatDirect, New: event.HeartbeatDNS},
		event.HeartbeatLoss{Header: header(event.HeartbeatLost), Peer: "gw-b", Last: at},
		event.HeartbeatReturn{Header: header(event.HeartbeatRestored), Peer: "gw-b", Last: at},
		event.AuthorityRisk{Header: header(event.AuthorityAtRisk), Until: at},
		event.MembersChange{Header: header(event.MembersChanged), Members: []string{"gw-a"}, Joining: []string{"gw-b"}},
		event.ConfigurationChange{Header: header(event.ConfigurationChanged), Fields: []string{"group_fqdn_ttl"}},
		event.PauseChange{Header: header(event.PauseChanged), Paused: true},
		event.HealthChange{Header: header(event.HealthChanged), Healthy: true, Problem: "disk full"},
		event.FailoverResult{
			Header: header(event.FailoverFinished), From: "gw-a", To: "gw-b",
			Cause: event.CauseForced, Reason: "power cut", Problem: "refused",
		},
		event.Conflict{Header: header(event.ConflictDetected), Problem: "two records"},
		event.HostRecordRepair{Header: header(event.HostRecordRepaired), Found: []string{"192.0.2.9"}, Set: []string{"192.0.2.1"}},
		event.ClockSkew{Header: header(event.ClockSkewDetected), Peer: "ns1", Ahead: -time.Minute},
	}
}

func TestEvent_MetaIsTheHeader(t *testing.T) {
	t.Parallel()
	for i, e := range everyEvent() {
		if diff := cmp.Diff(header(event.IDs()[i]), e.Meta()); diff != "" {
			t.Errorf("%T: Meta mismatch (-want +got):\n%s", e, diff)
		}
	}
}

// A Header alone must not pass for an event: only the structs are sealed.
func TestEvent_HeaderIsNoEvent(t *testing.T) {
	t.Parallel()
	if _, ok := any(event.Header{}).(event.Event); ok {
		t.Error("a Header is an Event")
	}
}

func TestEvent_JSONKeysAreSnakeCase(t *testing.T) {
	t.Parallel()
	snake := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for _, e := range everyEvent() {
		var object map[string]json.RawMessage
		unmarshal(t, marshal(t, e), &object)
		// The header's six keys stand beside the event's own, not in an object of their own.
		if want := 6 + reflect.TypeOf(e).NumField() - 1; len(object) != want {
			t.Errorf("%T: %d keys, want %d: %s", e, len(object), want, marshal(t, e))
		}
		for key := range object {
			if !snake.MatchString(key) {
				t.Errorf("%T: key %q is not in snake case", e, key)
			}
		}
	}
}

func TestEvent_JSONOfARoleChange(t *testing.T) {
	t.Parallel()
	want := `{"id":"NODE_ROLE_CHANGED","seq":3,"at":"2026-11-21T20:12:50Z","group":"gw.example.net","node":"gw-a","term":7,` +
		`"previous":"secondary","new":"primary","cause":"handover"}`
	if diff := cmp.Diff(want, string(marshal(t, everyEvent()[0]))); diff != "" {
		t.Errorf("JSON mismatch (-want +got):\n%s", diff)
	}
}

func TestEvent_JSONRoundTrip(t *testing.T) {
	t.Parallel()
	for _, e := range everyEvent() {
		back := reflect.New(reflect.TypeOf(e))
		unmarshal(t, marshal(t, e), back.Interface())
		if diff := cmp.Diff(any(e), back.Elem().Interface()); diff != "" {
			t.Errorf("%T: round trip mismatch (-want +got):\n%s", e, diff)
		}
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("marshal %T: %v", v, err)
	}
	return text
}

func unmarshal(t *testing.T, text []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("unmarshal %s: %v", text, err)
	}
}
