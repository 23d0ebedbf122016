package httpapi_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
)

// Whatever a client asks for, it is sent to the Primary and nowhere else.
func TestRedirect_Targets(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, _, b *node) {
		h := http.StripPrefix("", w.open(b, hello(b.Group)))
		const to = "http://192.0.2.1:80"
		for line, want := range map[string]string{
			"GET /":                          to + "/",
			"GET /?":                         to + "/?",
			"POST /a/b?c=d&e":                to + "/a/b?c=d&e",
			"GET //evil.example/x":           to + "//evil.example/x",
			"GET ///evil.example":            to + "///evil.example",
			"GET /\\evil.example":            to + "/%5Cevil.example",
			"GET /@evil.example":             to + "/@evil.example",
			"GET /%2f%2Fevil.example/%2e%2e": to + "/%2f%2Fevil.example/%2e%2e",
			"GET /a%0d%0aSet-Cookie:x":       to + "/a%0d%0aSet-Cookie:x",
			"GET /?u=//evil.example#@x":      to + "/?u=//evil.example#@x",
			"GET http://evil.example/x?y":    to + "/x?y",
			"GET http://evil.example?y":      to + "/?y",
			"GET http://u:p@evil.example//x": to + "//x",
			"GET /\xc3\xa9?\xc3\xa9":         to + "/%C3%A9?%C3%A9",
			"OPTIONS *":                      "",
			"CONNECT evil.example:443":       "",
		} {
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(line + " HTTP/1.1\r\nHost: evil.example\r\n\r\n")))
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			got := httptest.NewRecorder()
			h.ServeHTTP(got, r.WithContext(t.Context()))
			switch {
			case want == "":
				refused(t, got, 503, "no_path")
			case got.Code != 307 || got.Header().Get("Location") != want || got.Header().Get("Cache-Control") != "no-store":
				t.Errorf("%s: status %d, fields %v, want %s", line, got.Code, got.Header(), want)
			}
		}
	})
}

func TestRedirect_BaseURL(t *testing.T) {
	t.Parallel()
	inWeb(t, func(t *testing.T, _ *lab, w *web, _, b *node) {
		for name, tt := range map[string]struct {
			base *url.URL
			want string
		}{
			"none":         {nil, "http://192.0.2.1:80/x?y"},
			"a name":       {&url.URL{Scheme: "https", Host: "a.example.net:8443"}, "https://a.example.net:8443/x?y"},
			"a path":       {&url.URL{Scheme: "https", Host: "a.example.net", Path: "/node a/"}, "https://a.example.net/node%20a/x?y"},
			"more":         {&url.URL{Scheme: "https", Host: "a.example.net", RawQuery: "z", Fragment: "f"}, "https://a.example.net/x?y"},
			"no host":      {&url.URL{Path: "/"}, ""},
			"no scheme":    {&url.URL{Host: "a.example.net"}, ""},
			"strange":      {&url.URL{Scheme: "javascript", Opaque: "alert(1)"}, ""},
			"other scheme": {&url.URL{Scheme: "ftp", Host: "a.example.net"}, ""},
		} {
			s := w.open(b, hello(b.Group), func(c *httpapi.PrimaryOnlyConfig) {
				c.BaseURL = func(m availability.Member) *url.URL {
					if m.ID != "a" {
						t.Errorf("asked for the URL of %s", m.ID)
					}
					return tt.base
				}
			})
			got := try(t, s, "GET", "/x?y", "")
			if tt.want == "" {
				refused(t, got, 503, "no_address")
			} else if got.Header().Get("Location") != tt.want {
				t.Errorf("%s: sent to %s, want %s", name, got.Header().Get("Location"), tt.want)
			}
			s.down()
		}
	})
}

// FuzzPrimaryOnly: no target and no term leads anywhere but to the Primary, and
// none that is not understood is served.
func FuzzPrimaryOnly(f *testing.F) {
	for _, target := range []string{
		"/", "//evil", "/\\evil", "http://evil/x", "*", "evil:443", "/%2f%2fevil", "/?u=//evil", "///", "/..//../evil", "/%zz", "/a b", "\x00",
	} {
		for _, term := range []string{"", "1", "-1", "18446744073709551615", "1e3", "x"} {
			f.Add(target, term)
		}
	}
	_, b, stop := twoNodes(nil)
	f.Cleanup(stop)
	h := httpapi.PrimaryOnly(b, http.NotFoundHandler(), httpapi.PrimaryOnlyConfig{HoldFor: -1})
	f.Fuzz(func(t *testing.T, target, term string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: svc.lab.test\r\nAg-Term: " + term + "\r\n\r\n")))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(t.Context()))
		switch w.Code {
		case http.StatusTemporaryRedirect:
			to, err := url.Parse(w.Header().Get("Location"))
			if err != nil || to.Scheme != "https" || to.Host != "192.0.2.1:443" || to.User != nil || strings.ContainsFunc(w.Header().Get("Location"), control) {
				t.Errorf("%q leads to %q: %v", target, w.Header().Get("Location"), err)
			}
		case http.StatusBadRequest, http.StatusServiceUnavailable:
		default:
			t.Errorf("%q with term %q: status %d", target, term, w.Code)
		}
	})
}

func control(c rune) bool { return c <= ' ' || c >= 0x7f }
