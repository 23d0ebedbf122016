package failover

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/internal/record"
)

// script is a world that is told what to do, line by line.
type script struct {
	*world
	saved Observation
}

// words are the words of a directive, and the key=value ones apart.
type words struct {
	all  []string
	keys map[string]string
}

func wordsOf(line string) words {
	w := words{keys: map[string]string{}}
	for word := range strings.FieldsSeq(line) {
		if key, value, ok := strings.Cut(word, "="); ok {
			w.keys[key] = value
			continue
		}
		w.all = append(w.all, word)
	}
	return w
}

// at is a word, empty if there are not so many.
func (w words) at(i int) string {
	if i < len(w.all) {
		return w.all[i]
	}
	return ""
}

// rest is the line from a word on.
func (w words) rest(i int) string {
	if i < len(w.all) {
		return strings.Join(w.all[i:], " ")
	}
	return ""
}

// directive carries out one line.
func (s *script) directive(line string) {
	s.t.Helper()
	w := wordsOf(line)
	for _, do := range []map[string]func(words){s.frame(), s.processes(), s.faults(), s.hands(), s.hosts(), s.verbs()} {
		if f, ok := do[w.at(0)]; ok {
			f(w)
			return
		}
	}
	s.t.Fatalf("no such directive: %q", line)
}

// frame: what a script is made of.
func (s *script) frame() map[string]func(words) {
	return map[string]func(words){
		"nodes": s.nodesDirective,
		// group a b: nodes that are members already, ten seconds after the start.
		"group": func(w words) {
			s.nodesDirective(w)
			for _, id := range w.all[1:] {
				s.start(s.node(id), "")
			}
			s.run(time.Second)
			s.ask(s.node(w.at(1)), Request{Verb: VerbCreate})
			s.run(time.Second)
			for _, id := range w.all[2:] {
				s.ask(s.node(id), Request{Verb: VerbJoin})
			}
			s.run(10*time.Second - s.now)
			s.log, s.steps = nil, nil
		},
		"run":   func(w words) { s.run(s.duration(w.at(1))) },
		"show":  func(words) { s.show() },
		"trace": func(w words) { s.traced = w.at(1) == "on" },
		// unsafe: from here on the script breaks an assumption.
		"unsafe": func(words) { s.rules.disclaim(s.world, 1000*time.Hour) },
	}
}

func (s *script) show() {
	s.say("store", "%s", summary(s.store.now))
	for _, n := range s.nodes {
		switch {
		case !n.up:
			s.say(n.id, "is not running")
		default:
			s.say(n.id, "%s", DescribeState(n.m))
		}
	}
}

func (s *script) nodesDirective(w words) {
	t := testTiming(s.duration(w.keys["w"]))
	if t.W == 0 {
		t = s.timing
	}
	for key, d := range map[string]*time.Duration{"r": &t.R, "c": &t.C, "ttl": &t.TTL} {
		if text, ok := w.keys[key]; ok {
			*d = s.duration(text)
		}
	}
	s.timing = t
	s.rules.longest = max(s.rules.longest, t.W)
	for _, id := range w.all[1:] {
		n := s.add(id, func(c *Config) {
			c.Bootstrap = map[string]Bootstrap{"join": BootstrapJoin, "create": BootstrapCreate}[w.keys["bootstrap"]]
			c.Idle = w.keys["idle"] != ""
			if p, ok := w.keys["priority."+id]; ok {
				c.Self.Priority = s.int(p)
			}
			c.FailbackAfter = s.duration(w.keys["failback"])
			c.Gate = w.keys["gate"] != ""
		})
		n.rate = s.float(w.keys["rate."+id], 1)
	}
}

// processes: what happens to the process of a node.
func (s *script) processes() map[string]func(words) {
	each := func(do func(n *node)) func(words) {
		return func(w words) {
			for _, id := range w.all[1:] {
				do(s.node(id))
			}
		}
	}
	return map[string]func(words){
		"start": each(func(n *node) { s.start(n, "") }),
		"kill":  each(s.kill),
		// restart a proof: it can prove that its old incarnation is dead.
		"restart": func(w words) {
			n := s.node(w.at(1))
			proven := ""
			if w.at(2) == "proof" {
				proven = n.run()
			}
			if n.up {
				s.kill(n)
			}
			if p, ok := w.keys["priority"]; ok {
				n.cfg.Self.Priority = s.int(p)
			}
			if p, ok := w.keys["port"]; ok {
				n.cfg.Self.Port = uint16(s.int(p))
			}
			s.start(n, proven)
		},
		// twin a: a second process with its ID, on another machine; nobody sends
		// it anything.
		"twin": func(w words) {
			a := s.node(w.at(1))
			x := s.add(a.id+"'", func(c *Config) { c.Self = a.cfg.Self })
			s.start(x, "")
		},
		// move a 192.0.2.9: it comes back at another address.
		"move":    func(w words) { s.node(w.at(1)).cfg.Self.IPv4 = netip.MustParseAddr(w.at(2)) },
		"freeze":  each(func(n *node) { s.freeze(n, false) }),
		"suspend": each(func(n *node) { s.freeze(n, true) }),
		"thaw":    each(s.thaw),
		"stop":    each(func(n *node) { s.say(n.id, "is told to end"); s.deliver(n, n.gen, Stop{}) }),
		// clock a +1h: its wall clock is set.
		"clock": func(w words) {
			n := s.node(w.at(1))
			n.shift += s.duration(strings.TrimPrefix(w.at(2), "+"))
			n.stepped = true
			s.say(n.id, "has its wall clock set by %s", w.at(2))
		},
	}
}

// faults: what happens to the links and the server.
func (s *script) faults() map[string]func(words) {
	return map[string]func(words){
		// cut a b; cut a>b; cut a store; cut all store.
		"cut":  func(w words) { s.link(w, true) },
		"heal": func(w words) { s.link(w, false) },
		"lose": func(w words) {
			share := s.int(strings.TrimSuffix(w.at(1), "%"))
			s.net.lose = func() bool { return s.rng.IntN(100) < share }
		},
		// store delay=2s; net delay=2s.
		"store":  func(w words) { s.store.delay = func() time.Duration { return s.duration(w.keys["delay"]) } },
		"net":    func(w words) { s.net.delay = func() time.Duration { return s.duration(w.keys["delay"]) } },
		"late":   func(w words) { s.store.late[w.at(1)] = s.duration(w.at(2)) },
		"drop":   func(w words) { s.store.lost[w.at(1)] = true },
		"refuse": func(w words) { s.store.refuse[w.at(1)] = true },
		"accept": func(w words) { delete(s.store.refuse, w.at(1)) },
		// double: every update arrives twice.
		"double": func(words) { s.store.doubled = func() bool { return true } },
		// stale b: it reads a copy of the record as it is now, from another server.
		"stale": func(w words) { s.store.copies[w.at(1)] = s.store.now },
		"fresh": func(w words) { delete(s.store.copies, w.at(1)) },
	}
}

// link cuts or heals.
func (s *script) link(w words, cut bool) {
	var links []string
	add := func(a, b string) { links = append(links, a+">"+b, b+">"+a) }
	switch a, b := w.at(1), w.at(2); {
	case a == "":
		links = slices.Collect(maps.Keys(s.net.cut))
	case strings.Contains(a, ">"):
		links = []string{a}
	case a == "all":
		for _, n := range s.nodes {
			add(n.id, b)
		}
	default:
		add(a, b)
	}
	for _, l := range links {
		s.net.cut[l] = cut
	}
}

// hands: what people do to the record although they should not.
func (s *script) hands() map[string]func(words) {
	return map[string]func(words){
		"save":    func(words) { s.saved = s.store.now },
		"restore": func(words) { s.tamper(s.saved) },
		"delete":  func(words) { s.tamper(Observation{Found: Absent}) },
		// edit host=192.0.2.9: only the addresses, which breaks nothing.
		// edit w=30s group=…: the record itself.
		"edit": func(w words) {
			if host, ok := w.keys["host"]; ok {
				o := s.store.now
				o.Host = strings.FieldsFunc(host, func(r rune) bool { return r == ',' })
				s.store.now = o
				s.say("store", "hand: host %s", orNone(host))
				return
			}
			s.tamper(s.store.edited(func(r *record.Record) { s.edit(r, w) }))
		},
		"spoil": func(w words) {
			s.saved = s.store.now
			s.tamper(Observation{Found: Unusable, Problem: w.rest(1)})
		},
	}
}

func (s *script) edit(r *record.Record, w words) {
	for key, value := range w.keys {
		switch key {
		case "w":
			r.AllowedAbsence = s.duration(value)
		case "group":
			r.Group = value
		case "primary":
			r.Primary = value
		case "run":
			r.Run = value
		case "by":
			r.By = value
		case "only":
			r.Members = []record.Member{{ID: value, Scheme: "http", Port: 80, Priority: 100, IPv4: netip.MustParseAddr("192.0.2.200")}}
		case "remove":
			r.Members = slices.DeleteFunc(r.Members, func(m record.Member) bool { return m.ID == value })
		default:
			s.t.Fatalf("edit: no field %q", key)
		}
	}
}

// hosts: what the host program does and says.
func (s *script) hosts() map[string]func(words) {
	return map[string]func(words){
		"veto":    func(w words) { s.node(w.at(1)).veto = w.rest(2) },
		"approve": func(w words) { s.node(w.at(1)).veto = "" },
		"unhealthy": func(w words) {
			n := s.node(w.at(1))
			s.deliver(n, n.gen, Health{Problem: w.rest(2)})
		},
		"healthy": func(w words) {
			n := s.node(w.at(1))
			s.deliver(n, n.gen, Health{Healthy: true})
		},
		// stopping a 3s: so long its host takes to stop.
		"stopping": func(w words) { s.node(w.at(1)).stopFor = s.duration(w.at(2)) },
		"skew": func(w words) {
			n := s.node(w.at(1))
			s.deliver(n, n.gen, Skew{Peer: w.at(2), Ahead: s.duration(w.at(3))})
		},
	}
}

// verbs: what the host program asks for, "verb node …".
func (s *script) verbs() map[string]func(words) {
	do := func(r func(words) Request) func(words) {
		return func(w words) { s.ask(s.node(w.at(1)), r(w)) }
	}
	reason := func(v Verb) func(words) {
		return do(func(w words) Request { return Request{Verb: v, Reason: w.rest(2)} })
	}
	return map[string]func(words){
		"create": do(func(w words) Request {
			return Request{Verb: VerbCreate, Adopt: w.at(2) == "adopt", Timing: s.timingOf(w)}
		}),
		"join":     reason(VerbJoin),
		"leave":    reason(VerbLeave),
		"dissolve": reason(VerbDissolve),
		"pause":    reason(VerbPause),
		"resume":   reason(VerbResume),
		"force":    do(func(w words) Request { return Request{Verb: VerbForce, Reason: w.rest(2), Target: w.keys["to"]} }),
		"remove":   do(func(w words) Request { return Request{Verb: VerbRemove, Target: w.at(2)} }),
		"failover": do(func(w words) Request { return Request{Verb: VerbFailover, Target: w.keys["to"]} }),
		"configure": do(func(w words) Request {
			t := s.timingOf(w)
			s.rules.longest = max(s.rules.longest, t.W)
			return Request{Verb: VerbConfigure, Timing: t}
		}),
		// forget a: nobody waits for its requests any more.
		"forget": func(w words) {
			n := s.node(w.at(1))
			for _, id := range slices.Sorted(maps.Keys(n.asked)) {
				s.say(n.id, "nobody waits for %s any more", n.asked[id])
				delete(n.asked, id)
				s.deliver(n, n.gen, Forget{ID: id})
			}
		},
	}
}

func (s *script) timingOf(w words) Timing {
	return Timing{
		W: s.duration(w.keys["w"]), R: s.duration(w.keys["r"]), C: s.duration(w.keys["c"]), TTL: s.duration(w.keys["ttl"]),
	}
}

func (s *script) duration(text string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func (s *script) int(text string) int {
	i, err := strconv.Atoi(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return i
}

func (s *script) float(text string, otherwise float64) float64 {
	if text == "" {
		return otherwise
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}
