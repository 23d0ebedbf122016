package linear_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// checkTimeout bounds the search for one register. A history that cannot be
// judged in it fails the test: the workload is too large.
const checkTimeout = 30 * time.Second

// verdict is what was found of one register.
type verdict struct {
	register string
	result   porcupine.CheckResult
	calls    []porcupine.Operation
	info     porcupine.LinearizationInfo
}

// judge checks the registers one after the other, and returns those that no
// order explains.
func judge(h *history) []verdict {
	var bad []verdict
	all := h.registers()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		v := verdict{register: name, calls: all[name]}
		v.result, v.info = porcupine.CheckOperationsVerbose(model(), v.calls, checkTimeout)
		if v.result != porcupine.Ok {
			bad = append(bad, v)
		}
	}
	return bad
}

// mustBeLinear fails the test if the history is not linearizable, with what a
// person needs to see why.
func mustBeLinear(t *testing.T, h *history) {
	t.Helper()
	for _, v := range judge(h) {
		t.Errorf("register %s: %s: no order of the calls explains what they returned\n%s", v.register, v.result, v)
		file := filepath.Join(t.ArtifactDir(), v.register+".html")
		if err := v.draw(file); err != nil {
			t.Errorf("draw the history: %v", err)
		}
		t.Logf("the same as a page, if artifacts are kept (go test -artifacts): %s", file)
	}
}

// draw writes a page that shows the calls as bars, and the longest orders that
// explain some of them.
func (v verdict) draw(file string) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := porcupine.Visualize(model(), v.info, out); err != nil {
		_ = out.Close() // the first error is the one to tell
		return err
	}
	return out.Close()
}

// String lists the calls by the time they were made, and ends with the longest
// order that explains a part of them.
func (v verdict) String() string {
	calls := slices.Clone(v.calls)
	slices.SortStableFunc(calls, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	var text strings.Builder
	for _, op := range calls {
		in, out := op.Input.(input), op.Output.(output)
		if in.isEnd() {
			continue
		}
		until := "never returned"
		if op.Return != never {
			until = time.Duration(op.Return).String()
		}
		fmt.Fprintf(&text, "  client %d, %v to %s: %s\n", op.ClientId, time.Duration(op.Call), until, describe(in, out))
	}
	text.WriteString("the longest order that explains a part of them ends in the call that no other can follow:\n")
	for _, op := range v.longest() {
		fmt.Fprintf(&text, "  client %d: %s\n", op.ClientId, describe(op.Input.(input), op.Output.(output)))
	}
	return text.String()
}

// longest returns the end of the longest order that was found.
func (v verdict) longest() []porcupine.Operation {
	const shown = 12
	var best []porcupine.Operation
	for _, partition := range v.info.PartialLinearizationsOperations() {
		for _, order := range partition {
			if len(order) > len(best) {
				best = order
			}
		}
	}
	return best[max(0, len(best)-shown):]
}
