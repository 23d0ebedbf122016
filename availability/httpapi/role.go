package httpapi

import (
	"context"
	"net/http"
	"strconv"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/event"
)

// roles are the endpoints for load balancers and Kubernetes. They need no
// permission, since those who ask have none to show.
func (a *api) roles() map[string]methods {
	return map[string]methods{
		"primary":   a.role(func(s availability.NodeState) bool { return s.NodeRole == event.RolePrimary }),
		"secondary": a.role(func(s availability.NodeState) bool { return s.NodeRole == event.RoleSecondary }),
		"livez":     a.role(func(availability.NodeState) bool { return true }),
		"readyz":    a.role(func(s availability.NodeState) bool { return s.NodeRole != event.RoleNotInGroup && s.Healthy }),
	}
}

// role answers by the status. OPTIONS does too, without a body: some load
// balancers check with it unless told otherwise.
func (a *api) role(yes func(availability.NodeState) bool) methods {
	body := endpoint{do: func(_ context.Context, c *call) error {
		s := a.group.GetNodeState()
		c.tellRole(s)
		c.answer(roleStatus(yes(s)), roleBody{s.NodeRole})
		return nil
	}}
	bare := endpoint{do: func(_ context.Context, c *call) error {
		s := a.group.GetNodeState()
		c.tellRole(s)
		c.w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		c.w.WriteHeader(roleStatus(yes(s)))
		return nil
	}}
	return methods{http.MethodGet: body, http.MethodHead: body, http.MethodOptions: bare}
}

// tellRole says in which term a role is: of two nodes that say primary, the one
// of the older term is a process that was stopped.
func (c *call) tellRole(s availability.NodeState) {
	h := c.w.Header()
	h.Set(RoleField, string(s.NodeRole))
	if s.Term != 0 {
		h.Set(TermField, strconv.FormatUint(s.Term, 10))
	}
}

// roleBody is all that those without a permission are told.
type roleBody struct {
	NodeRole event.Role `json:"node_role"`
}

func roleStatus(yes bool) int {
	if yes {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}
