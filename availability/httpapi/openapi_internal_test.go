package httpapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every endpoint is in the document with its scope, and nothing else is.
func TestDocument_HasTheEndpoints(t *testing.T) {
	t.Parallel()
	var d struct {
		Paths map[string]map[string]struct {
			Scope    string           `json:"x-ag-scope"`
			Security *json.RawMessage `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(document, &d); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for path, m := range new(api).table() {
		for method, e := range m {
			scope := string(e.scope)
			if e.scope == scopeOpen {
				scope = "open"
			}
			want = append(want, method+" /"+path+" "+scope)
		}
	}
	for path, m := range d.Paths {
		for method, o := range m {
			got = append(got, strings.ToUpper(method)+" "+path+" "+o.Scope)
			if open := o.Security != nil && string(*o.Security) == "[]"; open != (o.Scope == "open") {
				t.Errorf("%s %s has the scope %s and says security %v", method, path, o.Scope, o.Security)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations: mismatch (-table +document):\n%s", diff)
	}
}

// The document names every reason that an error of the group is answered with.
func TestDocument_HasTheReasons(t *testing.T) {
	t.Parallel()
	var d struct {
		Components struct {
			Schemas struct {
				Problem struct {
					Properties struct {
						Details struct {
							Properties struct {
								Reason struct {
									Enum []string `json:"enum"`
								} `json:"reason"`
							} `json:"properties"`
						} `json:"details"`
					} `json:"properties"`
				} `json:"Problem"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(document, &d); err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, reason := range d.Components.Schemas.Problem.Properties.Details.Properties.Reason.Enum {
		named[reason] = true
	}
	for _, x := range decisions() {
		if !named[x.reason] {
			t.Errorf("the document lacks the reason %s; it has %q", x.reason, slices.Sorted(maps.Keys(named)))
		}
	}
}
