package statefile_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/availabilitygroup/ag/internal/statefile"
)

func ExampleOpen() {
	temporary, err := os.MkdirTemp("", "state")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(temporary)

	for _, run := range []string{"51aa09c2", "8d00f1e7"} {
		dir, err := statefile.Open(filepath.Join(temporary, "gw-a"))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("the first run has ended:", dir.ProvenDead("51aa09c2"))
		if err := dir.Begin(run); err != nil {
			fmt.Println(err)
		}
		if err := dir.Close(); err != nil {
			fmt.Println(err)
		}
	}

	// Output:
	// the first run has ended: false
	// the first run has ended: true
}
