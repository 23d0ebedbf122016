package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

// metric is one value in the text format of Prometheus, version 0.0.4.
type metric struct {
	name, kind, help string
	value            float64
}

// metrics answers with all metrics of the group. The labels of the scrape tell
// nodes apart; only the role needs one of its own.
func metrics(_ context.Context, c *call) error {
	state := c.group.GetNodeState()
	var text bytes.Buffer
	text.WriteString("# HELP ag_node_role The role of the node: 1 for the present one.\n# TYPE ag_node_role gauge\n")
	for _, role := range []event.Role{event.RolePrimary, event.RoleSecondary, event.RoleNotInGroup} {
		fmt.Fprintf(&text, "ag_node_role{role=%q} %s\n", string(role), number(flag(state.NodeRole == role)))
	}
	for _, m := range append(gauges(state, c.group.Info()), counters(c.group.Stats())...) {
		fmt.Fprintf(&text, "# HELP %s %s\n# TYPE %s %s\n%s %s\n", m.name, m.help, m.name, m.kind, m.name, number(m.value))
	}
	c.w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(text.Bytes()) // a client that has gone needs no answer
	return nil
}

func gauges(s availability.NodeState, i availability.GroupInfo) []metric {
	seconds := func(t float64, none bool) float64 {
		if none {
			return 0
		}
		return t
	}
	return []metric{
		{"ag_term", "gauge", "The highest term the node knows of.", float64(s.Term)},
		{"ag_members", "gauge", "The members that the record lists, those included that are joining.", float64(len(i.Members))},
		{"ag_dns_connected", "gauge", "1 if the store answers.", flag(s.NodeDNSConnectionState == event.DNSConnected)},
		{"ag_heartbeat_direct", "gauge", "1 if the last heartbeat went from node to node.", flag(s.HeartbeatMethod == event.HeartbeatDirect)},
		{"ag_paused", "gauge", "1 if there is no automatic takeover at present.", flag(s.Paused)},
		{"ag_healthy", "gauge", "1 if the health check of the host succeeds.", flag(s.Healthy)},
		{
			"ag_last_heartbeat_timestamp_seconds", "gauge", "When the last heartbeat of the Primary was, 0 if there was none.",
			seconds(float64(s.LastHeartbeatTime.UnixMilli())/1e3, s.LastHeartbeatTime.IsZero()),
		},
		{
			"ag_authority_until_timestamp_seconds", "gauge", "When the authority of this Primary ends if nothing extends it, else 0.",
			seconds(float64(s.AuthorityUntil.UnixMilli())/1e3, s.AuthorityUntil.IsZero()),
		},
	}
}

func counters(s availability.Stats) []metric {
	count := func(name, help string, n uint64) metric {
		return metric{"ag_" + name + "_total", "counter", help, float64(n)}
	}
	return []metric{
		count("reads", "Reads of the record.", s.Reads),
		count("reads_failed", "Reads that were not answered.", s.ReadsFailed),
		count("writes", "Writes of the record.", s.Writes),
		count("write_conflicts", "Writes that a condition refused.", s.Conflicts),
		count("writes_refused", "Writes that the server refused for good.", s.Refused),
		count("writes_unknown", "Writes whose end was unknown.", s.Unknown),
		count("bad_records", "Reads of a record that cannot be used.", s.BadRecords),
		count("messages_sent", "Messages to peers.", s.Sent),
		count("messages_unanswered", "Messages to peers without an answer.", s.Unanswered),
		count("messages_received", "Messages of peers.", s.Received),
		count("messages_bad", "Messages of peers that were refused.", s.BadMessages),
		count("role_changes", "Changes of the role of this node.", s.RoleChanges),
		count("events_dropped", "Events that subscribers were too slow for.", s.EventsDropped),
		count("handler_panics", "Panics of handlers and hooks of the host.", s.HandlerPanics),
		{"ag_subscribers", "gauge", "Subscriptions to events.", float64(s.Subscribers)},
		{"ag_events_queued", "gauge", "Events that wait for handlers.", float64(s.EventsQueued)},
		{"ag_events_lag_seconds", "gauge", "How long ago the oldest event happened that waits.", s.EventsLag.Seconds()},
	}
}

func flag(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
