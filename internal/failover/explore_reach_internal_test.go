package failover

import (
	"slices"
	"strings"

	"github.com/availabilitygroup/ag/event"
)

// reach is a set of things that have happened. A search that finds no fault
// where nothing happens proves nothing.
type reach uint32

const (
	xTakeover reach = 1 << iota // the role by rule 6
	xReclaim                    // by rule 8, for a run that the record named
	xHandover                   // by rule 8, for a run that another named
	xLapse                      // the authority ended at stop
	xRenewal                    // a renewal moved the end of the authority
	xPromise                    // a member promised
	xRefusal                    // and did not, to a term that was not old
	xCounted                    // a promise moved the end of the authority
	xConflict                   // a condition refused a write
	xNothing                    // a read showed the record that a write of unknown end was to replace
	xAnother                    // or one of somebody else
	xOwn                        // or that write
	xVoid                       // which gave nothing any more
	xLate                       // a write that was given up was applied
	reaches   = iota
)

func (r reach) String() string {
	names := []string{
		"takeover", "reclaim", "handover", "lapse", "renewal", "promise", "promise refused", "promise counted", "conflict",
		"nothing resolved", "resolved by another's", "resolved by its own", "resolved, but void", "late write",
	}
	var all []string
	for i := range reaches {
		if r&(1<<i) != 0 {
			all = append(all, names[i])
		}
	}
	return strings.Join(all, ", ")
}

// must is what a set has to reach. One tick of W leaves no instant between two
// stamps of one authority, so nothing can move its end.
func (cfg *xconfig) must() reach {
	r := xTakeover | xReclaim | xLapse | xConflict | xNothing | xAnother | xOwn | xVoid
	if cfg.w > 1 {
		r |= xRenewal
	}
	if cfg.ghosts > 0 || cfg.crash {
		r |= xLate
	}
	if cfg.beats() {
		r |= xPromise | xRefusal
		if cfg.w > 1 {
			r |= xCounted
		}
	}
	if slices.ContainsFunc(cfg.verbs, func(q Request) bool { return q.Verb == VerbFailover }) {
		r |= xHandover
	}
	return r
}

// note adds what a step of a machine, from was to is, has come to.
func (cfg *xconfig) note(was, is *Machine, in Input, out Output) {
	for _, e := range out.Events {
		if e, ok := e.(event.RoleChange); ok {
			cfg.reached |= roleReach(e)
		}
	}
	further := was.auth.held && is.auth.held && was.auth.term == is.auth.term && is.auth.until > was.auth.until
	switch in := in.(type) {
	case WriteDone:
		cfg.add(further, xRenewal)
		cfg.add(in.End == Conflicted, xConflict)
	case ReadDone:
		cfg.reached |= readReach(was, in)
	case Answered:
		cfg.add(further, xCounted)
	case Received:
		cfg.reached |= heartbeatReach(was, in, out)
	default: // tells nothing by itself
	}
}

func (cfg *xconfig) add(happened bool, r reach) {
	if happened {
		cfg.reached |= r
	}
}

func roleReach(e event.RoleChange) reach {
	switch e.Cause {
	case event.CausePrimaryLost:
		return xTakeover
	case event.CauseReclaimed:
		return xReclaim
	case event.CauseLeaseLost:
		return xLapse
	case event.CauseHandover:
		if e.New == event.RolePrimary {
			return xHandover
		}
	default:
	}
	return 0
}

func readReach(was *Machine, in ReadDone) reach {
	if len(was.tries) == 0 || in.Problem != "" {
		return 0
	}
	i := slices.IndexFunc(was.tries, func(a attempt) bool { return a.rec.Nonce == in.Seen.Record.Nonce })
	switch {
	case ident(in.Seen) == was.openOn:
		return xNothing
	case i < 0:
		return xAnother
	case was.tries[i].void:
		return xVoid
	default:
		return xOwn
	}
}

func heartbeatReach(was *Machine, in Received, out Output) reach {
	hb, ok := in.Message.(Heartbeat)
	if !ok {
		return 0
	}
	for _, e := range out.Effects {
		r, ok := e.(Reply)
		if !ok {
			continue
		}
		switch report, ok := r.Message.(Report); {
		case !ok:
		case report.Promise > 0:
			return xPromise
		case hb.Term >= was.known.heard.term:
			return xRefusal
		}
	}
	return 0
}
