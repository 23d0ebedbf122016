package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
)

// Scope is what a request needs the permission for.
type Scope string

// The scopes. To change does not include to read.
const (
	// ScopeRead: to read the state, the settings, the members, the events.
	ScopeRead Scope = "read"
	// ScopeChange: to change anything.
	ScopeChange Scope = "change"

	// scopeOpen: needs no permission.
	scopeOpen Scope = ""
)

// Why a request may not be answered; from Config.Authorize, wrapped or not.
var (
	// ErrUnauthenticated: it is not known who asks. Status 401.
	ErrUnauthenticated = errors.New("httpapi: authentication is required")
	// ErrForbidden: it is known, and they may not. Status 403.
	ErrForbidden = errors.New("httpapi: insufficient access rights")
)

// admit returns why the endpoint may not be used.
func (c *call) admit(ctx context.Context, e endpoint) error {
	if e.scope == scopeOpen {
		return nil
	}
	if (e.scope == ScopeChange || e.costly) && c.foreign() {
		return &refusal{
			status: http.StatusForbidden, reason: "cross_origin",
			text: "The request comes from another site. Let the host trust its origin, or send it without a browser.",
		}
	}
	if c.cfg.Authorize == nil {
		return &refusal{
			status: http.StatusForbidden, reason: "no_authorize",
			text: "This node tells its role only. Let the host program set Config.Authorize of package httpapi.",
		}
	}
	user, err := c.cfg.Authorize(c.r, e.scope)
	c.user = user
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnauthenticated):
		c.w.Header().Set("WWW-Authenticate", c.cfg.Challenge)
		return &refusal{status: http.StatusUnauthorized, reason: "unauthenticated", text: "Authentication is required."}
	case errors.Is(err, ErrForbidden):
		return &refusal{status: http.StatusForbidden, reason: "forbidden", text: "Insufficient access rights."}
	}
	c.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "authorize failed", slog.String("err", err.Error()))
	return &refusal{
		status: http.StatusInternalServerError, reason: "authorize",
		text: "It could not be found out who may do this; see the log of this node.",
	}
}

// foreign tells whether another site has had a browser send the request,
// whatever its method: the check lets every GET through.
func (c *call) foreign() bool {
	asked := new(http.Request)
	*asked = *c.r
	asked.Method = http.MethodPost
	return c.cfg.CrossOrigin.Check(asked) != nil
}
