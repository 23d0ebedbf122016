package linear_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/availabilitygroup/ag/dnsstore"
)

// ending is what a call has told its caller.
type ending int

const (
	applied ending = iota
	conflict
	// outdone is a conflict where messages are doubled on the way: the change
	// was not made, or another one has replaced it before the call returned.
	outdone
	refused
	unknown
)

func (e ending) String() string {
	return [...]string{"applied", "conflict", "conflict or outdone", "refused", "unknown"}[e]
}

// register is the state of the model: the sets of one name.
type register struct {
	txt, a, aaaa string
	// over: no more calls are made. What has not been applied by then was
	// perhaps never applied, and nobody could tell.
	over bool
}

func (r register) get(kind string) string {
	switch kind {
	case "TXT":
		return r.txt
	case "A":
		return r.a
	default:
		return r.aaaa
	}
}

func (r register) with(s part) register {
	switch s.kind {
	case "TXT":
		r.txt = s.data
	case "A":
		r.a = s.data
	default:
		r.aaaa = s.data
	}
	return r
}

// part is one set of a register; without data it is absent.
type part struct{ kind, data string }

func (p part) String() string {
	if p.data == "" {
		return "no " + p.kind
	}
	return p.kind + " " + strings.ReplaceAll(p.data, "\n", " + ")
}

// partOf makes a set of what a store was given or has returned. Order means
// nothing.
func partOf(set dnsstore.RRSet) part {
	data := slices.Clone(set.Data)
	slices.Sort(data)
	return part{set.Type, strings.Join(data, "\n")}
}

// input is what a call asks for: a read of one set, or a change. The zero
// input is the end of the history.
type input struct {
	register string
	read     string // a type; empty: a change
	ifs      []part
	set      []part
	gone     string // no call: a TXT set that is not there at this instant
}

func (in input) isEnd() bool { return in.read+in.gone == "" && len(in.ifs)+len(in.set) == 0 }

// output is what a call returned.
type output struct {
	end  ending
	data string // of a read
}

// model is the register in the terms of porcupine.
func model() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return register{} },
		Step: func(state, in, out any) (bool, any) {
			ok, next := step(state.(register), in.(input), out.(output))
			return ok, next
		},
		DescribeOperation: func(in, out any) string { return describe(in.(input), out.(output)) },
		DescribeState: func(state any) string {
			s := state.(register)
			return fmt.Sprintf("%v; %v; %v", part{"TXT", s.txt}, part{"A", s.a}, part{"AAAA", s.aaaa})
		},
	}
}

// step tells whether a call can have had this end in this state, and what the
// state is after it.
//
// A call of unknown end can be put anywhere after it was made. Before the end
// of the history it is put only where it changes something; if it never did, it
// is put after the end, where everything is possible. That loses no
// explanation, and saves the search from trying all places where it does
// nothing.
func step(s register, in input, out output) (bool, register) {
	switch {
	case in.isEnd():
		s.over = true
		return true, s
	case in.read != "":
		return s.get(in.read) == out.data, s
	case in.gone != "":
		return s.txt != in.gone, s
	case out.end == refused:
		return true, s
	case out.end == unknown && s.over:
		return true, s
	}
	for _, c := range in.ifs {
		if s.get(c.kind) != c.data {
			return out.end == conflict || out.end == outdone, s
		}
	}
	for _, set := range in.set {
		s = s.with(set)
	}
	return out.end != conflict, s
}

func describe(in input, out output) string {
	switch {
	case in.isEnd():
		return "end"
	case in.read != "":
		return "read " + part{in.read, out.data}.String()
	case in.gone != "":
		return "(by now not there: " + part{"TXT", in.gone}.String() + ")"
	}
	return fmt.Sprintf("if %v set %v: %v", in.ifs, in.set, out.end)
}
