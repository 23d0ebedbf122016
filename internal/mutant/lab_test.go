package mutant_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/internal/mutant"
)

// module is a module of one package, which has two lines of defence.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.org/x\n\ngo 1.26\n",
		"x/x.go": "package x\n\nfunc small(n int) bool {\n\tif n > 9 {\n\t\treturn false\n\t}\n\treturn second(n) && n >= 0\n}\n\n" +
			"func second(n int) bool {\n\treturn n < 10\n}\n",
		"x/x_test.go": "package x\n\nimport \"testing\"\n\nfunc TestSmall(t *testing.T) {\n\tif small(10) || small(-1) || !small(0) {\n\t\tt.Error(\"wrong\")\n\t}\n}\n\n" +
			"func TestWrong(t *testing.T) { t.Error(\"always\") }\n\nfunc TestSkipped(t *testing.T) { t.Skip() }\n",
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const planted = `package x

mutant negative-is-small
rule 1
in x.go small
old n >= 0
new true
kill TestSmall

mutant nothing-changes
rule 1
in x.go small
old n >= 0
new n > -1
kill TestSmall

mutant panics
rule 1
in x.go small
old return second(n) && n >= 0
new panic(n)
kill TestSmall

mutant hangs
rule 1
in x.go second
old return n < 10
new for { n++ }
kill TestSmall

mutant the-first-line-is-off
rule 1
in x.go small
old n > 9
new false
equivalent second says the same.

mutant the-second-line-is-off
rule 1
in x.go second
old n < 10
new true
kill TestSmall
with the-first-line-is-off

mutant no-second-line-at-all
rule 1
in x.go small
old n >= 0
new true
kill TestSmall
with the-first-line-is-off

mutant no-such-killer
rule 1
in x.go small
old n >= 0
new true
kill TestNothing

mutant a-killer-that-always-fails
rule 1
in x.go small
old n >= 0
new true
kill TestWrong

mutant a-killer-that-is-skipped
rule 1
in x.go small
old n >= 0
new true
kill TestSkipped
`

// What becomes of mutants of every kind; above all, one that changes nothing
// survives and is reported.
func TestLab(t *testing.T) {
	t.Parallel()
	all, err := mutant.Number(planted)
	if err != nil {
		t.Fatal(err)
	}
	var told int
	l := mutant.Lab{
		Root: module(t), Dir: t.TempDir(), Workers: 2, Limit: 2 * time.Second, Now: time.Now,
		Report: func(mutant.Result) { told++ },
	}
	results, err := l.Run(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]mutant.Outcome)
	for _, r := range results {
		got[r.ID] = r.Outcome
	}
	want := map[string]mutant.Outcome{
		"negative-is-small": mutant.Killed, "nothing-changes": mutant.Survived, "hangs": mutant.Hung,
		"panics":                mutant.Panicked,
		"the-first-line-is-off": mutant.Equivalent, "the-second-line-is-off": mutant.Killed, "no-second-line-at-all": mutant.Mistaken,
		"no-such-killer": mutant.Mistaken, "a-killer-that-always-fails": mutant.Mistaken, "a-killer-that-is-skipped": mutant.Mistaken,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes mismatch (-want +got):\n%s", diff)
	}
	if told != len(all) {
		t.Errorf("%d results were told, want %d", told, len(all))
	}
}

// Half of a pair is not run alone.
func TestLab_HalfAPair(t *testing.T) {
	t.Parallel()
	all, err := mutant.Number(planted)
	if err != nil {
		t.Fatal(err)
	}
	half, _ := mutant.Find(all, "the-second-line-is-off")
	l := mutant.Lab{Root: module(t), Dir: t.TempDir(), Limit: time.Second, Now: time.Now}
	if _, err := l.Run(t.Context(), []mutant.Mutant{half}); !errors.Is(err, mutant.ErrTable) {
		t.Errorf("Run = %v, want ErrTable", err)
	}
}

// A few mutants of the shipped machine die, and one that changes nothing does
// not. All of them are run by internal/prove.
func TestLab_TheMachine(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the tests of failover")
	}
	t.Parallel()
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	var some []mutant.Mutant
	for _, id := range []string{"from-the-answer-of-the-write", "stops-after-stop", "one-promise-is-enough", "takes-over-by-the-hold-clock"} {
		m, ok := mutant.Find(table(t), id)
		if !ok {
			t.Fatalf("no mutant %s", id)
		}
		some = append(some, m)
	}
	nothing := some[1]
	nothing.ID, nothing.Number, nothing.New = "nothing-changes", 9999, "m.auth.stop <= m.now.Hold"
	some = append(some, nothing)
	l := mutant.Lab{Root: folder, Dir: t.TempDir(), Workers: 2, Limit: 30 * time.Second, Now: time.Now}
	results, err := l.Run(t.Context(), some)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		want := mutant.Killed
		if r.ID == nothing.ID {
			want = mutant.Survived
		}
		if r.Outcome != want {
			t.Errorf("%s: %s, want %s\n%s", r.ID, r.Outcome, want, r.Text)
		}
	}
}
