package httpapi

import (
	"context"
	"crypto/rand"
	"html/template"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/benbjohnson/clock"

	"github.com/availabilitygroup/ag/availability"
)

// Config is what the handler is made of. The zero value tells the role, and
// nothing else of the group.
type Config struct {
	// Authorize tells who asks, and whether they may do what the scope says. It
	// is called for each request that needs a scope, concurrently, and must not
	// read the body. The user is logged, and is in the answer of a
	// refused request, so that it can be found in the log; return it with an
	// error too. An error that is neither [ErrUnauthenticated] nor
	// [ErrForbidden] means status 500; its text is logged, not answered. One
	// that decides by the client's address must look at the Host field as well:
	// a browser can be led to a local address by any name. Nil: the role can be
	// read, nothing else.
	Authorize func(r *http.Request, s Scope) (user string, err error)
	// Challenge is the WWW-Authenticate field of answers with status 401,
	// which RFC 9110 §15.5.2 requires; empty means "Bearer".
	Challenge string
	// CrossOrigin decides which changes of other sites are let through; nil
	// means none.
	CrossOrigin *http.CrossOriginProtection
	// Clock is the time; nil means the system's. It sets the deadlines of
	// connections, so it must not be off. Only the interface is used.
	Clock clock.Clock
	// Logger is where changes and refusals are logged, with who asked; nil
	// means nowhere.
	Logger *slog.Logger
}

// New returns the HTTP API of a group. It may be called before the group runs:
// until then reading works, and changes wait for it. There is one handler for
// each group; it is safe for concurrent use.
func New(g *availability.Group, c Config) http.Handler {
	if c.Clock == nil {
		c.Clock = clock.New()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Challenge == "" {
		c.Challenge = "Bearer"
	}
	if c.CrossOrigin == nil {
		c.CrossOrigin = http.NewCrossOriginProtection()
	}
	a := &api{group: g, cfg: c, run: strings.ToLower(rand.Text()[:8])}
	a.pages = sync.OnceValues(parsePages)
	a.rehearsals = &rehearsals{rehearse: g.Preflight}
	a.endpoints, a.files = a.table(), a.status()
	return a
}

// api is the handler. It is not changed after New, but for streams.
type api struct {
	group     *availability.Group
	cfg       Config
	endpoints map[string]methods // by path below /api/v1/
	files     map[string]methods // by the last element of any other path
	run       string             // tells this run's events from those of another
	streams   atomic.Int64       // that are open

	pages      func() (*template.Template, error) // for people, read at the first visit
	rehearsals *rehearsals
}

// methods are what one path answers, by method.
type methods map[string]endpoint

// endpoint is one method of one path.
type endpoint struct {
	scope  Scope
	costly bool // no other site may have a browser ask for it, though it changes nothing
	do     func(ctx context.Context, c *call) error
}

// call is one request on its way to its answer.
type call struct {
	*api
	w    http.ResponseWriter
	r    *http.Request
	user string
}

func (a *api) table() map[string]methods {
	t := map[string]methods{
		"state":         {http.MethodGet: read(a.state)},
		"group":         {http.MethodGet: read(a.info)},
		"configuration": {http.MethodGet: read(a.configuration)},
		"history":       {http.MethodGet: read(a.history)},
		"stats":         {http.MethodGet: read(a.stats)},
		"metrics":       {http.MethodGet: {scope: ScopeRead, do: metrics}},
	}
	t["openapi.json"] = methods{http.MethodGet: {scope: scopeOpen, do: describe}}
	for _, m := range t {
		m[http.MethodHead] = m[http.MethodGet] // net/http leaves the body out
	}
	for path, m := range a.changes() {
		if t[path] == nil {
			t[path] = methods{}
		}
		maps.Copy(t[path], m)
	}
	t["events"] = methods{http.MethodGet: {scope: ScopeRead, do: events}}
	t["preflight"] = methods{http.MethodGet: {scope: ScopeRead, costly: true, do: preflight}}
	maps.Copy(t, a.roles())
	return t
}

// ServeHTTP finds the endpoint, asks whether it may be used, and uses it.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{api: a, w: w, r: r}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if err := c.serve(r.Context()); err != nil {
		c.refuse(r.Context(), err)
	}
}

// serve returns an error instead of an answer, never both.
func (c *call) serve(ctx context.Context) error {
	m, ok := c.find(c.r.URL.Path)
	if !ok {
		return &refusal{status: http.StatusNotFound, reason: "no_endpoint", text: "There is no such endpoint; paths begin with /ag/api/v1/."}
	}
	e, ok := m[c.r.Method]
	if !ok {
		allowed := strings.Join(slices.Sorted(maps.Keys(m)), ", ")
		c.w.Header().Set("Allow", allowed)
		return &refusal{status: http.StatusMethodNotAllowed, reason: "method", text: "The methods of this endpoint are " + allowed + "."}
	}
	if err := c.admit(ctx, e); err != nil {
		return err
	}
	return e.do(ctx, c)
}

const apiBase = "/api/v1/"

// find looks at the end of a path alone: wherever the host has mounted the
// handler, and whether it strips the prefix or not.
func (a *api) find(path string) (methods, bool) {
	if strings.Contains(path, apiBase) {
		m, ok := a.endpoints[below(path)]
		return m, ok
	}
	m, ok := a.files[path[strings.LastIndex(path, "/")+1:]]
	return m, ok
}

// below is the part of a path that names an endpoint of the API.
func below(path string) string {
	if i := strings.LastIndex(path, apiBase); i >= 0 {
		return path[i+len(apiBase):]
	}
	return ""
}
