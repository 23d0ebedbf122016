package failover

import (
	"strings"
	"testing"
	"time"
)

func pairWorld(t *testing.T) *world {
	w := newWorld(t, 1, testTiming(60*time.Second))
	a := w.add("a", nil)
	b := w.add("b", nil)
	w.start(a, "")
	w.start(b, "")
	w.run(time.Second)
	w.ask(a, Request{Verb: VerbCreate})
	w.run(time.Second)
	w.ask(b, Request{Verb: VerbJoin})
	w.run(time.Second)
	return w
}

func TestSmoke(t *testing.T) {
	w := pairWorld(t)
	w.run(100 * time.Second)
	w.kill(w.node("a"))
	w.run(100 * time.Second)
	w.start(w.node("a"), "")
	w.run(100 * time.Second)
	w.ask(w.node("b"), Request{Verb: VerbFailover})
	w.run(100 * time.Second)
	w.ask(w.node("b"), Request{Verb: VerbFailover})
	w.run(100 * time.Second)
	w.cut["a>store"], w.cut["b>store"] = true, true
	w.run(300 * time.Second)
	w.cut["a>store"], w.cut["b>store"] = false, false
	w.run(100 * time.Second)
	w.cut["a>b"] = true
	w.run(300 * time.Second)
	w.cut["a>b"] = false
	w.run(100 * time.Second)
	w.freeze(w.node("b"))
	w.run(300 * time.Second)
	w.thaw(w.node("b"))
	w.run(100 * time.Second)
	w.ask(w.node("a"), Request{Verb: VerbDissolve})
	w.run(100 * time.Second)
	t.Log("\n" + strings.Join(w.log, "\n"))
	for _, b := range w.broken {
		t.Error(b)
	}
}
