package availability

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/availabilitygroup/ag/internal/statefile"
)

func openState(t *testing.T, path string) *stateDir {
	t.Helper()
	d := newStateDir(path)
	if err := d.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeState(t, d) })
	return d
}

func closeState(t *testing.T, d *stateDir) {
	t.Helper()
	if err := d.close(); err != nil {
		t.Error(err)
	}
}

func aState() savedState {
	return savedState{Settings: completeSettings(), Membership: membership{InGroup: true, Group: "7f3c41d2", Term: 1795290771}}
}

// checkSaved looks for want in the directory as another process would.
func checkSaved(t *testing.T, path string, want savedState) {
	t.Helper()
	got, ok, err := newStateDir(path).load()
	if err != nil || !ok || got != want {
		t.Errorf("load = %+v, %v, %v\nwant   %+v", got, ok, err, want)
	}
}

func TestStateDir_SavesSettings(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	d := openState(t, path)
	if s, ok, err := d.load(); ok || err != nil || s != (savedState{}) {
		t.Errorf("load of a new directory = %+v, %v, %v", s, ok, err)
	}
	want := aState()
	if err := d.save(want); err != nil {
		t.Fatal(err)
	}
	checkSaved(t, path, want)
	want.Settings.TSIGSecret, want.Membership = Secret{}, membership{}
	if err := d.save(want); err != nil {
		t.Fatal(err)
	}
	checkSaved(t, path, want)
}

func TestStateDir_SaveWritesChangesOnly(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := openState(t, path)
	file := filepath.Join(path, stateName)
	if err := d.save(aState()); err != nil {
		t.Fatal(err)
	}
	// Whether the next one writes shows on a file that is gone.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := d.save(aState()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the same state was written again: %v", err)
	}
	changed := aState()
	changed.Membership.Term++
	if err := d.save(changed); err != nil {
		t.Fatal(err)
	}
	checkSaved(t, path, changed)
}

// Settings may be saved before Run has taken the directory and after it has
// given it back, but not while another Group has it.
func TestStateDir_SaveWithoutOpen(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := newStateDir(path)
	if err := d.save(aState()); err != nil {
		t.Fatal(err)
	}
	checkSaved(t, path, aState())

	owner := openState(t, path)
	changed := aState()
	changed.Membership.Term++
	if err := d.save(changed); !errors.Is(err, ErrStateLocked) {
		t.Errorf("save while another has the directory: %v, want ErrStateLocked", err)
	}
	checkSaved(t, path, aState())
	closeState(t, owner)
	if err := d.save(changed); err != nil {
		t.Fatal(err)
	}
	checkSaved(t, path, changed)
}

func TestStateDir_BelongsToOneGroup(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := openState(t, path)
	second := newStateDir(path)
	if err := second.open(); !errors.Is(err, ErrStateLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("second open: %v, want ErrStateLocked with the path", err)
	}
	closeState(t, d)
	if err := second.open(); err != nil {
		t.Fatal(err)
	}
	closeState(t, second)
}

func TestStateDir_Runs(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := openState(t, path)
	if err := d.begin("51aa09c2"); err != nil {
		t.Fatal(err)
	}
	if d.provenDead("51aa09c2") {
		t.Error("the own run is proved dead")
	}
	closeState(t, d)
	if _, ok := d.previousRun(); ok || d.provenDead("51aa09c2") {
		t.Error("something is proved while the directory is not open")
	}
	probe, err := statefile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	proves := probe.ProvenDead("51aa09c2") // not on every system
	if err := probe.Close(); err != nil {
		t.Fatal(err)
	}
	d = openState(t, path)
	if run, ok := d.previousRun(); ok != proves || ok && run != "51aa09c2" || d.provenDead(run) != proves {
		t.Errorf("previousRun = %q, %v, want proof: %v", run, ok, proves)
	}
}

func TestStateDir_None(t *testing.T) {
	t.Parallel()
	d := newStateDir("")
	if err := errors.Join(d.open(), d.begin("51aa09c2"), d.save(aState()), d.close()); err != nil {
		t.Errorf("without a directory: %v", err)
	}
	if s, ok, err := d.load(); ok || err != nil || s != (savedState{}) {
		t.Errorf("load = %+v, %v, %v, want nothing", s, ok, err)
	}
	if _, ok := d.previousRun(); ok || d.provenDead("51aa09c2") {
		t.Error("something is proved without a directory")
	}
}

func TestStateDir_Damaged(t *testing.T) {
	t.Parallel()
	whole, err := encodeState(aState())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":             "",
		"cut short":         string(whole[:len(whole)/2]),
		"no object":         "[]",
		"later version":     strings.Replace(string(whole), `"version": 1`, `"version": 2`, 1),
		"no settings":       `{"version":1}`,
		"unknown setting":   `{"version":1,"settings":{"nodes":1}}`,
		"wrong setting":     `{"version":1,"settings":{"external_port":0}}`,
		"secret, no base64": `{"version":1,"settings":{},"tsig_secret":"hunter2!"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir()
			file := filepath.Join(path, stateName)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			d := openState(t, path)
			_, ok, err := d.load()
			if err == nil || ok || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("load: %v, %v, want an error that names the file, without the secret", ok, err)
			}
			if got, err := os.ReadFile(file); err != nil || string(got) != text {
				t.Errorf("the damaged file has changed: %q, %v", got, err)
			}
		})
	}
}

func TestStateDir_ConcurrentSaves(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := openState(t, path)
	var wg sync.WaitGroup
	for term := range uint64(8) {
		wg.Go(func() {
			s := aState()
			s.Membership.Term = term
			if err := d.save(s); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s, ok, err := d.load(); err != nil || !ok || s.Membership.Term > 7 {
		t.Errorf("load = %+v, %v, %v, want one of those that were saved", s, ok, err)
	}
}
