package failover

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/event"
	"github.com/availabilitygroup/ag/internal/record"
)

// everyInput has one input of each kind, and of each kind of message.
func everyInput() []Input {
	r := rec("a", 7, 3, "a", "b")
	return []Input{
		Tick{},
		ReadDone{Op: 1, Seen: Observation{Found: Present, Record: r, Token: "x"}},
		ReadDone{Op: 2, Seen: Observation{Found: Absent}},
		ReadDone{Op: 1},
		ReadDone{Op: 3, Problem: "x"},
		ReadDone{Op: 3, Seen: Observation{Found: Unusable, Problem: "x"}},
		WriteDone{Op: 2, End: Applied, Token: "x"},
		WriteDone{Op: 2},
		WriteDone{Op: 3, End: Conflicted},
		WriteDone{Op: 3, End: Refused},
		Received{Conn: 1, From: "a", Message: Heartbeat{Group: r.Group, Run: "a1", Term: 9, Seq: 1}},
		Received{Conn: 2, From: "a", Message: Query{}},
		Received{Conn: 3, From: "a", Message: Query{Fresh: true}},
		Received{Conn: 4, From: "a", Message: Told{}},
		Received{Conn: 5, From: "a", Message: Ask{Group: r.Group}},
		Received{Conn: 6, From: "a", Message: Report{}},
		Received{Conn: 7, From: "a", Message: Verdict{}},
		Received{Conn: 8},
		Answered{Op: 3, From: "a", Message: Report{}},
		Answered{Op: 4, From: "a", Message: Verdict{}},
		Answered{Op: 5, Problem: "x"},
		Answered{},
		DemoteDone{Op: 6},
		DemoteDone{},
		PromoteDone{Op: 4},
		PromoteDone{Op: 4, Veto: "x"},
		Do{ID: 1, Request: Request{Verb: VerbCreate}},
		Do{ID: 2, Request: Request{Verb: VerbJoin}},
		Do{ID: 3, Request: Request{Verb: VerbLeave}},
		Do{ID: 4, Request: Request{Verb: VerbRemove, Target: "a"}},
		Do{ID: 5, Request: Request{Verb: VerbDissolve}},
		Do{ID: 6, Request: Request{Verb: VerbFailover}},
		Do{ID: 7, Request: Request{Verb: VerbForce, Reason: "x"}},
		Do{ID: 8, Request: Request{Verb: VerbPause}},
		Do{ID: 9, Request: Request{Verb: VerbResume}},
		Do{ID: 10, Request: Request{Verb: VerbConfigure}},
		Do{ID: 11},
		Forget{ID: 1},
		Look{},
		Health{},
		Health{Healthy: true},
		Skew{Peer: "ns1", Ahead: time.Minute},
		Stop{},
		nil,
	}
}

// everyState has a machine in each state that differs.
func everyState(t *testing.T) map[string]func() *solo {
	t.Helper()
	return map[string]func() *solo{
		"new":       func() *solo { return newSolo(t, nil) },
		"idle":      func() *solo { return newSolo(t, func(c *Config) { c.Idle = true }) },
		"nothing":   func() *solo { return newSolo(t, func(c *Config) { *c = Config{Random: func() uint64 { return 0 }} }) },
		"secondary": func() *solo { return secondary(t) },
		"primary":   func() *solo { return primary(t) },
		"hidden":    func() *solo { return primaryWith(t, func(c *Config) { c.Gate = true }) },
		"lapsed":    func() *solo { return lapsed(t) },
		"handing":   func() *solo { return handingOver(t) },
		"stopping":  func() *solo { s := primary(t); s.step(Stop{}); return s },
		"joining": func() *solo {
			s := newSolo(t, nil)
			s.seen(with(rec("a", 7, 3, "a", "b"), func(r *record.Record) { r.Members[1].Joining = true }))
			return s
		},
		"creating": func() *solo {
			s := newSolo(t, nil)
			s.absent()
			s.do(Request{Verb: VerbCreate})
			s.absent()
			return s
		},
	}
}

// Step takes any input in any state, in any order, and does not panic; see also
// FuzzStep.
func TestLaw1_Total(t *testing.T) {
	t.Parallel()
	for name, state := range everyState(t) {
		for i, first := range everyInput() {
			for j, second := range everyInput() {
				s := state()
				func() {
					defer func() {
						if p := recover(); p != nil {
							t.Fatalf("%s, %d, %d: %v", name, i, j, p)
						}
					}()
					s.m.Step(s.now, first)
					s.skip(time.Second)
					s.m.Step(s.now, second)
					s.m.View()
				}()
			}
		}
	}
}

// Equal inputs, equal outputs: what a node of a simulation was told, told again
// to a new machine, gives the same again.
func TestLaw2_Pure(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		runs := [2][]string{}
		for i := range runs {
			s := simulate(t, seed, true)
			runs[i] = s.log
		}
		if diff := cmp.Diff(runs[0], runs[1]); diff != "" {
			t.Errorf("seed %d: the second run differs (-first +second):\n%s", seed, diff)
		}
	}
}

// The clocks of a machine never go backwards, whatever it is told.
func TestLaw2_ClocksOnlyGoForward(t *testing.T) {
	t.Parallel()
	s := primary(t)
	was := s.m.now
	s.m.Step(Now{Hold: 1, Wait: 1}, Tick{})
	wants(t, "hold", s.m.now.Hold, was.Hold)
	wants(t, "wait", s.m.now.Wait, was.Wait)
}

// Before it looks at an input, Step demotes a node whose authority is over at
// that instant: not even the confirmation that it waited for comes in time.
func TestLaw3_ExpiryFirst(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.promised("a", w)
	s.pass(20 * time.Second)
	beat := s.sent("a")
	s.skip(lease - spare - 20*time.Second)
	s.written(Applied)
	wants(t, "role", s.m.role, event.RoleSecondary)
	s = primary(t)
	s.promised("a", w)
	s.pass(20 * time.Second)
	beat.Op = s.sent("a").Op
	s.skip(lease - spare - 20*time.Second)
	s.step(Answered{Op: beat.Op, From: "a", Message: s.report(w)})
	wants(t, "role", s.m.role, event.RoleSecondary)
}

// Wake is never in the past, and never now; whoever wakes a machine exactly when
// it asks, and answers nothing, gets ahead.
func TestLaw4_Progress(t *testing.T) {
	t.Parallel()
	for name, state := range everyState(t) {
		s := state()
		for range 500 {
			s.step(Tick{})
			if s.out.Wake < 0 {
				t.Fatalf("%s: wakes in %v", name, s.out.Wake)
			}
			if s.out.Wake == 0 || s.out.Done {
				break
			}
			s.skip(s.out.Wake)
		}
	}
}

// Every effect that is answered has a number of its own and some time.
func TestLaw5_AnsweredOnce(t *testing.T) {
	t.Parallel()
	s := primary(t)
	s.promised("a", w)
	s.pass(20 * time.Second)
	e := s.written(Applied)
	until := s.m.auth.until
	s.skip(time.Second)
	s.step(WriteDone{Op: e.Op, End: Unknown})
	wants(t, "read after a second answer", s.m.store.must, false)
	s.step(WriteDone{Op: e.Op, End: Applied})
	wants(t, "until after a third", s.m.auth.until, until)
}

// An answer to another effect than the one that is waited for is dropped first
// thing, whatever it says.
func TestLaw6_StaleAnswersDieInOnePlace(t *testing.T) {
	t.Parallel()
	s := primaryWith(t, func(c *Config) { c.Gate = true })
	s.m.store.wanted = true
	s.step(Tick{})
	before, events := DescribeState(s.m), len(s.events)
	for _, in := range []Input{
		ReadDone{Op: s.reads[0].Op + 1000, Seen: Observation{Found: Present, Record: rec("a", 99, 1, "a", "b")}},
		WriteDone{Op: s.reads[0].Op, End: Applied}, // of a read
		WriteDone{Op: 1000, End: Applied},
		Answered{Op: 1000, From: "a", Message: s.report(w)},
		DemoteDone{Op: 1000},
		PromoteDone{Op: 1000},
		PromoteDone{Op: 1000, Veto: "x"},
		ReadDone{},
		WriteDone{},
		Answered{},
		DemoteDone{},
		PromoteDone{}, // number 0 is none
	} {
		s.step(in)
		wants(t, "state after "+DescribeInput(in), DescribeState(s.m), before)
	}
	wants(t, "events", len(s.events), events)
}

// Only become writes the role, and it emits exactly one event.
func TestLaw7_OneDoor(t *testing.T) {
	t.Parallel()
	for name, f := range functions(t) {
		ast.Inspect(f, func(n ast.Node) bool {
			as, ok := n.(*ast.AssignStmt)
			if !ok {
				return true
			}
			for _, x := range as.Lhs {
				if sel, ok := x.(*ast.SelectorExpr); ok && sel.Sel.Name == "role" && name != "become" {
					t.Errorf("%s writes the role", name)
				}
			}
			return true
		})
	}
	s := secondary(t)
	for _, role := range []event.Role{event.RoleSecondary, event.RolePrimary, event.RolePrimary, event.RoleNotInGroup} {
		changes, was := roleChanges(s), s.m.role
		s.m.out = Output{}
		s.m.become(role, event.CauseStarted)
		s.events = append(s.events, s.m.out.Events...)
		wants(t, "events of "+string(was)+" -> "+string(role), roleChanges(s)-changes, map[bool]int{true: 1}[was != role])
	}
}

func roleChanges(s *solo) int {
	n := 0
	for _, e := range s.events {
		if _, ok := e.(event.RoleChange); ok {
			n++
		}
	}
	return n
}

// functions are the functions of the package, by name.
func functions(t *testing.T) map[string]*ast.FuncDecl {
	t.Helper()
	all := map[string]*ast.FuncDecl{}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				all[f.Name.Name] = f
			}
		}
	}
	return all
}

// No instant of another machine is compared with ours: what nodes tell each
// other has lengths of time in it, never a time.
func TestLaw8_NoTimestampOfAnotherMachine(t *testing.T) {
	t.Parallel()
	for _, m := range []Message{Heartbeat{}, Query{}, Told{}, Ask{}, Report{}, Verdict{}} {
		for _, path := range times(reflect.TypeOf(m)) {
			t.Errorf("%T holds a time: %s", m, path)
		}
	}
	// The record has one, for people.
	want := []string{"At"}
	if diff := cmp.Diff(want, times(reflect.TypeFor[record.Record]())); diff != "" {
		t.Errorf("times of a record mismatch (-want +got):\n%s", diff)
	}
	// It changes nothing: the same record of another time gives the same state.
	states := map[string]bool{}
	for _, at := range []time.Time{{}, time.Unix(1, 0), time.Unix(9e9, 0)} {
		s := newSolo(t, nil)
		s.seen(with(rec("a", 7, 3, "a", "b"), func(r *record.Record) { r.At = at }))
		s.pass(20 * time.Second)
		states[DescribeState(s.m)+fmt.Sprint(s.out.Wake)] = true
	}
	wants(t, "states", len(states), 1)
}

// times are the fields of a type that hold a time.Time.
func times(t reflect.Type) []string {
	var all []string
	if t.Kind() != reflect.Struct {
		return nil
	}
	for f := range t.Fields() {
		if f.Type == reflect.TypeFor[time.Time]() {
			all = append(all, f.Name)
		} else if f.Type.Kind() == reflect.Struct && f.Type.PkgPath() != "net/netip" {
			for _, sub := range times(f.Type) {
				all = append(all, f.Name+"."+sub)
			}
		}
	}
	return slices.Clip(all)
}

// After any write that was not applied or refused for good, the machine looks
// again before it believes anything; see also TestRule7_ReadBeforeAnythingElse.
func TestLaw9_UnknownIsNotFailed(t *testing.T) {
	t.Parallel()
	s := secondary(t)
	s.m.store.op, s.reads = 0, nil
	s.skip(w)
	s.step(Tick{})
	e := s.written(Unknown)
	s.skip(time.Second)
	s.seen(e.Record)
	wants(t, "role", s.m.role, event.RolePrimary)
	wants(t, "until", s.m.auth.until, s.now.Hold-time.Second+lease)
}
