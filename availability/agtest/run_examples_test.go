package agtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// given is the test that the examples are run in; an example has none.
var given *testing.T

// inTest is what stands for a test function in an example: TestExamples runs
// it, so that what is shown is true.
func inTest(test func(t *testing.T)) {
	if given != nil {
		test(given)
	}
}

func TestExamples(t *testing.T) {
	examples := map[string]func(){
		"ExampleNew": ExampleNew, "ExampleNew_realTime": ExampleNew_realTime, "ExampleNew_edit": ExampleNew_edit,
		"ExampleNode_Restart": ExampleNode_Restart, "ExampleNode_Isolate": ExampleNode_Isolate,
		"ExampleNode_StepClock": ExampleNode_StepClock, "ExampleNode_Freeze": ExampleNode_Freeze,
		"ExampleCluster_CutStore": ExampleCluster_CutStore,
	}
	for name := range functions(t, "Example") {
		if examples[name] == nil {
			t.Errorf("%s is not run", name)
		}
	}
	for name, example := range examples {
		t.Run(name, func(t *testing.T) { // one at a time: they share what is given
			given = t
			defer func() { given = nil }()
			example()
		})
	}
}

// functions are the texts of the functions of the examples' file, by name.
func functions(t *testing.T, prefix string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "example_test.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, prefix) {
			found[f.Name.Name] = string(text[fset.Position(f.Body.Pos()).Offset:fset.Position(f.Body.End()).Offset])
		}
	}
	return found
}

// The test in the package comment is the first example.
func TestDoc(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, ok := strings.Cut(string(text), "//\tfunc TestCounter(t *testing.T) {\n")
	shown, _, ended := strings.Cut(shown, "\n//\t}\n")
	if !ok || !ended {
		t.Fatal("the package comment has no TestCounter")
	}
	_, run, _ := strings.Cut(functions(t, "ExampleNew")["ExampleNew"], "{ // func TestCounter(t *testing.T) {\n")
	run, _, _ = strings.Cut(run, "\n\t})\n}")
	if shown = strings.ReplaceAll(shown, "//\t", ""); shown != strings.ReplaceAll("\n"+run, "\n\t", "\n")[1:] {
		t.Errorf("the package comment shows\n%s\nand the example is\n%s", shown, run)
	}
}
