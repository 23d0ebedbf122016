//go:build linux

package e2e_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// together is how many tests run at a time unless -parallel says otherwise:
// they wait most of the time, whatever the number of processors.
const together = "4"

func TestMain(m *testing.M) {
	if err := testnode.Together(together); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	status := m.Run()
	if left := running.List(); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: processes have outlived their tests: %v\n", left)
		status = 1
	}
	if err := program.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: clean up:", err)
		status = 1
	}
	os.Exit(status)
}

// running are the processes that have been started and have not ended.
var running testnode.Processes

// program is examples/node, built once, by the first test that needs it.
var program = testnode.Program{Flags: raceFlags()}

func raceFlags() []string {
	if raceDetector {
		return []string{"-race"}
	}
	return nil
}
