package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func claimsOf(t *testing.T) []claim {
	t.Helper()
	all, err := readClaims(claimTable)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// readmeTable returns the rows of a table of README.md, by its first cell.
func readmeTable(t *testing.T, head string) [][]string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "\n"+head+"\n")
	if !ok {
		t.Fatalf("README.md has no table %q", head)
	}
	var rows [][]string
	for line := range strings.SplitSeq(after, "\n") {
		if !strings.HasPrefix(line, "|") {
			break
		}
		if strings.HasPrefix(line, "| ---") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		rows = append(rows, cells)
	}
	return rows
}

// Every sentence that README.md promises is a claim, every one that it does not
// promise a limit, word for word, and there are no others.
func TestClaims_AreThoseOfTheREADME(t *testing.T) {
	t.Parallel()
	var want []string
	for _, r := range readmeTable(t, "| promised | not promised |") {
		want = append(want, "claim "+r[0], "limit "+r[1])
	}
	for _, r := range readmeTable(t, "| | then |") {
		want = append(want, "claim "+r[0]+": "+r[1])
	}
	var got []string
	for _, c := range claimsOf(t) {
		kind := "claim "
		if c.limit {
			kind = "limit "
		}
		got = append(got, kind+c.text)
	}
	for _, x := range want {
		if !slices.Contains(got, x) {
			t.Errorf("claims.txt lacks: %s", x)
		}
	}
	for _, x := range got {
		if !slices.Contains(want, x) {
			t.Errorf("README.md does not say: %s", x)
		}
	}
}

// Every claim has tests, and they are there.
func TestClaims_TestsExist(t *testing.T) {
	t.Parallel()
	for _, c := range claimsOf(t) {
		if len(c.by) == 0 != c.limit {
			t.Errorf("%q has %d tests", c.text, len(c.by))
		}
		for _, id := range c.by {
			if !exists(t, id) {
				t.Errorf("%s has no test %s", id.folder, id.test)
			}
		}
	}
}

func exists(t *testing.T, id testID) bool {
	t.Helper()
	name, script, isScript := strings.Cut(id.test, "/")
	if isScript {
		if _, err := os.Stat(filepath.Join("../..", id.folder, "testdata", script+".txt")); err != nil {
			return false
		}
	}
	files, err := filepath.Glob(filepath.Join("../..", id.folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), "\nfunc "+name+"(")
	})
}

// A claim is backed by one test that passed and none that failed or is missing.
func TestJudge(t *testing.T) {
	t.Parallel()
	id := func(name string) testID { return testID{"x", name} }
	p := &prover{done: map[testID]outcome{
		id("passed"): {status: held}, id("failed"): {status: broken}, id("skipped"): {status: skipped},
	}}
	for name, tt := range map[string]struct {
		by   []testID
		want status
	}{
		"none":               {nil, broken},
		"passed":             {[]testID{id("passed")}, held},
		"passed and failed":  {[]testID{id("passed"), id("failed")}, broken},
		"failed and passed":  {[]testID{id("failed"), id("passed")}, broken},
		"passed and skipped": {[]testID{id("skipped"), id("passed")}, held},
		"skipped":            {[]testID{id("skipped")}, skipped},
		"missing":            {[]testID{id("passed"), id("missing")}, broken},
	} {
		if got, _ := p.judge(claim{text: name, by: tt.by}); got.status != tt.want {
			t.Errorf("%s: %s, want %s", name, got.status, tt.want)
		}
	}
}

func TestReadClaims_Mistakes(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"by x TestX\n", "claim a\nby TestX\n", "promise a\n"} {
		if _, err := readClaims(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}
