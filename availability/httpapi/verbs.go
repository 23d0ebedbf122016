package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/availabilitygroup/ag/availability"
)

// changes are the endpoints that change something.
func (a *api) changes() map[string]methods {
	return map[string]methods{
		"group": {
			http.MethodPost:   change(a.create, "adopt"),
			http.MethodPut:    change(a.configure),
			http.MethodDelete: change(a.dissolve),
		},
		"group/members": {http.MethodPut: change(a.join), http.MethodDelete: change(a.leave, "id")},
		"group/pause":   {http.MethodPut: change(a.pause), http.MethodDelete: change(a.resume)},
		"configuration": {http.MethodPut: change(a.preconfigure)},
		"failover":      {http.MethodPut: change(a.failover)},
	}
}

func (a *api) create(ctx context.Context, c *call, q url.Values) (string, error) {
	var opts []availability.CreateOption
	switch {
	case q.Get("adopt") == "1":
		opts = append(opts, availability.AdoptHostRecord())
	case q.Has("adopt"):
		return "", badQuery("The parameter adopt must be 1, or not there.")
	}
	s, err := c.settings()
	if err != nil {
		return "", err
	}
	if err := a.group.Preconfigure(s); err != nil {
		return "", err
	}
	return "Availability group created.", a.group.Create(ctx, opts...)
}

// configure leaves it to the group to refuse another name, address, scheme or
// port: the ones it has may be sent back to it.
func (a *api) configure(ctx context.Context, c *call, _ url.Values) (string, error) {
	s, err := c.settings()
	if err != nil {
		return "", err
	}
	return "Availability group configuration updated.", a.group.Configure(ctx, s)
}

func (a *api) dissolve(ctx context.Context, _ *call, _ url.Values) (string, error) {
	return "Availability group dissolved.", a.group.Dissolve(ctx)
}

func (a *api) join(ctx context.Context, c *call, _ url.Values) (string, error) {
	const done = "Member added to availability group."
	o, text, err := c.body()
	if err != nil {
		return "", err
	}
	const inherited = "cannot be set by a node that joins: intervals and the TTL are the group's; save the TSIG key before, with PUT configuration"
	wrong := mistakesOf(o, allSettings(), "is no setting")
	if len(wrong) == 0 {
		wrong = mistakesOf(o, nodeSettings(), inherited)
	}
	if len(wrong) > 0 {
		return "", badFields(wrong)
	}
	if len(o) > 0 {
		s, err := decodeSettings(text)
		if err != nil {
			return "", err
		}
		if err := a.group.Preconfigure(s); err != nil {
			return "", err
		}
	}
	return done, a.group.Join(ctx)
}

func (a *api) leave(ctx context.Context, _ *call, q url.Values) (string, error) {
	const done = "Member removed from availability group."
	switch id := q.Get("id"); {
	case !q.Has("id") || id != "" && id == a.group.GetNodeState().NodeID:
		return done, a.group.Leave(ctx)
	case id == "":
		return "", badQuery("The parameter id must name a member, or not be there: then this node leaves.")
	default:
		return done, a.group.Remove(ctx, id)
	}
}

func (a *api) preconfigure(_ context.Context, c *call, _ url.Values) (string, error) {
	s, err := c.settings()
	if err != nil {
		return "", err
	}
	return "Availability group configuration saved.", a.group.Preconfigure(s)
}

// pauseBody is what PUT group/pause takes.
type pauseBody struct {
	Reason string `json:"reason"`
}

func (a *api) pause(ctx context.Context, c *call, _ url.Values) (string, error) {
	var p pauseBody
	if err := c.fill(&p, "reason"); err != nil {
		return "", err
	}
	if problem := checkText(p.Reason); problem != "" {
		return "", badInput([]availability.FieldError{{Field: "reason", Problem: problem}})
	}
	return "Automatic takeover paused.", a.group.Pause(ctx, p.Reason)
}

func (a *api) resume(ctx context.Context, _ *call, _ url.Values) (string, error) {
	return "Automatic takeover resumed.", a.group.Resume(ctx)
}

// fill reads an object of known keys, if there is one, into a struct.
func (c *call) fill(into any, known ...string) error {
	o, text, err := c.body()
	if err != nil || o == nil {
		return err
	}
	if wrong := mistakesOf(o, known, "is unknown here"); len(wrong) > 0 {
		return badInput(wrong)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return badBody("The body has a value of a wrong type.")
	}
	return nil
}
