package archtest_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// rootEntries is what stands in the root of the repository, besides files and
// folders whose names begin with a dot.
func rootEntries() []string {
	return []string{
		"LICENSE", "README.md", "availability", "dnsstore", "event", "examples",
		"go.mod", "go.sum", "internal", "transport",
	}
}

func TestRoot(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var findings, names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(rootEntries(), e.Name()) {
			findings = append(findings, e.Name()+": not of the root")
		}
	}
	for _, name := range rootEntries() {
		if !slices.Contains(names, name) {
			findings = append(findings, name+": missing")
		}
	}
	report(t, "whoever opens the repository sees the public packages and nothing that needs explaining; "+
		"what is not for hosts stands in internal, what is for the project in a dot folder", findings)
}

func TestLicense(t *testing.T) {
	t.Parallel()
	const want = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
	text, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(text)); got != want {
		t.Errorf("LICENSE has the SHA-256 sum %s, want %s\nWhy: tools know the Apache License 2.0 by its exact text", got, want)
	}
}

// maxREADME is the limit of README.md, in lines.
const maxREADME = 150

func TestREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if os.IsNotExist(err) {
		t.Skip("there is no README.md; TestRoot says so")
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(readme, []byte("\n")); n > maxREADME {
		t.Errorf("README.md: %d lines, the limit is %d\nWhy: it is what a newcomer reads before deciding to read more", n, maxREADME)
	}
	var examples []string
	for _, s := range sources(t) {
		if s.in("examples") {
			examples = append(examples, program(string(s.text)))
		}
	}
	report(t, "a program in the README is compiled and run only if it is a file of the examples", unknownPrograms(string(readme), examples))
}

func TestREADME_Bite(t *testing.T) {
	t.Parallel()
	const block = "# ag\n\n```go\npackage main\n\nfunc main() {}\n```\n\n```go\nfragment()\n```\n"
	for name, tt := range map[string]struct {
		readme, example string
		want            int
	}{
		"equal":          {block, "// Command x does.\npackage main\n\nfunc main() {}\n", 0},
		"changed":        {block, "package main\n\nfunc main() { }\n", 1},
		"longer":         {block, "package main\n\nfunc main() {}\n\nfunc f() {}\n", 1},
		"no program":     {"# ag\n\n```go\nfragment()\n```\n", "package main\n", 1},
		"not terminated": {"# ag\n\n```go\npackage main\n", "package main\n", 1},
	} {
		if got := unknownPrograms(tt.readme, []string{program(tt.example)}); len(got) != tt.want {
			t.Errorf("%s: found %q, want %d", name, got, tt.want)
		}
	}
}

// unknownPrograms finds the programs of the README that are no example.
func unknownPrograms(readme string, examples []string) []string {
	var findings []string
	programs := 0
	for i, block := range strings.Split(readme, "\n```go\n") {
		code, _, ended := strings.Cut(block, "\n```")
		if i == 0 || !ended || !strings.HasPrefix(code, "package ") {
			continue
		}
		programs++
		if !slices.Contains(examples, code+"\n") {
			findings = append(findings, fmt.Sprintf("README.md: program %d is not the text of a file below examples", programs))
		}
	}
	if programs == 0 {
		findings = append(findings, "README.md: no program")
	}
	return findings
}

// program is the text of a file from its package clause.
func program(text string) string {
	if i := strings.Index(text, "\npackage "); i >= 0 && !strings.HasPrefix(text, "package ") {
		return text[i+1:]
	}
	return text
}

func TestNoMachineIsNamed(t *testing.T) {
	t.Parallel()
	var findings []string
	err := walk(func(name string) error {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil || bytes.IndexByte(text, 0) >= 0 || path.Base(name) == "go.sum" {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			if m := machinePath(line); m != "" {
				findings = append(findings, fmt.Sprintf("%s:%d: %s", name, i+1, m))
			}
		}
		return nil
	}, func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	report(t, "a path of the machine that something was written on means nothing on another", findings)
}

// machinePath returns the path in the line that is one of a single machine:
// below a user's directory, or where a project was worked on.
func machinePath(line string) string {
	if m := unixPath().FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return windowsPath().FindString(line)
}

var (
	unixPath = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?:^|[\s"'` + "`" + `(=:,])(/(?:home|Users|root|work|workspace|builds)/[\w.-]+)`)
	})
	windowsPath = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\b[a-z]:\\+(?:Users|work|src)\\+\w+`)
	})
)

func TestNoMachineIsNamed_Bite(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"see " + "/home" + "/ann/ag/x.go": "/home" + "/ann",
		`"` + "/work" + `/main"`:          "/work" + "/main",
		"cd C:" + `\Users\ann`:            "C:" + `\Users\ann`,
		"https://example.org/home/ann":    "",
		"/var/lib/ag and /etc/bind":       "",
		"internal/home/x":                 "",
	} {
		if got := machinePath(line); got != want {
			t.Errorf("machinePath(%q) = %q, want %q", line, got, want)
		}
	}
}
