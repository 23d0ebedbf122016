package openapi_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi/datamodel"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
)

// where is the name of the document among the resources of a compiler.
const where = "https://ag.invalid/openapi.json"

func document(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "availability", "httpapi", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value.(map[string]any)
}

// published is the schema of OpenAPI 3.1 documents.
func published(t *testing.T) *jsonschema.Schema {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(datamodel.OpenAPI31SchemaData))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("https://ag.invalid/published.json", value); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("https://ag.invalid/published.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDocument_IsOpenAPI(t *testing.T) {
	t.Parallel()
	if err := published(t).Validate(document(t)); err != nil {
		t.Error(err)
	}
}

// What breaks the rules of OpenAPI is found.
func TestDocument_IsOpenAPI_Bites(t *testing.T) {
	t.Parallel()
	s := published(t)
	for name, spoil := range map[string]func(d map[string]any){
		"another version":  func(d map[string]any) { d["openapi"] = "3.0.0" },
		"no title":         func(d map[string]any) { delete(d["info"].(map[string]any), "title") },
		"a path without /": func(d map[string]any) { d["paths"].(map[string]any)["state"] = map[string]any{} },
		"an unknown key":   func(d map[string]any) { d["definitions"] = map[string]any{} },
		"a response without a description": func(d map[string]any) {
			d["components"].(map[string]any)["responses"].(map[string]any)["Now"] = map[string]any{}
		},
	} {
		d := document(t)
		spoil(d)
		if s.Validate(d) == nil {
			t.Errorf("%s: passes", name)
		}
	}
}

// compiled is one schema of a document; an error says why it is none.
func compiled(d map[string]any, pointer string) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(where, d); err != nil {
		return nil, err
	}
	return c.Compile(where + "#" + pointer)
}

// pointers are where the document has schemas: by name, and in operations.
func pointers(at string, value any) []string {
	var found []string
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			here := at + "/" + escape.Replace(key)
			if key == "schema" || at == "/components/schemas" {
				found = append(found, here)
				continue
			}
			found = append(found, pointers(here, inner)...)
		}
	case []any:
	}
	return found
}

func TestDocument_HasSchemas(t *testing.T) {
	t.Parallel()
	d := document(t)
	all := pointers("", d)
	if len(all) < 50 {
		t.Fatalf("only %d schemas are looked at", len(all))
	}
	for _, pointer := range all {
		if _, err := compiled(d, pointer); err != nil {
			t.Errorf("%s: %v", pointer, err)
		}
	}
}

func TestDocument_HasSchemas_Bites(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]map[string]any{
		"an unknown type":   {"type": "text"},
		"an enum of no set": {"enum": "primary"},
		"a lost reference":  {"$ref": "#/components/schemas/Nothing"},
	} {
		d := document(t)
		d["components"].(map[string]any)["schemas"].(map[string]any)["Wrong"] = wrong
		if _, err := compiled(d, "/components/schemas/Wrong"); err == nil {
			t.Errorf("%s: passes", name)
		}
	}
}

// What a node answers is valid by the document, whoever judges.
func TestAnswers(t *testing.T) {
	t.Parallel()
	api := startNode(t)
	d := document(t)
	for path, status := range map[string]int{
		"/state": 200, "/group": 200, "/configuration": 200, "/history": 200, "/stats": 200, "/preflight": 200, "/primary": 200, "/secondary": 503,
	} {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ag/api/v1"+path, nil))
		name := map[int]string{http.StatusOK: "200", http.StatusServiceUnavailable: "503"}[status]
		response := d["paths"].(map[string]any)[path].(map[string]any)["get"].(map[string]any)["responses"].(map[string]any)[name].(map[string]any)
		pointer := "/paths/~1" + path[1:] + "/get/responses/" + name
		if ref, ok := response["$ref"].(string); ok {
			pointer = strings.TrimPrefix(ref, "#")
		}
		s, err := compiled(d, pointer+"/content/application~1json/schema")
		if err != nil {
			t.Fatal(err)
		}
		body, err := jsonschema.UnmarshalJSON(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(body); w.Code != status || err != nil {
			t.Errorf("%s: status %d, want %d: %v", path, w.Code, status, err)
		}
	}
}

// startNode runs the Primary of a group in memory until the end of the test.
func startNode(t *testing.T) http.Handler {
	t.Helper()
	g, err := availability.New(availability.Config{
		NodeID: "a", Store: dnsstore.NewMemory(),
		Settings: availability.Settings{GroupFQDN: "svc.lab.test", ExternalIPv4Address: netip.MustParseAddr("192.0.2.1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ran := make(chan error, 1)
	go func() { ran <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	if err := g.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := g.GetNodeState(); s.NodeRole != event.RolePrimary {
		t.Fatalf("the role is %s", s.NodeRole)
	}
	return httpapi.New(g, httpapi.Config{Authorize: func(*http.Request, httpapi.Scope) (string, error) { return "alice", nil }})
}
