//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package statefile_test

import "testing"

// Where nothing is locked, nothing is proved.
func TestDir_NoProofWithoutALock(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := open(t, path)
	if err := d.Begin("r1"); err != nil {
		t.Fatal(err)
	}
	closeDir(t, d)
	d = open(t, path)
	if run, ok := d.PreviousRun(); ok || d.ProvenDead("r1") {
		t.Errorf("PreviousRun = %q, %v, want none", run, ok)
	}
}
