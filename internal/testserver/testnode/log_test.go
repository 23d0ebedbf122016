package testnode_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

func TestLines(t *testing.T) {
	t.Parallel()
	const log = "{\"msg\":\"listening\",\"address\":\"127.0.0.1:1\"}\nplain words\n{\"msg\":\"event\",\"id\":\"ROLE\",\"text\":\"a to b\"}\n{\"msg\":\"cut"
	want := []testnode.Line{
		{Msg: "listening", Address: "127.0.0.1:1"},
		{Msg: "plain words"},
		{Msg: "event", ID: "ROLE", Text: "a to b"},
	}
	if diff := cmp.Diff(want, testnode.Lines(log)); diff != "" {
		t.Errorf("lines mismatch (-want +got):\n%s", diff)
	}
	if !testnode.Logged(log, "ROLE", "to b") || testnode.Logged(log, "ROLE", "to c") || testnode.Logged(log, "OTHER", "to b") {
		t.Error("Logged does not look at the ID and the text of events")
	}
	if !testnode.Spilled(log, "plain") || !testnode.Spilled("panic: no", "secret") || testnode.Spilled(log, "secret") {
		t.Error("Spilled does not look for the secret and for panics")
	}
}

func TestStopped_RunningProcess(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc")
	}
	if stopped, err := testnode.Stopped(os.Getpid()); stopped || err != nil {
		t.Errorf("Stopped = %t, %v of the process that asks", stopped, err)
	}
}
