//go:build linux

package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// together is how many scenarios run at a time unless -parallel says otherwise:
// they wait most of the time, whatever the number of processors.
const together = "8"

func TestMain(m *testing.M) {
	if file := os.Getenv(programConfig); file != "" {
		os.Exit(programMain(file))
	}
	if err := testnode.Together(together); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	before := machineNetwork()
	status := m.Run()
	for what, text := range machineNetwork() {
		if text != before[what] {
			fmt.Fprintf(os.Stderr, "FAIL: the network of the machine has changed: %s\nbefore:\n%s\nafter:\n%s\n", what, before[what], text)
			status = 1
		}
	}
	if left := running.List(); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: processes have outlived their tests: %v\n", left)
		status = 1
	}
	if err := errors.Join(nodeProgram.Remove(), workflowProgram.Remove()); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL: clean up:", err)
		status = 1
	}
	os.Exit(status)
}

// machineNetwork is what no test may change: the machine's own interfaces,
// routes, named namespaces and tables. What cannot be asked for is empty.
func machineNetwork() map[string]string {
	all := map[string]string{}
	for _, question := range []string{"ip -o link", "ip -o address", "ip route show table all", "ip netns list", "nft list ruleset"} {
		words := strings.Fields(question)
		out, err := exec.CommandContext(context.Background(), words[0], words[1:]...).Output()
		if err != nil {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		for i, l := range lines {
			l, _, _ = strings.Cut(l, "valid_lft") // lifetimes count down
			lines[i], _, _ = strings.Cut(l, " expires ")
		}
		slices.Sort(lines)
		all[question] = strings.Join(lines, "\n")
	}
	return all
}

// running are the processes that have been started and have not ended.
var running testnode.Processes

// nodeProgram is examples/node, built once, by the first test that needs it,
// without the race detector: it is to be as quick as in use.
var nodeProgram = testnode.Program{Flags: unraced()}

const workflowFolder = "examples/workflow"

// workflowProgram is examples/workflow, likewise.
var workflowProgram = testnode.Program{Folder: workflowFolder, Flags: unraced()}

func unraced() []string { return []string{"-race=false"} }
