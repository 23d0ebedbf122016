package agclient_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability/agclient"
)

func TestNew_Mistakes(t *testing.T) {
	t.Parallel()
	dialTLS := func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }
	for name, tt := range map[string]struct {
		edit func(*agclient.Config)
		want string
	}{
		"no name":        {func(c *agclient.Config) { c.FQDN = "" }, "FQDN"},
		"no host name":   {func(c *agclient.Config) { c.FQDN = "a b" }, "FQDN"},
		"a URL":          {func(c *agclient.Config) { c.FQDN = "https://app.example.net" }, "FQDN"},
		"a port":         {func(c *agclient.Config) { c.FQDN = "app.example.net:443" }, "FQDN"},
		"a path":         {func(c *agclient.Config) { c.FQDN = "app.example.net/" }, "FQDN"},
		"an address":     {func(c *agclient.Config) { c.FQDN = "192.0.2.1" }, "FQDN"},
		"IPv6":           {func(c *agclient.Config) { c.FQDN = "2001:db8::1" }, "FQDN"},
		"a wildcard":     {func(c *agclient.Config) { c.FQDN = "*.example.net" }, "FQDN"},
		"a hyphen first": {func(c *agclient.Config) { c.FQDN = "-app.example.net" }, "FQDN"},
		"a hyphen last":  {func(c *agclient.Config) { c.FQDN = "app-.example.net" }, "FQDN"},
		"a long label":   {func(c *agclient.Config) { c.FQDN = strings.Repeat("a", 64) + ".net" }, "FQDN"},
		"role path":      {func(c *agclient.Config) { c.RolePath = "primary" }, "RolePath"},
		"trust":          {func(c *agclient.Config) { c.Trust = -1 }, "Trust"},
		"look-up":        {func(c *agclient.Config) { c.LookupTimeout = -1 }, "LookupTimeout"},
		"own TLS":        {func(c *agclient.Config) { c.Base = &http.Transport{DialTLSContext: dialTLS} }, "Base"},
		"member scheme":  {func(c *agclient.Config) { c.Members = []string{"ftp://192.0.2.1"} }, "Members"},
		"member user":    {func(c *agclient.Config) { c.Members = []string{"https://ann:p4ssw0rd@192.0.2.1"} }, "Members"},
		"member query":   {func(c *agclient.Config) { c.Members = []string{"https://192.0.2.1/?x"} }, "Members"},
		"member port":    {func(c *agclient.Config) { c.Members = []string{"192.0.2.1:0"} }, "Members"},
		"member nowhere": {func(c *agclient.Config) { c.Members = []string{"https://:443"} }, "Members"},
		"member empty":   {func(c *agclient.Config) { c.Members = []string{""} }, "Members"},
		"no URL":         {func(c *agclient.Config) { c.Members = []string{"https://ann:p4ssw0rd@192.0.2.1:x%"} }, "Members"},
	} {
		c := agclient.Config{FQDN: fqdn}
		tt.edit(&c)
		_, err := agclient.New(c)
		switch {
		case err == nil:
			t.Errorf("%s: no error", name)
		case !strings.Contains(err.Error(), "agclient: field "+tt.want+": "):
			t.Errorf("%s: error %q does not name %s", name, err, tt.want)
		case strings.Contains(err.Error(), "p4ssw0rd"):
			t.Errorf("%s: the error has a password: %v", name, err)
		}
	}
}

// The names that a group may have are taken.
func TestNew_Names(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"app.example.net", "APP.Example.net.", "_ag.app-1.example.net", "localhost", "xn--bcher-kva.example", "1.2.3.4.5"} {
		if _, err := agclient.New(agclient.Config{FQDN: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNew_AllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	_, err := agclient.New(agclient.Config{FQDN: "192.0.2.1", RolePath: "x", Trust: -1, LookupTimeout: -1, Members: []string{"", "ftp://x"}})
	if err == nil {
		t.Fatal("no error")
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 6 {
		t.Errorf("%d mistakes, want 6: %v", n, err)
	}
}

func TestNew_Members(t *testing.T) {
	for _, text := range []string{"http://192.0.2.2:8080", "http://192.0.2.2", "http://192.0.2.2:8080/", "http://b.lab.test:8080"} {
		t.Run(text, func(t *testing.T) {
			inLab(t, func(l *lab, c *agclient.Config) {
				l.net.resolve("b.lab.test", address(1))
				c.Store, c.Members = nil, []string{text}
			}, func(_ *testing.T, l *lab) {
				l.move(1, 101)
				l.want(1, http.MethodGet, "")
			})
		})
	}
}

// A prefix in the URL of a member is that of its role endpoint.
func TestNew_RolePath(t *testing.T) {
	for name, edit := range map[string]func(*agclient.Config){
		"path":   func(c *agclient.Config) { c.RolePath = "/ag/api/v1/primary" },
		"prefix": func(c *agclient.Config) { c.RolePath, c.Members = "/v1/primary", []string{"http://192.0.2.2/ag/api/"} },
		"wrong":  func(c *agclient.Config) { c.RolePath = "/role" },
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, func(_ *lab, c *agclient.Config) {
				c.Store, c.Members = nil, []string{"http://192.0.2.2"}
				edit(c)
			}, func(_ *testing.T, l *lab) {
				l.nodes[1].set(func() { l.nodes[1].primary, l.nodes[1].term = true, 100 })
				want := 1
				if name == "wrong" { // what answers there is the program, 200 to anybody
					l.nodes[1].set(func() { l.nodes[1].primary = false })
					want = 0
				}
				l.want(want, http.MethodGet, "")
			})
		})
	}
}

// Base stays as it is, and is used for other names.
func TestNew_LeavesBaseAlone(t *testing.T) {
	t.Parallel()
	base := &http.Transport{MaxIdleConns: 7, IdleConnTimeout: time.Hour}
	c, err := agclient.New(agclient.Config{FQDN: fqdn, Base: base, Store: answers{"A": "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := send(t.Context(), t, c, http.MethodGet, "http://"+fqdn+":1/", ""); err == nil {
		t.Error("somebody listens at port 1")
	}
	type kept struct {
		Dial          bool
		MaxIdle       int
		Idle          time.Duration
		NoKeepAlive   bool
		ForceAttempt2 bool
	}
	want := kept{MaxIdle: 7, Idle: time.Hour}
	got := kept{base.DialContext != nil, base.MaxIdleConns, base.IdleConnTimeout, base.DisableKeepAlives, base.ForceAttemptHTTP2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Base mismatch (-want +got):\n%s", diff)
	}
}
