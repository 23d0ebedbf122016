package availability_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// simDeed is one kind of thing that happens to a group.
type simDeed string

// deedRecover ends all faults and waits for one Primary.
const deedRecover simDeed = "all faults end"

// rarely is the weight of what ends a group, or all claims about it.
const rarely = 0

// simAct is what a deed does: to member a, with member b where it takes two.
type simAct struct {
	weight int    // how many times as likely as others, or rarely
	words  string // with {a} and {b}
	do     func(w *simWorld, s simStep, a, b *simMember)
}

// simDeeds returns the common deeds, each as often as its weight says, and
// those that happen rarely.
func simDeeds() (common, rare []simDeed) {
	acts := simActs()
	for _, name := range simDeedNames() {
		if acts[name].weight == rarely {
			rare = append(rare, name)
		}
		common = append(common, slices.Repeat([]simDeed{name}, acts[name].weight)...)
	}
	return common, rare
}

// String says the step in words.
func (s simStep) String() string {
	text, a := string(s.deed), string(rune('a'+s.a))
	if s.aimed {
		a = "the Primary, else " + a + ","
	}
	if act, ok := simActs()[s.deed]; ok {
		text = strings.NewReplacer("{a}", a, "{b}", string(rune('a'+s.b))).Replace(act.words)
	}
	return fmt.Sprintf("%3d. after %v: %s", s.number, s.wait.Round(time.Millisecond), text)
}

// simActs are all deeds.
func simActs() map[simDeed]simAct {
	all := map[simDeed]simAct{}
	for _, group := range []map[simDeed]simAct{
		simProcessActs(), simClockActs(), simLinkActs(), simStoreActs(), simVerbActs(), simHostActs(), simHandActs(),
	} {
		maps.Copy(all, group)
	}
	return all
}

func simProcessActs() map[simDeed]simAct {
	return map[simDeed]simAct{
		"crash": {3, "{a} is killed, or started if it is down", func(w *simWorld, _ simStep, a, _ *simMember) {
			if p := a.process(); p != nil {
				w.kill(p)
				w.reach("crashes")
				return
			}
			w.start(a)
		}},
		"restart": {2, "{a} is killed and started at once", func(w *simWorld, _ simStep, a, _ *simMember) {
			if p := a.process(); p != nil {
				w.kill(p)
				w.reach("crashes")
			}
			w.start(a)
			if a.plan.stateDir {
				w.reach("restarts with a state directory")
			} else {
				w.reach("restarts without a state directory")
			}
		}},
		"stop": {3, "{a} is told to end", func(w *simWorld, _ simStep, a, _ *simMember) { w.stop(a) }},
		"freeze": {3, "{a} is stopped like by SIGSTOP, or goes on", func(w *simWorld, _ simStep, a, _ *simMember) {
			w.freeze(a, false)
		}},
		"suspend": {2, "the machine of {a} is suspended, or goes on", func(w *simWorld, _ simStep, a, _ *simMember) {
			w.freeze(a, true)
		}},
	}
}

func simClockActs() map[simDeed]simAct {
	return map[simDeed]simAct{
		"clock": {2, "the wall clock of {a} is set", func(w *simWorld, s simStep, a, _ *simMember) {
			d := s.upTo(1, 4*w.plan.w()) - 2*w.plan.w()
			if p := a.process(); p != nil && p.frozen() {
				d = d.Abs() // set back while suspended it would hide the time, which A2 excludes
			}
			a.machine.step(d)
			if d < 0 {
				a.setBack = time.Now()
			}
			w.say(a.id, "has its wall clock set by %v", d)
			w.reach("clock steps")
		}},
		"hour": {1, "the wall clock of {a} is set forward by an hour", func(w *simWorld, _ simStep, a, _ *simMember) {
			a.machine.step(time.Hour)
			w.reach("clock steps")
		}},
	}
}

func simLinkActs() map[simDeed]simAct {
	return map[simDeed]simAct{
		"cut one way": {3, "messages from {a} to {b} are lost", func(w *simWorld, _ simStep, a, b *simMember) {
			w.net.Cut(a.id, b.id)
			w.reach("links cut one way")
		}},
		"cut both ways": {3, "messages between {a} and {b} are lost", func(w *simWorld, _ simStep, a, b *simMember) {
			w.net.Cut(a.id, b.id)
			w.net.Cut(b.id, a.id)
			w.reach("links cut both ways")
		}},
		"isolate": {3, "{a} is cut off from everybody", func(w *simWorld, _ simStep, a, _ *simMember) {
			for _, m := range w.members {
				w.net.Cut(a.id, m.id)
				w.net.Cut(m.id, a.id)
			}
			w.spoil(func(f *simFaults) { f.toStore[a.id], f.fromStore[a.id] = true, true })
			w.reach("nodes cut off")
		}},
		"half cut off": {4, "{a} is cut off from the store and from {b}", func(w *simWorld, _ simStep, a, b *simMember) {
			w.net.Cut(a.id, b.id)
			w.net.Cut(b.id, a.id)
			w.spoil(func(f *simFaults) { f.toStore[a.id] = true })
			w.reach("nodes cut off from the store and a member")
		}},
		"heal": {2, "the links of {a} work again", func(w *simWorld, _ simStep, a, _ *simMember) {
			for _, m := range w.members {
				w.net.Heal(a.id, m.id)
				w.net.Heal(m.id, a.id)
			}
			w.spoil(func(f *simFaults) { f.toStore[a.id], f.fromStore[a.id] = false, false })
		}},
		"slow": {2, "everything takes up to W/5 each way", func(w *simWorld, _ simStep, _, _ *simMember) {
			w.spoil(func(f *simFaults) { f.slow = w.plan.w() / 5 })
		}},
		"very slow": {1, "everything takes up to 2 W each way", func(w *simWorld, _ simStep, _, _ *simMember) {
			w.spoil(func(f *simFaults) { f.slow = 2 * w.plan.w() })
		}},
		"lossy": {1, "the network loses a third of the messages", func(w *simWorld, _ simStep, _, _ *simMember) {
			w.spoil(func(f *simFaults) { f.lossy = true })
		}},
		"twice": {1, "a third of the messages arrive twice", func(w *simWorld, _ simStep, _, _ *simMember) {
			w.spoil(func(f *simFaults) { f.twice = true })
		}},
	}
}

func simStoreActs() map[simDeed]simAct {
	few := func(s simStep) int { return 1 + int(s.upTo(1, 3)) }
	return map[simDeed]simAct{
		"requests lost": {3, "requests of {a} to the store are lost", func(w *simWorld, _ simStep, a, _ *simMember) {
			w.spoil(func(f *simFaults) { f.toStore[a.id] = true })
		}},
		"answers lost": {2, "answers of the store to {a} are lost", func(w *simWorld, _ simStep, a, _ *simMember) {
			w.spoil(func(f *simFaults) { f.fromStore[a.id] = true })
		}},
		"store down": {2, "the store is down", func(w *simWorld, _ simStep, _, _ *simMember) {
			w.reach("outages of the store")
			w.spoil(func(f *simFaults) {
				for _, m := range w.members {
					f.toStore[m.id] = true
				}
			})
		}},
		"refused": {2, "the store refuses updates of {a}", func(w *simWorld, _ simStep, a, _ *simMember) {
			w.spoil(func(f *simFaults) { f.refuse[a.id] = true })
		}},
		"late": {3, "the next updates of {a} are applied W late", func(w *simWorld, s simStep, a, _ *simMember) {
			w.spoil(func(f *simFaults) { f.late[a.id] = few(s) })
		}},
		"lose": {3, "the answers to the next updates of {a} are lost", func(w *simWorld, s simStep, a, _ *simMember) {
			w.spoil(func(f *simFaults) { f.lose[a.id] = few(s) })
		}},
		"broken": {1, "the connection breaks after the next updates of {a}", func(w *simWorld, s simStep, a, _ *simMember) {
			w.spoil(func(f *simFaults) { f.brokenAnswers[a.id] = few(s) })
		}},
		"doubled": {1, "the next updates of {a} arrive twice", func(w *simWorld, s simStep, a, _ *simMember) {
			w.spoil(func(f *simFaults) { f.doubled[a.id] = few(s) })
		}},
	}
}

func simVerbActs() map[simDeed]simAct {
	return map[simDeed]simAct{
		"leave": {2, "{a} is asked to leave", func(w *simWorld, _ simStep, a, _ *simMember) {
			w.ask(a, "leave", func(ctx context.Context, g *availability.Group) error { return g.Leave(ctx) })
		}},
		"join": {3, "{a} is asked to join", func(w *simWorld, _ simStep, a, _ *simMember) { w.join(a) }},
		"remove": {2, "{a} is asked to remove {b}", func(w *simWorld, _ simStep, a, b *simMember) {
			w.ask(a, "remove "+b.id, func(ctx context.Context, g *availability.Group) error { return g.Remove(ctx, b.id) })
		}},
		"failover": {4, "{a} is asked for a failover", func(w *simWorld, _ simStep, a, _ *simMember) {
			w.ask(a, "failover", func(ctx context.Context, g *availability.Group) error { return g.Failover(ctx) })
		}},
		"failover to": {3, "{a} is asked for a failover to {b}", func(w *simWorld, _ simStep, a, b *simMember) {
			w.ask(a, "failover to "+b.id, func(ctx context.Context, g *availability.Group) error {
				return g.Failover(ctx, availability.To(b.id))
			})
		}},
		"pause": {1, "{a} is asked to pause the group", func(w *simWorld, _ simStep, a, _ *simMember) {
			w.ask(a, "pause", func(ctx context.Context, g *availability.Group) error { return g.Pause(ctx, "work on the zone") })
		}},
		"resume": {1, "{a} is asked to resume", func(w *simWorld, _ simStep, a, _ *simMember) { w.resume(a) }},
		"configure": {1, "{a} is asked for new timings", func(w *simWorld, s simStep, a, _ *simMember) {
			t := w.newTiming(s)
			w.ask(a, fmt.Sprintf("configure W %v", t.AllowedAbsenceInterval), func(ctx context.Context, g *availability.Group) error {
				return g.Configure(ctx, availability.Settings{Timing: t})
			})
		}},
		"preconfigure": {2, "{a} is preconfigured with new timings", func(w *simWorld, s simStep, a, _ *simMember) {
			t := w.newTiming(s)
			w.ask(a, "preconfigure", func(_ context.Context, g *availability.Group) error {
				return g.Preconfigure(availability.Settings{Timing: t})
			})
		}},
	}
}

func simHostActs() map[simDeed]simAct {
	return map[simDeed]simAct{
		"veto": {3, "the host of {a} refuses to be Primary", func(_ *simWorld, _ simStep, a, _ *simMember) {
			a.change(func(m *simMood) { m.veto = true })
		}},
		"sick": {2, "the host of {a} is sick", func(_ *simWorld, _ simStep, a, _ *simMember) {
			a.change(func(m *simMood) { m.sick = true })
		}},
		"hang": {1, "the health check of {a} hangs", func(_ *simWorld, _ simStep, a, _ *simMember) {
			a.change(func(m *simMood) { m.hang = true })
		}},
		"slow to promote": {2, "the host of {a} is slow to become Primary", func(w *simWorld, s simStep, a, _ *simMember) {
			a.change(func(m *simMood) { m.promote = s.upTo(1, w.plan.w()) })
		}},
		"slow to stop": {2, "the host of {a} is slow to stop its work", func(w *simWorld, s simStep, a, _ *simMember) {
			a.change(func(m *simMood) { m.demote = s.upTo(1, w.plan.w()/5) })
		}},
		"subscribe": {2, "somebody slow subscribes to {a}", func(w *simWorld, _ simStep, a, _ *simMember) {
			if p := a.process(); p != nil {
				p.watch("slow", event.NodeRoleChanged, w.plan.w()/10)
				p.watch("late", event.NodeRoleChanged, 0)
				w.reach("late subscribers")
			}
		}},
	}
}

func simHandActs() map[simDeed]simAct {
	force := func(w *simWorld, _ simStep, a, _ *simMember) { w.force(a) }
	return map[simDeed]simAct{
		"host by hand": {1, "somebody sets the host record to another address", func(w *simWorld, _ simStep, _, _ *simMember) {
			w.reach("host records changed by hand")
			w.ledger.byHand(dnsstore.RRSet{Key: simKey("A"), Data: []string{"192.0.2.99"}})
		}},
		"force":     {rarely, "{a} is forced to take over", force},
		"force too": {rarely, "{a} is forced to take over", force},
		"delete": {rarely, "somebody deletes the record", func(w *simWorld, _ simStep, _, _ *simMember) {
			w.reach("records deleted")
			w.ledger.byHand(dnsstore.RRSet{Key: simKey("TXT")})
		}},
		"restore": {rarely, "somebody restores an older record", func(w *simWorld, s simStep, _, _ *simMember) {
			w.reach("records restored")
			w.ledger.restore(s.dice)
		}},
		"name": {rarely, "somebody writes {a} into the record as Primary", func(w *simWorld, _ simStep, a, _ *simMember) {
			w.ledger.edit(func(r *record.Record) { r.Primary = a.id })
		}},
		"strike": {rarely, "somebody strikes {a} out of the record", func(w *simWorld, _ simStep, a, _ *simMember) {
			w.ledger.edit(func(r *record.Record) {
				for i, m := range r.Members {
					if m.ID == a.id {
						r.Members = append(r.Members[:i], r.Members[i+1:]...)
						return
					}
				}
			})
		}},
		"shorten": {rarely, "somebody halves W in the record", func(w *simWorld, _ simStep, _, _ *simMember) {
			w.ledger.edit(func(r *record.Record) {
				r.AllowedAbsence = max(500*time.Millisecond, (r.AllowedAbsence / 2).Truncate(time.Millisecond))
				r.ReportInterval = min(r.ReportInterval, (r.AllowedAbsence / 3).Truncate(time.Millisecond))
			})
		}},
		"dissolve": {rarely, "{a} is asked to dissolve the group", func(w *simWorld, _ simStep, a, _ *simMember) {
			w.ask(a, "dissolve", func(ctx context.Context, g *availability.Group) error { return g.Dissolve(ctx) })
		}},
		"create": {rarely, "{a} is asked to create the group", func(w *simWorld, _ simStep, a, _ *simMember) { w.create(a) }},
	}
}
