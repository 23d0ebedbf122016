package archtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goMod is what `go mod edit -json` prints of a go.mod file.
type goMod struct {
	Module    modulePath    `json:"Module"`
	Go        string        `json:"Go"`
	Toolchain string        `json:"Toolchain"`
	Require   []requirement `json:"Require"`
	Exclude   []modulePath  `json:"Exclude"`
	Replace   []replacement `json:"Replace"`
	Tool      []modulePath  `json:"Tool"`
}

type modulePath struct {
	Path string `json:"Path"`
}

type requirement struct {
	Path     string `json:"Path"`
	Indirect bool   `json:"Indirect"`
}

type replacement struct {
	Old modulePath `json:"Old"`
	New modulePath `json:"New"`
}

func readMod(t *testing.T, file string) goMod {
	t.Helper()
	// A result of tests is kept until a file changes that the test has read;
	// what the go command reads does not count.
	if _, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file))); err != nil {
		t.Fatal(err)
	}
	var m goMod
	if err := json.Unmarshal(goCommand(t, "mod", "edit", "-json", file), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// goCommand runs the go command in the root and returns what it prints.
func goCommand(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off")
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRequirements(t *testing.T) {
	t.Parallel()
	m := readMod(t, "go.mod")
	var direct, findings []string
	for _, r := range m.Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	library := []string{clock, "github.com/google/go-cmp", wire, "golang.org/x/sync"}
	for _, p := range library {
		if !slices.Contains(direct, p) {
			findings = append(findings, "go.mod: does not require "+p)
		}
	}
	for _, p := range direct {
		if !slices.Contains(append(library, testModules()...), p) {
			findings = append(findings, "go.mod: requires "+p)
		}
	}
	if len(m.Replace)+len(m.Exclude)+len(m.Tool) > 0 {
		findings = append(findings, "go.mod: replace, exclude and tool lines are for nested modules")
	}
	if m.Toolchain != "" || m.Go != "1.26.0" {
		findings = append(findings, "go.mod: want the line \"go 1.26.0\" and no toolchain, which is the host's choice")
	}
	if m.Module.Path != module {
		findings = append(findings, "go.mod: module "+m.Module.Path)
	}
	report(t, "every host program inherits what the root module requires; anything else goes into a nested module", findings)
}

func TestNestedModules(t *testing.T) {
	t.Parallel()
	var findings []string
	for _, file := range nestedModules(t) {
		m := readMod(t, file)
		dir := path.Dir(file)
		if !strings.HasPrefix(dir, "examples/") && !strings.HasPrefix(dir, "internal/") {
			findings = append(findings, file+": nested modules stand below examples or internal")
		}
		if m.Module.Path != module+"/"+dir {
			findings = append(findings, file+": its path is not that of its directory: "+m.Module.Path)
		}
		findings = append(findings, replaced(m, file)...)
	}
	report(t, "a nested module is no second product: it holds what is too heavy for the root and is built with the source beside it", findings)
}

// replaced finds a nested module that is not built with the root module of the
// same tree, and one that replaces anything else.
func replaced(m goMod, file string) []string {
	var findings []string
	own := false
	for _, r := range m.Replace {
		here := path.Clean(path.Join(path.Dir(file), r.New.Path)) == "."
		own = own || r.Old.Path == module && here
		if r.Old.Path != module || !here {
			findings = append(findings, file+": replaces "+r.Old.Path)
		}
	}
	for _, r := range m.Require {
		if r.Path == module && !own {
			findings = append(findings, file+": requires the root module without replacing it by the directory")
		}
	}
	return findings
}

// nestedModules are the go.mod files below the root.
func nestedModules(t *testing.T) []string {
	t.Helper()
	var files []string
	err := walk(func(name string) error {
		if path.Base(name) == "go.mod" && name != "go.mod" {
			files = append(files, name)
		}
		return nil
	}, func(dir string) bool { return path.Base(dir) == "testdata" })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(files, "internal/tools/go.mod") {
		t.Fatalf("internal/tools/go.mod is not among %q: the rules would check nothing", files)
	}
	return files
}

// listed is what `go list -json` prints of a package.
type listed struct {
	ImportPath string   `json:"ImportPath"`
	Deps       []string `json:"Deps"`
}

func TestDependencies(t *testing.T) {
	t.Parallel()
	var findings []string
	for _, p := range listAll(t) {
		dir := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if !importable(dir) {
			continue
		}
		for _, d := range p.Deps {
			if reason := unwanted(dir, d); reason != "" {
				findings = append(findings, p.ImportPath+" links "+d+": "+reason)
			}
		}
	}
	report(t, "a host pays for what it uses: with a store of its own it links no DNS library, and never what only tests need", findings)
}

func TestDependencies_Bite(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		dir, dep string
		want     bool
	}{
		{"availability", wire, true},
		{"availability/guardian", wire, true},
		{"dnsstore", wire, true},
		{"dnsstore/rfc2136", wire, false},
		{"dnsstore/embedded", wire, false},
		{"availability", "testing", true},
		{"availability/agtest", "testing", false},
		{"dnsstore/dnsstoretest", "testing", false},
		{"dnsstore", "pgregory.net/rapid", true},
		{"event", module + "/dnsstore", true},
		{"event", "time", false},
		{"availability", module + "/internal/testserver", true},
		{"availability", "net/http", false},
	} {
		if got := unwanted(tt.dir, tt.dep); (got != "") != tt.want {
			t.Errorf("unwanted(%q, %q) = %q, want one: %t", tt.dir, tt.dep, got, tt.want)
		}
	}
}

// unwanted says why a package in a public directory must not link another; it
// is empty if it may.
func unwanted(dir, dep string) string {
	suite := strings.HasSuffix(dir, "test")
	dns := dir == "dnsstore/rfc2136" || dir == "dnsstore/embedded"
	switch {
	case below(dep, wire) && !dns:
		return "only the stores that speak DNS do"
	case dep == "testing" && !suite:
		return "only packages for tests do"
	case slices.Contains(testModules(), dep) && !suite:
		return "a module of tests"
	case strings.HasPrefix(dep, module+"/internal/test"):
		return "the servers of our own tests"
	case dir == "event" && !standard(dep):
		return "the vocabulary knows nobody"
	}
	return ""
}

// listAll lists the packages of the root module, without their tests. A
// package that does not compile is listed too: that is the compiler's affair.
func listAll(t *testing.T) []listed {
	t.Helper()
	var all []listed
	dec := json.NewDecoder(strings.NewReader(string(goCommand(t, "list", "-e", "-json=ImportPath,Deps", "./..."))))
	for {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if !slices.ContainsFunc(all, func(p listed) bool { return p.ImportPath == module+"/event" }) {
		t.Fatalf("the go command lists %d packages and not event: the rules would check nothing", len(all))
	}
	return all
}
