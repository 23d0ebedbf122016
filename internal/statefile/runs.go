package statefile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// maxRuns is how many runs are remembered: a process that crashes again and
// again must not lose the one that the group's record still names.
const maxRuns = 16

const runsVersion = 1

// runs is the content of the file of runs.
type runs struct {
	Version int `json:"version"`
	// Lock identifies the lock file under which the runs were recorded.
	Lock string   `json:"lock"`
	Runs []string `json:"runs"`
}

func encodeRuns(lock string, names []string) []byte {
	names = names[:min(len(names), maxRuns)]
	text, err := json.Marshal(runs{Version: runsVersion, Lock: lock, Runs: names})
	if err != nil {
		return nil // strings and numbers have a JSON form
	}
	return append(text, '\n')
}

// readRuns reads the file of runs; that there is none is no error.
func readRuns(path string) (runs, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return runs{}, nil
	}
	if err != nil {
		return runs{}, fmt.Errorf("read the runs of the node: %w", err)
	}
	var r runs
	if err := json.Unmarshal(text, &r); err != nil {
		return runs{}, fmt.Errorf("%s is damaged: %w; move it away, and the node waits as if its last run were alive", path, err)
	}
	if r.Version != runsVersion {
		return runs{}, fmt.Errorf("%s has version %d, this program knows %d", path, r.Version, runsVersion)
	}
	return r, nil
}
