package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/internal/failover"
)

// askedTerm is the term that a request has seen, 0 without one. It is a
// number in decimal digits, there once.
func askedTerm(h http.Header) (term uint64, ok bool) {
	values := h.Values(TermField)
	if len(values) == 0 {
		return 0, true
	}
	term, err := strconv.ParseUint(values[0], 10, 64)
	return term, err == nil && len(values) == 1
}

// aheadBy is how far a term may be ahead of all that this node knows of.
const aheadBy = uint64(time.Hour / time.Second)

// ahead refuses a request that has seen a newer term than this node, which may
// be about to hear of it. Of a term that is far ahead it will not: a new one is
// the Unix time, or the next after the last. The hour is for clocks that are off.
func (v *visit) ahead(term uint64) *obstacle {
	no := newerTerm()
	newest := max(term, uint64(max(0, v.cfg.Clock.Now().Unix())))
	no.passing = v.asked <= newest || v.asked-newest <= aheadBy
	return no
}

// doubts bounds how often requests of newer terms make a Primary look.
type doubts struct {
	mu   sync.Mutex
	busy bool      // guarded by mu
	last time.Time // guarded by mu; the end of the last look
}

// begin tells whether to look now: one at a time, with a pause between.
func (d *doubts) begin(now time.Time, pause time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy || !d.last.IsZero() && now.Sub(d.last) < pause {
		return false
	}
	d.busy = true
	return true
}

func (d *doubts) end(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy, d.last = false, now
}

// doubt refuses a request that has seen a newer term than the one this node is
// Primary in. Either the client is wrong, or this node is, and does not know:
// it looks at the record, seldom enough that no client can make it a burden.
// What it finds is logged; the role is the group's affair.
func (v *visit) doubt(ctx context.Context, term uint64) *obstacle {
	within := v.timing().Attempt()
	if v.doubts.begin(v.cfg.Clock.Now(), within) {
		defer func() { v.doubts.end(v.cfg.Clock.Now()) }()
		v.look(ctx, term, within)
	}
	return newerTerm()
}

func (v *visit) look(ctx context.Context, term uint64, within time.Duration) {
	ctx, cancel := v.cfg.Clock.WithTimeout(ctx, within)
	defer cancel()
	_, err := v.group.VerifyPrimary(ctx)
	attrs := []slog.Attr{slog.Uint64("term", term), slog.Uint64("asked", v.asked), slog.String("from", v.r.RemoteAddr)}
	switch {
	case err == nil:
		v.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "a request has seen a term that the record has not", attrs...)
	case errors.Is(err, availability.ErrNotPrimary):
		v.cfg.Logger.LogAttrs(ctx, slog.LevelError, "a request has seen a newer term, and the record does not name this node", attrs...)
	default:
		v.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "a request has seen a newer term, and the record cannot be read",
			append(attrs, slog.String("err", err.Error()))...)
	}
}

// timing is W, and what follows from it.
func (p *primaryOnly) timing() failover.Timing { return timingOf(p.group.Info()) }

func timingOf(i availability.GroupInfo) failover.Timing {
	return failover.Timing{W: i.Configuration.AllowedAbsenceInterval}
}
