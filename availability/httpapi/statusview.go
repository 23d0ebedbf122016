package httpapi

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/failover"
)

// statusView is what the status page shows. All of it is text to be escaped.
type statusView struct {
	Now                time.Time
	Title, Group, Node string
	EventIDs           string // that the page listens to, with blanks between them
	Role               event.Role
	Word, Headline     string
	Since              time.Time // of the present Primary; zero: not known
	AtLeast            bool      // it may have been that before
	Alarms             []alarm
	Facts              []fact
	Members            []memberView
	Events             []eventView
	Settings           []fact
}

// alarm is what an operator should know first.
type alarm struct {
	Kind        string // bad, or empty: as somebody wanted it
	Title, Text string // the text is somebody else's
	Since       time.Time
	Advice      string
}

type fact struct {
	Name, Value string
	At          time.Time
	More        string
	Bad         bool
}

type memberView struct {
	availability.Member
	Role string
	Here bool
}

type eventView struct {
	At   time.Time
	Text string
}

// maxEvents is how many events the page shows; the history has more.
const maxEvents = 20

func newStatusView(now time.Time, i availability.GroupInfo, history []event.Event) statusView {
	s, c := i.State, i.Configuration
	v := statusView{
		Now: now, Group: c.GroupFQDN, Node: s.NodeID, EventIDs: eventIDs(),
		Role: s.NodeRole, Word: roleWord(s.NodeRole), Headline: headline(s),
		Alarms: alarms(s, history), Facts: facts(now, s), Settings: settingFacts(c),
	}
	v.Title = strings.Join(slices.DeleteFunc([]string{v.Word, v.Node, v.Group}, func(text string) bool { return text == "" }), " · ")
	v.Since, v.AtLeast = primarySince(s, history)
	for _, m := range i.Members {
		role := roleWord(m.Role)
		if m.Joining {
			role = "Joining"
		}
		v.Members = append(v.Members, memberView{Member: m, Role: role, Here: m.ID == s.NodeID})
	}
	for _, e := range slices.Backward(history) {
		if len(v.Events) == maxEvents {
			break
		}
		v.Events = append(v.Events, eventView{e.Meta().At, strings.ReplaceAll(failover.DescribeEvent(e), "->", "→")})
	}
	return v
}

func eventIDs() string {
	var ids []string
	for _, id := range event.IDs() {
		ids = append(ids, string(id))
	}
	return strings.Join(ids, " ")
}

func roleWord(r event.Role) string {
	switch r {
	case event.RolePrimary:
		return "Primary"
	case event.RoleSecondary:
		return "Secondary"
	case event.RoleNotInGroup:
	}
	return "Not in a group"
}

func headline(s availability.NodeState) string {
	switch {
	case s.NodeRole == event.RoleNotInGroup:
		return "This node is in no group"
	case s.NodeRole == event.RolePrimary:
		return "This node, " + s.NodeID + ", is Primary"
	case s.PrimaryID == "":
		return "No Primary is known"
	case s.PrimaryID == s.NodeID:
		return "This node, " + s.NodeID + ", is named as Primary and is not Primary now"
	}
	return s.PrimaryID + " is Primary"
}

// primarySince is when the Primary became that, as far as this node knows.
func primarySince(s availability.NodeState, history []event.Event) (since time.Time, atLeast bool) {
	if s.NodeRole == event.RoleNotInGroup || s.PrimaryID == "" {
		return time.Time{}, false
	}
	own := s.NodeRole == event.RolePrimary
	for _, e := range slices.Backward(history) {
		switch e := e.(type) {
		case event.RoleChange:
			if own && e.New == event.RolePrimary {
				return e.At, false
			}
		case event.PrimaryChange:
			if !own && e.New == s.PrimaryID {
				return e.At, e.Previous == "" // it is when this node heard of it
			}
		default:
		}
	}
	if len(history) == 0 {
		return time.Time{}, false
	}
	return history[0].Meta().At, true
}

func facts(now time.Time, s availability.NodeState) []fact {
	if s.NodeRole == event.RoleNotInGroup {
		return []fact{healthFact(s)}
	}
	list := []fact{
		{Name: "Term", Value: strconv.FormatUint(s.Term, 10)},
		{Name: "Primary", Value: orDash(s.PrimaryID), Bad: s.PrimaryID == ""},
	}
	if s.NodeRole == event.RolePrimary {
		list[1] = fact{Name: "Authority left", Value: span(s.AuthorityUntil.Sub(now)), More: "renewed all the time"}
	}
	heartbeat := fact{Name: "Last heartbeat", At: s.LastHeartbeatTime}
	if s.LastHeartbeatTime.IsZero() {
		heartbeat.Value = orDash("")
	}
	return append(list,
		fact{Name: "Heartbeats go", Value: heartbeatWord(s.HeartbeatMethod)},
		heartbeat,
		fact{Name: "DNS", Value: dnsWord(s.NodeDNSConnectionState), Bad: s.NodeDNSConnectionState == event.DNSDisconnected},
		healthFact(s),
	)
}

func healthFact(s availability.NodeState) fact {
	f := fact{Name: "Health of this node", Value: "Healthy"}
	if !s.Healthy {
		f.Value, f.Bad = "Unhealthy", true
	}
	return f
}

func heartbeatWord(m event.HeartbeatMethod) string {
	switch m {
	case event.HeartbeatDirect:
		return "from node to node"
	case event.HeartbeatDNS:
		return "through DNS only"
	}
	return orDash("")
}

func dnsWord(d event.DNSConnectionState) string {
	switch d {
	case event.DNSConnected:
		return "Connected"
	case event.DNSDisconnected:
		return "Disconnected"
	case event.DNSNotApplicable:
	}
	return "Not applicable"
}

func settingFacts(c availability.Settings) []fact {
	seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s" }
	address := func(valid bool, text string) string {
		if !valid {
			return orDash("")
		}
		return text
	}
	return []fact{
		{Name: "Name", Value: orDash(c.GroupFQDN)},
		{Name: "TTL of the name", Value: seconds(c.GroupFQDNTTL)},
		{Name: "Failover period", Value: seconds(c.AllowedAbsenceInterval)},
		{Name: "Report interval", Value: seconds(c.HealthReportInterval)},
		{Name: "Check interval", Value: seconds(c.HealthCheckInterval)},
		{Name: "Scheme and port", Value: c.ExternalScheme + ", " + strconv.Itoa(int(c.ExternalPort))},
		{Name: "IPv4 address", Value: address(c.ExternalIPv4Address.IsValid(), c.ExternalIPv4Address.String())},
		{Name: "IPv6 address", Value: address(c.ExternalIPv6Address.IsValid(), c.ExternalIPv6Address.String())},
		{Name: "TSIG key", Value: orDash(c.TSIGName)},
		{Name: "TSIG algorithm", Value: orDash(c.TSIGAlgorithm)},
	}
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
