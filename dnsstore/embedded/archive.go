package embedded

import (
	"fmt"
	"log/slog"

	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/journal"
	"github.com/availabilitygroup/ag/dnsstore/embedded/internal/zone"
)

// archive keeps the zone on disk; without a directory it keeps nothing and
// never fails. Only the writer uses it.
type archive struct {
	log      *journal.Log // nil: memory only
	slog     *slog.Logger
	failures int // in a row
}

// openArchive returns the archive and the zone to start with.
func openArchive(dir string, initial *zone.Zone, log *slog.Logger) (*archive, *zone.Zone, error) {
	a := &archive{slog: log}
	if dir == "" {
		return a, initial, nil
	}
	l, found, err := journal.Open(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("embedded: open %s: %w", dir, err)
	}
	a.log = l
	if found.Cut > 0 {
		log.Warn("journal: unfinished entry removed", slog.Int64("octets", found.Cut))
	}
	z, err := a.start(found.Entries, initial)
	if err != nil {
		_ = a.close() // nothing was written by it
		return nil, nil, fmt.Errorf("embedded: open %s: %w", dir, err)
	}
	return a, z, nil
}

// start replays the journal, or begins one.
func (a *archive) start(entries [][]byte, initial *zone.Zone) (*zone.Zone, error) {
	if len(entries) == 0 {
		return initial, a.rewrite(initial)
	}
	z := zone.Empty(initial.Apex())
	for i, entry := range entries {
		changes, err := z.Decode(entry)
		if err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", ErrCorrupt, i, err)
		}
		z = z.With(changes)
	}
	if !z.Complete() {
		return nil, fmt.Errorf("%w: no SOA at %s", ErrCorrupt, z.Apex())
	}
	return z, nil
}

// save puts encoded changes on the disk. present is the zone without them.
func (a *archive) save(octets []byte, present *zone.Zone) error {
	if a.log == nil || len(octets) == 0 {
		return nil
	}
	err := a.append(octets, present)
	if err == nil {
		a.failures = 0
		return nil
	}
	a.failures++
	// The first, and then each time that the number has doubled.
	if a.failures&(a.failures-1) == 0 {
		a.slog.Warn("journal: cannot be written", slog.Int("times", a.failures), slog.Any("err", err))
	}
	return err
}

func (a *archive) append(octets []byte, present *zone.Zone) error {
	if a.log.Broken() {
		if err := a.rewrite(present); err != nil {
			return err
		}
	}
	return a.log.Append(octets)
}

// tidy rewrites the journal once it has grown. If that fails the old one is
// good for longer, or save will try again.
func (a *archive) tidy(present *zone.Zone) {
	if a.log == nil || !a.log.Due() {
		return
	}
	if err := a.rewrite(present); err != nil {
		a.slog.Warn("journal: cannot be rewritten", slog.Any("err", err))
	}
}

func (a *archive) rewrite(present *zone.Zone) error {
	snapshot, err := zone.Encode(present.All())
	if err != nil {
		return err
	}
	return a.log.Rewrite(snapshot)
}

func (a *archive) close() error {
	if a.log == nil {
		return nil
	}
	return a.log.Close()
}
