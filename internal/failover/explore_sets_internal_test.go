package failover

// xset is an exploration by name: the smallest world, changed.
func xset(name string, change func(*xconfig)) xconfig {
	cfg := xconfig{name: name, nodes: 2, w: 2, tight: true}
	change(&cfg)
	return cfg
}

// boundStates is how far a set goes that is too large for every test run.
const boundStates = 40_000

// xsets are the explorations of every test run. Each comes to its end, but for
// the one that says so: what it says holds for ever. L is as long as W where nothing else is said, so that
// no fault hides in the slack between them.
func xsets() []xconfig {
	return []xconfig{
		xset("two over DNS alone", func(c *xconfig) { c.vain = true }),
		xset("two over DNS alone, in finer time", func(c *xconfig) { c.w, c.vain = 3, true }),
		xset("two over DNS alone, with the normal slack", func(c *xconfig) { c.w, c.tight = 4, false }),
		xset("two that die and restart", func(c *xconfig) { c.crash = true }),
		xset("two that die and restart with proof", func(c *xconfig) { c.w, c.crash, c.proof = 1, true, true }),
		xset("two with old reads and a late write", func(c *xconfig) { c.old, c.ghosts = true, 1 }),
		xset("two with two late writes each", func(c *xconfig) { c.ghosts = 2 }),
		xset("two whose monotonic clocks stand still", func(c *xconfig) { c.suspend = true }),
		xset("two, and one of the clocks is late a tick in four", func(c *xconfig) { c.w, c.tight, c.slow, c.lag = 4, false, 1, 4 }),
		xset("two that are asked to stop", func(c *xconfig) { c.w, c.stops = 1, true }),
		xset("two that pause and resume", func(c *xconfig) { c.w, c.verbs = 1, []Request{{Verb: VerbPause}, {Verb: VerbResume}} }),
		xset("two over both channels", func(c *xconfig) { c.w, c.peers, c.prompt = 1, true, true }),
		xset("two over both channels, late answers that count, the first states", func(c *xconfig) {
			c.peers, c.first, c.max = true, true, boundStates
		}),
		xset("two that hand over", func(c *xconfig) {
			c.w, c.peers, c.prompt, c.mute, c.verbs = 1, true, true, true, []Request{{Verb: VerbFailover}}
		}),
		xset("three over DNS alone", func(c *xconfig) { c.nodes, c.w = 3, 1 }),
	}
}

// xnights are those that take longer, or come to no end yet.
func xnights() []xconfig {
	timings := []Request{{Verb: VerbConfigure, Timing: Timing{W: tick}}, {Verb: VerbConfigure, Timing: Timing{W: 2 * tick}}}
	return []xconfig{
		xset("two over both channels, late answers that count", func(c *xconfig) { c.peers = true }),
		xset("two over both channels, late answers", func(c *xconfig) { c.w, c.peers = 1, true }),
		xset("two over both channels, doubled messages", func(c *xconfig) { c.w, c.peers, c.twice = 1, true, true }),
		xset("two over both channels, in finer time", func(c *xconfig) { c.peers, c.prompt = true, true }),
		xset("two over both channels that die and restart", func(c *xconfig) { c.w, c.peers, c.prompt, c.crash = 1, true, true, true }),
		xset("two that hand over, die and restart with proof", func(c *xconfig) {
			c.w, c.peers, c.mute, c.crash, c.proof, c.verbs = 1, true, true, true, true, []Request{{Verb: VerbFailover}}
		}),
		xset("two that hand over, over both channels", func(c *xconfig) {
			c.w, c.peers, c.prompt, c.verbs = 1, true, true, []Request{{Verb: VerbFailover}}
		}),
		xset("two that are asked to stop, over both channels", func(c *xconfig) { c.w, c.peers, c.prompt, c.stops = 1, true, true, true }),
		xset("two with new timings", func(c *xconfig) { c.w, c.verbs = 1, timings }),
		xset("two with new timings, over both channels", func(c *xconfig) { c.w, c.peers, c.prompt, c.verbs = 1, true, true, timings }),
		xset("one that another joins and leaves", func(c *xconfig) {
			c.w, c.outside, c.verbs = 1, 1, []Request{{Verb: VerbJoin}, {Verb: VerbLeave}}
		}),
		xset("one that another joins, over both channels", func(c *xconfig) {
			c.w, c.outside, c.peers, c.prompt, c.verbs = 1, 1, true, true, []Request{{Verb: VerbJoin}}
		}),
		xset("two, one is removed and joins", func(c *xconfig) {
			c.w, c.peers, c.prompt, c.mute, c.verbs = 1, true, true, true, []Request{{Verb: VerbRemove}, {Verb: VerbJoin}}
		}),
		xset("two whose record is deleted and created", func(c *xconfig) {
			c.w, c.deletes, c.loose, c.verbs = 1, true, true, []Request{{Verb: VerbCreate}, {Verb: VerbJoin}}
		}),
		xset("two that are forced", func(c *xconfig) {
			c.w, c.anyone, c.verbs = 1, true, []Request{{Verb: VerbForce, Reason: "dead"}}
		}),
		xset("two whose new terms count on, gaps over three alike", func(c *xconfig) { c.w, c.counted, c.loose = 1, true, true }),
		xset("three, and one clock is late a tick in four", func(c *xconfig) { c.nodes, c.w, c.tight, c.slow, c.lag = 3, 4, false, 1, 4 }),
		xset("three over both channels", func(c *xconfig) { c.nodes, c.w, c.peers, c.prompt = 3, 1, true, true }),
		xset("three that die and restart", func(c *xconfig) { c.nodes, c.w, c.crash = 3, 1, true }),
	}
}
