package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

// read is an endpoint that answers with a value.
func read(value func() any) endpoint {
	return endpoint{scope: ScopeRead, do: func(_ context.Context, c *call) error {
		c.answer(http.StatusOK, value())
		return nil
	}}
}

func (a *api) state() any         { return a.group.GetNodeState() }
func (a *api) configuration() any { return a.group.Info().Configuration }
func (a *api) stats() any         { return a.group.Stats() }

func (a *api) history() any {
	events := a.group.History()
	if events == nil {
		events = []event.Event{} // [], not null
	}
	return struct {
		Events []event.Event `json:"events"`
	}{events}
}

// groupBody is BlueCat's, and nodes, which has what its members cannot tell.
type groupBody struct {
	Configuration availability.Settings  `json:"configuration"`
	Members       membersBody            `json:"members"`
	State         availability.NodeState `json:"state"`
	Nodes         []availability.Member  `json:"nodes"`
}

// membersBody has IPv4 addresses, null where there is none.
type membersBody struct {
	Primary   *netip.Addr   `json:"primary"`
	Secondary *netip.Addr   `json:"secondary"`
	Others    []*netip.Addr `json:"others,omitempty"`
}

func (a *api) info() any {
	i := a.group.Info()
	body := groupBody{Configuration: i.Configuration, Members: membersOf(i.Members), State: i.State, Nodes: i.Members}
	if body.Nodes == nil {
		body.Nodes = []availability.Member{}
	}
	return body
}

// membersOf leaves out who is not confirmed yet. BlueCat's groups have two
// members; ours may have more.
func membersOf(list []availability.Member) membersBody {
	var body membersBody
	found := false
	for _, m := range list {
		switch {
		case m.Joining:
		case m.Role == event.RolePrimary:
			body.Primary = ipv4Of(m.URL)
		case !found:
			body.Secondary, found = ipv4Of(m.URL), true
		default:
			body.Others = append(body.Others, ipv4Of(m.URL))
		}
	}
	return body
}

// ipv4Of is the address in a member's URL, nil if it is none of IPv4.
func ipv4Of(address string) *netip.Addr {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	a, err := netip.ParseAddr(u.Hostname())
	if err != nil || !a.Is4() {
		return nil
	}
	return &a
}
