package availability_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
	"github.com/availabilitygroup/ag/internal/record"
	"github.com/availabilitygroup/ag/transport"
	"github.com/availabilitygroup/ag/transport/httptransport"
)

// canary is a secret that must be seen nowhere.
const canary = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmFyeSE="

// forms are the ways in which a secret may be written, in parts long enough
// not to stand in a text by chance.
func forms(t *testing.T, secretBase64 string) map[string]string {
	t.Helper()
	octets, err := base64.StdEncoding.DecodeString(secretBase64)
	if err != nil {
		t.Fatal(err)
	}
	peers, err := record.PeerKey(secretBase64, "svc.lab.test")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for of, secret := range map[string][]byte{"TSIG secret": octets, "base64 of the TSIG secret": []byte(secretBase64), "peers' key": peers} {
		const part = 10
		for form, text := range map[string]string{
			"as it is": string(secret), "in hex": hex.EncodeToString(secret), "in HEX": strings.ToUpper(hex.EncodeToString(secret)),
			"in base64": base64.StdEncoding.EncodeToString(secret), "in base64url": base64.RawURLEncoding.EncodeToString(secret),
			"in numbers": strings.Trim(fmt.Sprintf("%d", secret), "[]"), "in Go": strings.Trim(fmt.Sprintf("%#v", secret), "[]byte{}"),
		} {
			all["the start of the "+of+" "+form] = text[:part]
			all["the end of the "+of+" "+form] = text[len(text)-part:]
		}
	}
	return all
}

// wantHidden fails the test if a text shows a secret.
func wantHidden(t *testing.T, where, text string, secret map[string]string) {
	t.Helper()
	for what, written := range secret {
		if strings.Contains(text, written) {
			t.Errorf("%s shows %s: %.2000q", where, what, text)
		}
	}
}

// prints are all the ways to write a value down.
func prints(v any) map[string]string {
	all := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "% x", "%08b", "%o", "%t", "%T", "%p", "%U", "%g"} {
		all[verb] = fmt.Sprintf(verb, v)
	}
	all["[]%v"], all["map%+v"] = fmt.Sprintf("%v", []any{v}), fmt.Sprintf("%+v", map[string]any{"x": v})
	all["hidden %#v"] = fmt.Sprintf("%#v", struct{ hidden any }{v})
	text, err := json.Marshal(v)
	all["JSON"] = string(text) + fmt.Sprint(err)
	text, err = xml.Marshal(v)
	all["XML"] = string(text) + fmt.Sprint(err)
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", slog.Any("v", v), slog.Group("g", slog.Any("v", []any{v})))
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", slog.Any("v", v), slog.Any("e", fmt.Errorf("with %v", v)))
	all["slog"] = out.String()
	return all
}

// TestHostileSecrets_EveryType prints a value of each exported type that holds
// a secret, however deep and however hidden. The types are found by looking at
// the packages, so that a new one fails the test until it has a value here.
func TestHostileSecrets_EveryType(t *testing.T) {
	t.Parallel()
	secret, values := forms(t, canary), samples(t)
	found := secretTypes(t)
	for _, name := range found {
		if len(values[name]) == 0 {
			t.Errorf("%s holds a secret, and this test has no value of it", name)
		}
	}
	for name, list := range values {
		if !slices.Contains(found, name) {
			t.Errorf("%s holds no secret any more", name)
		}
		for _, v := range list {
			for how, text := range prints(v) {
				wantHidden(t, name+" by "+how, text, secret)
			}
		}
	}
	t.Attr("prove.secret-types", fmt.Sprint(len(found)))
	t.Logf("%d types hold a secret: %s", len(found), strings.Join(found, ", "))
}

// samples are values of all types that hold a secret, by the name of the type.
func samples(t *testing.T) map[string][]any {
	t.Helper()
	secret := dnsstore.NewSecret(canary)
	octets, err := record.PeerKey(canary, "svc.lab.test")
	if err != nil {
		t.Fatal(err)
	}
	key, err := transport.NewKey(octets)
	if err != nil {
		t.Fatal(err)
	}
	access := dnsstore.Access{FQDN: "svc.lab.test", TSIGName: "k", TSIGSecret: secret}
	store := rfc2136.Config{Server: "127.0.0.1:1", Zone: "lab.test", TSIGName: "k", TSIGSecret: secret}
	opened, err := store.Open(access)
	if err != nil {
		t.Fatal(err)
	}
	serverKey := embedded.Key{Name: "k", Secret: secret}
	server := embedded.Config{Zone: "lab.test", Keys: []embedded.Key{serverKey}}
	made, err := embedded.New(server)
	if err != nil {
		t.Fatal(err)
	}
	mount := httptransport.New(httptransport.Config{Keys: []transport.Key{key}})
	if err := mount.For("svc.lab.test").(transport.Keyed).SetKeys(key); err != nil {
		t.Fatal(err)
	}
	settings := availability.Settings{GroupFQDN: "svc.lab.test", TSIGName: "k", TSIGSecret: secret}
	config := availability.Config{NodeID: "a", Settings: settings, OpenStore: store.Open, Transport: mount, StateDir: t.TempDir()}
	group, err := availability.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]any{
		"dnsstore.Secret":          {secret, &secret, []dnsstore.Secret{secret}},
		"dnsstore.Access":          {access, &access},
		"transport.Key":            {key, &key},
		"rfc2136.Config":           {store, &store},
		"rfc2136.Store":            {opened},
		"embedded.Key":             {serverKey, &serverKey},
		"embedded.Config":          {server, &server},
		"embedded.Server":          {made},
		"httptransport.Config":     {httptransport.Config{Keys: []transport.Key{key}}},
		"httptransport.Transport":  {mount, mount.For("svc.lab.test")},
		"availability.Settings":    {settings, &settings},
		"availability.Config":      {config, &config},
		"availability.Group":       {group},
		"availability.Incarnation": {availability.Incarnation{Access: access, NodeID: "a", Run: "r"}},
		"availability.GroupInfo":   {group.Info(), availability.GroupInfo{Configuration: settings}},
	}
}

// secretTypes are the exported types of the public packages that hold a secret
// in any of their fields, exported or not.
func secretTypes(t *testing.T) []string {
	t.Helper()
	const module = "github.com/availabilitygroup/ag/"
	files := map[string]string{}
	var public []string
	const inTests = "availability/agtest" // linked by tests alone: its secrets are none
	for _, p := range goList(t) {
		files[p.ImportPath] = p.Export
		if path, ours := strings.CutPrefix(p.ImportPath, module); ours && path != inTests && p.Name != "main" && !slices.Contains(strings.Split(path, "/"), "internal") {
			public = append(public, p.ImportPath)
		}
	}
	imports := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(files[path])
	})
	var found []string
	for _, path := range public {
		p, err := imports.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range p.Scope().Names() {
			typ, ok := p.Scope().Lookup(name).(*types.TypeName)
			if ok && typ.Exported() && !typ.IsAlias() && holdsSecret(typ.Type(), map[types.Type]bool{}) {
				found = append(found, p.Name()+"."+name)
			}
		}
	}
	if len(public) < 7 || len(found) == 0 {
		t.Fatalf("looked at %v, found %v", public, found)
	}
	slices.Sort(found)
	return found
}

// listed is what the go command tells of a package.
type listed struct {
	ImportPath string `json:"ImportPath"`
	Name       string `json:"Name"`
	Export     string `json:"Export"`
}

func goList(t *testing.T) []listed {
	t.Helper()
	readSource(t)
	cmd := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-json=ImportPath,Name,Export", "./...")
	cmd.Dir = ".."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// readSource reads what the go command will. Results of tests are kept until a
// file changes that the test itself has read.
func readSource(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && len(d.Name()) > 2 && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			_, err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// holdsSecret follows a type to the two that wrap secrets up. What stands
// behind an interface or a function is of another type.
func holdsSecret(typ types.Type, seen map[types.Type]bool) bool {
	if seen[typ] {
		return false
	}
	seen[typ] = true
	if named, ok := types.Unalias(typ).(*types.Named); ok {
		name := named.Obj()
		if name.Pkg() != nil && slices.Contains([]string{"dnsstore.Secret", "transport.Key"}, name.Pkg().Name()+"."+name.Name()) {
			return true
		}
	}
	switch under := typ.Underlying().(type) {
	case *types.Struct:
		for field := range under.Fields() {
			if holdsSecret(field.Type(), seen) {
				return true
			}
		}
	case *types.Map:
		return holdsSecret(under.Key(), seen) || holdsSecret(under.Elem(), seen)
	case interface{ Elem() types.Type }: // pointers, slices, arrays, channels
		return holdsSecret(under.Elem(), seen)
	}
	return false
}

// TestHostileSecrets_Errors gives secrets that are none: the errors say so, and
// do not repeat them.
func TestHostileSecrets_Errors(t *testing.T) {
	t.Parallel()
	const mistyped = "hunter2-is-not-base64!"
	secret := dnsstore.NewSecret(mistyped)
	settings := availability.Settings{GroupFQDN: "svc.lab.test", TSIGName: "k", TSIGSecret: secret}
	var decoded availability.Settings
	_, fromStore := rfc2136.New(rfc2136.Config{Server: "127.0.0.1", TSIGName: "k", TSIGSecret: secret})
	_, fromServer := embedded.New(embedded.Config{Zone: "lab.test", Keys: []embedded.Key{{Name: "k", Secret: secret}}})
	_, fromGroup := availability.New(availability.Config{Settings: settings, Store: dnsstore.NewMemory()})
	_, fromKey := transport.NewKey([]byte(mistyped))
	_, fromPeers := record.PeerKey(mistyped, "svc.lab.test")
	for name, err := range map[string]error{
		"rfc2136.New": fromStore, "embedded.New": fromServer, "availability.New": fromGroup,
		"transport.NewKey": fromKey, "record.PeerKey": fromPeers,
		"Settings.UnmarshalJSON": json.Unmarshal([]byte(`{"tsig_name":"k","tsig_secret":"`+mistyped+`"}`), &decoded),
		"a secret of a number":   json.Unmarshal([]byte(`{"tsig_secret":{"`+mistyped+`":1}}`), &decoded),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for how, text := range prints(err) {
			wantHidden(t, name+" by "+how, text, map[string]string{"what was typed": mistyped[:12], "its end": mistyped[12:]})
		}
	}
}

// TestHostileSecrets_RunningGroup looks at all that a group says while it is
// made, moves, is attacked and ends.
func TestHostileSecrets_RunningGroup(t *testing.T) {
	t.Parallel()
	l := newWired(t, 3*time.Second)
	a, b := l.pair()
	secret := forms(t, l.secret.Reveal())
	look := func(when string) {
		for _, n := range l.nodes {
			for what, v := range map[string]any{
				"state": n.GetNodeState(), "info": n.Info(), "history": n.History(), "stats": n.Stats(),
				"transport stats": n.transport.Stats(),
			} {
				for how, text := range prints(v) {
					wantHidden(t, what+" "+when+" by "+how, text, secret)
				}
			}
		}
		wantHidden(t, "the log "+when, l.log.String(), secret)
	}
	look("at first")
	l.until("b is Primary", func() bool { return b.Failover(t.Context(), availability.To("b")) == nil })
	look("after a failover")
	n := a.Stats().Unanswered + b.Stats().Unanswered
	garble(a)
	garble(b)
	a.faulty.Cut()
	l.until("some messages were not answered", func() bool { return a.Stats().Unanswered+b.Stats().Unanswered > n+3 })
	for _, err := range []error{a.Failover(t.Context(), availability.To("nobody")), a.Create(t.Context()), b.Remove(t.Context(), "nobody")} {
		if err == nil {
			t.Error("a verb that cannot be done has been done")
			continue
		}
		for how, text := range prints(err) {
			wantHidden(t, "an error by "+how, text, secret)
		}
	}
	look("under attack")
	for _, n := range l.nodes {
		n.stop()
		for how, text := range prints(n.Group) {
			wantHidden(t, "the group at the end by "+how, text, secret)
		}
	}
	look("at the end")
	if len(l.log.String()) < 1000 {
		t.Errorf("the log is too short to show anything: %s", l.log)
	}
}
