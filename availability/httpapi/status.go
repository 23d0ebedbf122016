package httpapi

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"
	"time"
)

// statusFiles are the page for people and what it is made with. All addresses
// in them are relative, so that any prefix will do.
//
//go:embed status
var statusFiles embed.FS

// statusPolicy lets the page load its own files and ask its own node, and
// nothing else: text that got into it by mistake would stay text.
const statusPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// status are the endpoints outside of /api/v1/, by the last element of the
// path. The files hold nothing of the group.
func (a *api) status() map[string]methods {
	page := endpoint{scope: ScopeRead, do: a.page}
	m := map[string]methods{"": {http.MethodGet: page, http.MethodHead: page}}
	for name, media := range map[string]string{
		"status.css": "text/css; charset=utf-8", "status.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		file := endpoint{do: func(_ context.Context, c *call) error { return c.file(name, media) }}
		m[name] = methods{http.MethodGet: file, http.MethodHead: file}
	}
	return m
}

// isPage tells whether the request is for the page, which people read, so that
// even a refusal has to be one.
func isPage(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, "/") && !strings.Contains(r.URL.Path, apiBase)
}

func (c *call) file(name, media string) error {
	text, err := statusFiles.ReadFile(path.Join("status", name))
	if err != nil { // not reachable: the names are those of files
		return err
	}
	c.w.Header().Set("Content-Type", media)
	c.w.Header().Set("Content-Security-Policy", statusPolicy)
	_, _ = c.w.Write(text) // a client that has gone needs no answer
	return nil
}

// page answers with the state of the node for people.
func (a *api) page(_ context.Context, c *call) error {
	return c.html(http.StatusOK, "page.html", newStatusView(a.cfg.Clock.Now(), a.group.Info(), a.group.History()))
}

// refusePage answers why the page is not shown.
func (c *call) refusePage(no *refusal) error {
	return c.html(no.status, "refused.html", struct{ Status, Text, Challenge string }{
		fmt.Sprintf("%d %s", no.status, http.StatusText(no.status)), no.text, c.w.Header().Get("WWW-Authenticate"),
	})
}

// html writes a page. html/template escapes whatever is put into it.
func (c *call) html(status int, name string, view any) error {
	t, err := c.pages()
	if err != nil { // not reachable: the files are ours
		return err
	}
	var text bytes.Buffer
	if err := t.ExecuteTemplate(&text, name, view); err != nil { // neither is this
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", statusPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	c.w.WriteHeader(status)
	_, _ = c.w.Write(text.Bytes())
	return nil
}

// parsePages reads the templates.
func parsePages() (*template.Template, error) {
	return template.New("").Funcs(template.FuncMap{"ago": ago, "clock": clockText, "stamp": stamp}).ParseFS(statusFiles, "status/*.html")
}

// stamp is a time for programs, clockText one for people.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func clockText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// ago says how long before now a time was, or how long after now it will be,
// in one or two units.
func ago(now, t time.Time) string {
	if d := now.Sub(t); d >= 0 {
		return span(d) + " ago"
	}
	return "in " + span(t.Sub(now))
}

// span is a duration for people; the script has the same.
func span(d time.Duration) string {
	units := []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.of {
			continue
		}
		text := fmt.Sprintf("%d %s", d/u.of, u.name)
		if i == len(units)-1 {
			return text
		}
		if rest := d % u.of / units[i+1].of; rest > 0 {
			text += fmt.Sprintf(" %d %s", rest, units[i+1].name)
		}
		return text
	}
	return "0 s"
}
