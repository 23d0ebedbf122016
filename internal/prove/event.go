package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// event is a line of go test -json, see go doc test2json.
type event struct {
	Action  string  `json:"Action"`
	Package string  `json:"Package"`
	Test    string  `json:"Test"`
	Elapsed float64 `json:"Elapsed"` // in seconds
	Output  string  `json:"Output"`
	Key     string  `json:"Key"` // of an attribute
	Value   string  `json:"Value"`
}

// testID names a test, with a slash before a subtest.
type testID struct{ folder, test string }

// outcome is what became of a test.
type outcome struct {
	id      testID
	status  status
	took    time.Duration
	figures []figure
	output  []string
}

// figure is something that a test has measured or counted.
type figure struct{ key, value string }

// testRun is what go test has said.
type testRun struct {
	tests  []*outcome // in the order in which they began
	byID   map[testID]*outcome
	failed bool     // a package did not compile, or failed as a whole
	other  []string // output of no test
}

// module is the path that the names of the packages begin with.
const module = "github.com/availabilitygroup/ag/"

// prefix marks the attributes that are for the proof.
const prefix = "prove."

// maxOutput is how much is kept of what a test says, in lines.
const maxOutput = 400

// read takes the output of go test -json to its end. Lines that are no events
// are kept as output. It returns an error of reading.
func read(in io.Reader) (*testRun, error) {
	r := &testRun{byID: make(map[testID]*outcome)}
	s := bufio.NewScanner(in)
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		var e event
		if json.Unmarshal(s.Bytes(), &e) != nil || e.Action == "" {
			r.other = append(r.other, s.Text()+"\n")
			continue
		}
		r.take(e)
	}
	if err := s.Err(); err != nil {
		return r, fmt.Errorf("read the output of go test: %w", err)
	}
	return r, nil
}

func (r *testRun) take(e event) {
	if e.Test == "" {
		switch e.Action {
		case "output", "build-output":
			r.other = append(r.other, e.Output)
		case "fail", "build-fail":
			r.failed = true
		}
		return
	}
	t := r.test(testID{strings.TrimPrefix(e.Package, module), e.Test})
	switch e.Action {
	case "output":
		if len(t.output) < maxOutput {
			t.output = append(t.output, e.Output)
		}
	case "attr":
		if key, ok := strings.CutPrefix(e.Key, prefix); ok {
			t.figures = append(t.figures, figure{key, e.Value})
		}
	case "pass", "fail", "skip":
		t.status = map[string]status{"pass": held, "fail": broken, "skip": skipped}[e.Action]
		t.took = time.Duration(e.Elapsed * float64(time.Second))
	}
}

// test returns the test of that name, which has begun now if it has not before.
func (r *testRun) test(id testID) *outcome {
	if t, ok := r.byID[id]; ok {
		return t
	}
	t := &outcome{id: id, status: broken} // until it has ended
	r.byID[id] = t
	r.tests = append(r.tests, t)
	return t
}

// rows are the tests that have figures, and all others that are no subtests,
// less those whose subtests stand for them.
func (r *testRun) rows() []row {
	told := make(map[string]bool)
	for _, t := range r.tests {
		if name, _, sub := strings.Cut(t.id.test, "/"); sub && len(t.figures) > 0 {
			told[name] = true
		}
	}
	var all []row
	for _, t := range r.tests {
		whole := !strings.Contains(t.id.test, "/") && (!told[t.id.test] || t.status != held)
		if len(t.figures) > 0 || t.status == skipped || whole {
			all = append(all, row{name: t.id.test, status: t.status, took: t.took, figures: t.figures, note: t.note()})
		}
	}
	return all
}

// note is why a test was skipped.
func (t *outcome) note() string {
	if t.status != skipped {
		return ""
	}
	for _, line := range t.output {
		line = strings.TrimSpace(line)
		if _, why, ok := strings.Cut(line, ".go:"); ok && !strings.HasPrefix(line, "---") {
			_, why, _ = strings.Cut(why, ": ")
			return why
		}
	}
	return "no reason was given"
}

// failures is what the failed tests have said, and no less if a package failed
// for another reason.
func (r *testRun) failures() []string {
	var all []string
	for _, t := range r.tests {
		if t.status == broken {
			all = append(all, t.id.test+" in "+t.id.folder+":\n"+strings.Join(t.output, ""))
		}
	}
	if len(all) == 0 && r.failed {
		all = append(all, r.text())
	}
	return all
}

func (r *testRun) text() string { return strings.Join(r.other, "") }
