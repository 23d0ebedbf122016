package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/journal"
)

const fileName = "zone.journal"

func open(t testing.TB, dir string) (*journal.Log, journal.Recovered) {
	t.Helper()
	l, found, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // most tests have closed it
	return l, found
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// written returns a directory with a snapshot and entries, and the file.
func written(t testing.TB, entries ...string) (dir string, octets []byte) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "new")
	l, found := open(t, dir)
	if len(found.Entries) != 0 {
		t.Fatalf("new directory: %d entries", len(found.Entries))
	}
	check(t, l.Rewrite([]byte(entries[0])))
	for _, e := range entries[1:] {
		check(t, l.Append([]byte(e)))
	}
	check(t, l.Close())
	octets, err := os.ReadFile(filepath.Join(dir, fileName))
	check(t, err)
	return dir, octets
}

func texts(entries [][]byte) []string {
	out := []string{}
	for _, e := range entries {
		out = append(out, string(e))
	}
	return out
}

func TestOpen_FindsWhatWasWritten(t *testing.T) {
	t.Parallel()
	want := []string{"snapshot", "", "one", "two"}
	dir, _ := written(t, want...)
	l, found := open(t, dir)
	if diff := cmp.Diff(want, texts(found.Entries)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	check(t, l.Append([]byte("three")))
	check(t, l.Rewrite([]byte("again")))
	check(t, l.Append([]byte("four")))
	check(t, l.Close())
	_, found = open(t, dir)
	if diff := cmp.Diff([]string{"again", "four"}, texts(found.Entries)); diff != "" {
		t.Errorf("after Rewrite: mismatch (-want +got):\n%s", diff)
	}
}

func TestOpen_Locks(t *testing.T) {
	t.Parallel()
	dir, _ := written(t, "snapshot")
	l, _ := open(t, dir)
	if _, _, err := journal.Open(dir); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("second Open: %v, want ErrLocked", err)
	}
	check(t, l.Append([]byte("still mine")))
	check(t, l.Close())
	open(t, dir)
}

func TestOpen_NoDirectoryAbove(t *testing.T) {
	t.Parallel()
	_, _, err := journal.Open(filepath.Join(t.TempDir(), "none", "dir"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, want ErrNotExist", err)
	}
}

// TestOpen_CutAnywhere cuts the file at every octet, as a crash may: what was
// whole before the cut is found, and the log can be used.
func TestOpen_CutAnywhere(t *testing.T) {
	t.Parallel()
	entries := []string{"snapshot", "one", "", "three, longer than what is appended after the cut"}
	dir, octets := written(t, entries...)
	path := filepath.Join(dir, fileName)
	ends := entryEnds(entries)
	for n := range octets {
		check(t, os.WriteFile(path, octets[:n], 0o600))
		whole := 0
		for whole < len(ends) && ends[whole] <= n {
			whole++
		}
		l, found, err := journal.Open(dir)
		if whole == 0 {
			if !errors.Is(err, journal.ErrCorrupt) {
				t.Errorf("cut at %d: %v, want ErrCorrupt", n, err)
			}
			continue
		}
		check(t, err)
		if diff := cmp.Diff(entries[:whole], texts(found.Entries)); diff != "" {
			t.Errorf("cut at %d: mismatch (-want +got):\n%s", n, diff)
		}
		if want := int64(n - ends[whole-1]); found.Cut != want {
			t.Errorf("cut at %d: removed %d, want %d", n, found.Cut, want)
		}
		check(t, l.Append([]byte("next")))
		check(t, l.Close())
		l, found = open(t, dir)
		if got := texts(found.Entries); got[len(got)-1] != "next" || found.Cut != 0 {
			t.Errorf("cut at %d, then appended: %q, cut %d", n, got, found.Cut)
		}
		check(t, l.Close())
	}
}

// entryEnds returns where each entry ends in the file.
func entryEnds(entries []string) []int {
	const magic, header = 8, 20
	var ends []int
	end := magic
	for _, e := range entries {
		end += header + len(e)
		ends = append(ends, end)
	}
	return ends
}

// TestOpen_DamagedAnywhere changes every octet: what is found is right, or
// else the file is corrupt. Only damage to the last entry looks like a crash.
func TestOpen_DamagedAnywhere(t *testing.T) {
	t.Parallel()
	entries := []string{"snapshot", "one", "two"}
	dir, octets := written(t, entries...)
	ends := entryEnds(entries)
	for i := range octets {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			damaged := bytes.Clone(octets)
			damaged[i] ^= flip
			check(t, os.WriteFile(filepath.Join(dir, fileName), damaged, 0o600))
			l, found, err := journal.Open(dir)
			if i < ends[1] {
				if !errors.Is(err, journal.ErrCorrupt) {
					t.Errorf("octet %d: %v, want ErrCorrupt", i, err)
				}
				continue
			}
			check(t, err)
			if diff := cmp.Diff(entries[:2], texts(found.Entries)); diff != "" {
				t.Errorf("octet %d: mismatch (-want +got):\n%s", i, diff)
			}
			check(t, l.Close())
		}
	}
}

// TestOpen_TailNotWritten: after a loss of power a file may have its new
// length, but not all of its new octets.
func TestOpen_TailNotWritten(t *testing.T) {
	t.Parallel()
	entries := []string{"snapshot", "one", "two of some length"}
	dir, octets := written(t, entries...)
	ends := entryEnds(entries)
	for from := ends[1]; from < len(octets); from++ {
		zeros := bytes.Clone(octets)
		clear(zeros[from:])
		check(t, os.WriteFile(filepath.Join(dir, fileName), zeros, 0o600))
		l, found, err := journal.Open(dir)
		check(t, err)
		if diff := cmp.Diff(entries[:2], texts(found.Entries)); diff != "" {
			t.Errorf("zeros from %d: mismatch (-want +got):\n%s", from, diff)
		}
		check(t, l.Close())
	}
}

func TestOpen_EntryMissing(t *testing.T) {
	t.Parallel()
	entries := []string{"snapshot", "one", "two"}
	dir, octets := written(t, entries...)
	ends := entryEnds(entries)
	without := append(bytes.Clone(octets[:ends[0]]), octets[ends[1]:]...)
	check(t, os.WriteFile(filepath.Join(dir, fileName), without, 0o600))
	if _, _, err := journal.Open(dir); !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("%v, want ErrCorrupt", err)
	}
}

// TestOpen_NewFileIsIgnored: a crash in Rewrite may leave it, in any state.
func TestOpen_NewFileIsIgnored(t *testing.T) {
	t.Parallel()
	dir, octets := written(t, "snapshot", "one")
	check(t, os.WriteFile(filepath.Join(dir, fileName+".new"), octets[:13], 0o600))
	l, found := open(t, dir)
	if diff := cmp.Diff([]string{"snapshot", "one"}, texts(found.Entries)); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	check(t, l.Rewrite([]byte("two")))
	check(t, l.Close())
	_, found = open(t, dir)
	if diff := cmp.Diff([]string{"two"}, texts(found.Entries)); diff != "" {
		t.Errorf("after Rewrite: mismatch (-want +got):\n%s", diff)
	}
}

func TestAppend_NeedsARewriteFirst(t *testing.T) {
	t.Parallel()
	l, _ := open(t, filepath.Join(t.TempDir(), "new"))
	if err := l.Append([]byte("one")); !errors.Is(err, journal.ErrBroken) || !l.Broken() {
		t.Errorf("%v, want ErrBroken", err)
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	l, _ := open(t, filepath.Join(t.TempDir(), "new"))
	entry := make([]byte, 300<<10)
	check(t, l.Rewrite(entry))
	var got []bool
	for range 4 {
		got = append(got, l.Due())
		check(t, l.Append(entry))
	}
	if diff := cmp.Diff([]bool{false, false, false, true}, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
	check(t, l.Rewrite(entry))
	if l.Due() {
		t.Error("due at once after Rewrite")
	}
}

// FuzzOpen: no file makes Open panic, and what it finds it finds again.
func FuzzOpen(f *testing.F) {
	_, octets := written(f, "snapshot", "one", "two")
	f.Add(octets)
	f.Add(octets[:len(octets)-1])
	f.Add(octets[:9])
	f.Add([]byte{})
	f.Add(append(bytes.Clone(octets), make([]byte, 40)...))
	f.Add(append(bytes.Clone(octets), octets[8:]...))
	f.Fuzz(func(t *testing.T, octets []byte) {
		dir := t.TempDir()
		check(t, os.WriteFile(filepath.Join(dir, fileName), octets, 0o600))
		l, found, err := journal.Open(dir)
		if err != nil {
			if !errors.Is(err, journal.ErrCorrupt) {
				t.Fatalf("%v does not wrap ErrCorrupt", err)
			}
			return
		}
		check(t, l.Append([]byte("next")))
		check(t, l.Close())
		l, again := open(t, dir)
		if diff := cmp.Diff(append(texts(found.Entries), "next"), texts(again.Entries)); diff != "" {
			t.Errorf("mismatch (-want +got):\n%s", diff)
		}
		check(t, l.Close())
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{300, 30000} {
		b.Run(fmt.Sprintf("octets=%d", size), func(b *testing.B) {
			l, _ := open(b, b.TempDir())
			check(b, l.Rewrite(nil))
			entry := make([]byte, size)
			for b.Loop() {
				check(b, l.Append(entry))
			}
		})
	}
}
