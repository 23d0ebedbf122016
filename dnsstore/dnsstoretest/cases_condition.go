package dnsstoretest

import "github.com/availabilitygroup/ag/dnsstore"

func conditionCases() []testCase {
	return []testCase{
		{"create", "a condition without data holds if and only if there is no such RRset", create},
		{"swap", "a condition with data holds if and only if the RRset has exactly this data; if not, ErrConflict and nothing is changed", swap},
		{"whole-set", "a condition speaks of the whole RRset: a part of it, or more than it, is a conflict", wholeSet},
		{"no-order", "the order of records and their time to live are no part of a condition", noOrder},
		{"alias-absent", "a condition may be that there is no CNAME at the name, and it fails if there is one", aliasAbsent},
		{"all-conditions", "all conditions of a change must hold, whatever name and type they are of", allConditions},
		{"condition-alone", "a change without new contents only tests its conditions: nil if they hold, else ErrConflict", conditionAlone},
	}
}

func create(e *env) {
	name := e.name("")
	first, second := rrset(name, "TXT", text("first")), rrset(name, "TXT", text("second"))
	e.must("create", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(first)})
	e.want("after the creation", first)
	e.conflict("create again", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(second)})
	e.want("after the conflict", first)
	e.conflictAgain("create the very same again", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(first)})
	e.must("another type is still absent", dnsstore.Change{
		If: sets(rrset(name, "A")), Set: sets(rrset(name, "A", "192.0.2.1")),
	})
	e.want("both", first, rrset(name, "A", "192.0.2.1"))
}

func swap(e *env) {
	name := e.name("")
	value := func(s string) dnsstore.RRSet { return rrset(name, "TXT", text("state="+s)) }
	e.conflict("a value where there is nothing", dnsstore.Change{If: sets(value("a")), Set: sets(value("b"))})
	e.want("after the conflict", rrset(name, "TXT"))
	e.must("create", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(value("a"))})
	e.must("the right value", dnsstore.Change{If: sets(value("a")), Set: sets(value("b"))})
	e.want("after the swap", value("b"))
	e.conflict("an old value", dnsstore.Change{If: sets(value("a")), Set: sets(value("c"))})
	e.conflict("a value that never was", dnsstore.Change{If: sets(value("x")), Set: sets(value("c"))})
	e.conflictAgain("the same change again", dnsstore.Change{If: sets(value("a")), Set: sets(value("b"))})
	e.want("after the conflicts", value("b"))
	e.must("an address", dnsstore.Change{If: sets(rrset(name, "A")), Set: sets(rrset(name, "A", "192.0.2.1"))})
	e.conflict("another address", dnsstore.Change{If: sets(rrset(name, "A", "192.0.2.2")), Set: sets(value("c"))})
	e.must("the right address", dnsstore.Change{If: sets(rrset(name, "A", "192.0.2.1")), Set: sets(value("c"))})
	e.want("at the end", value("c"), rrset(name, "A", "192.0.2.1"))
}

func wholeSet(e *env) {
	name := e.name("")
	one, two, three := text("one"), text("two"), text("three")
	present := sets(rrset(name, "TXT", one, two), rrset(name, "A", "192.0.2.1", "192.0.2.2"))
	e.must("create", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: present})
	next := sets(rrset(name, "TXT", three), rrset(name, "A", "192.0.2.3"))
	for _, c := range []struct {
		what string
		cond dnsstore.RRSet
	}{
		{"the first of two", rrset(name, "TXT", one)},
		{"the second of two", rrset(name, "TXT", two)},
		{"one more than there are", rrset(name, "TXT", one, two, three)},
		{"as many, but another", rrset(name, "TXT", one, three)},
		{"one of two addresses", rrset(name, "A", "192.0.2.1")},
		{"one address more", rrset(name, "A", "192.0.2.1", "192.0.2.2", "192.0.2.3")},
	} {
		e.conflict(c.what, dnsstore.Change{If: sets(c.cond), Set: next})
	}
	e.want("after the conflicts", present...)
	e.must("the whole sets", dnsstore.Change{If: present, Set: next})
	e.want("at the end", next...)
}

func noOrder(e *env) {
	name := e.name("")
	one, two, three := text("one"), text("two"), text("three")
	e.must("create", dnsstore.Change{
		If:  sets(rrset(name, "TXT")),
		Set: sets(rrset(name, "TXT", two, three, one), rrset(name, "A", "192.0.2.2", "192.0.2.1")),
	})
	shuffled := rrset(name, "TXT", three, one, two)
	shuffled.TTL = 0
	addresses := rrset(name, "A", "192.0.2.1", "192.0.2.2")
	addresses.TTL *= 5
	e.must("other orders and times to live", dnsstore.Change{
		If:  sets(shuffled, addresses),
		Set: sets(rrset(name, "TXT", one)),
	})
	e.want("at the end", rrset(name, "TXT", one), addresses)
}

func aliasAbsent(e *env) {
	free, alias := e.name("free"), e.name("alias")
	e.must("no alias there", dnsstore.Change{
		If:  sets(rrset(free, "CNAME"), rrset(free, "TXT")),
		Set: sets(rrset(free, "TXT", text("v")), rrset(free, "A", "192.0.2.1")),
	})
	e.want("after it", rrset(free, "TXT", text("v")), rrset(free, "A", "192.0.2.1"))
	e.must("make an alias", dnsstore.Change{
		If: sets(rrset(alias, "CNAME")), Set: sets(rrset(alias, "CNAME", free+".")),
	})
	e.conflict("an alias there", dnsstore.Change{
		If:  sets(rrset(alias, "CNAME"), rrset(free, "TXT", text("v"))),
		Set: sets(rrset(free, "TXT", text("w")), rrset(alias, "A", "192.0.2.2")),
	})
	e.want("after the conflict", rrset(free, "TXT", text("v")), rrset(alias, "CNAME", free+"."))
	e.must("the alias as a value, removed", dnsstore.Change{
		If: sets(rrset(alias, "CNAME", free+".")), Set: sets(rrset(alias, "CNAME")),
	})
	e.want("after the removal", rrset(alias, "CNAME"))
}

func allConditions(e *env) {
	one, other := e.name("one"), e.name("other")
	holds := sets(rrset(one, "TXT", text("v")), rrset(one, "A", "192.0.2.1"), rrset(other, "TXT", text("w")), rrset(other, "AAAA"))
	e.must("create", dnsstore.Change{If: sets(rrset(one, "TXT")), Set: holds})
	fails := sets(rrset(one, "TXT", text("x")), rrset(one, "A"), rrset(other, "TXT"), rrset(other, "AAAA", "2001:db8::1"))
	for i := range holds {
		conditions := append(sets(), holds...)
		conditions[i] = fails[i]
		e.conflict("condition "+number(i)+" fails", dnsstore.Change{If: conditions, Set: sets(rrset(one, "TXT", text("no")))})
	}
	e.want("after the conflicts", holds...)
	e.must("all hold", dnsstore.Change{If: holds, Set: sets(rrset(one, "TXT", text("yes")))})
	e.want("at the end", rrset(one, "TXT", text("yes")))
}

func conditionAlone(e *env) {
	name := e.name("")
	value := rrset(name, "TXT", text("v"))
	e.must("absent", dnsstore.Change{If: sets(rrset(name, "TXT"))})
	e.conflict("not absent", dnsstore.Change{If: sets(value)})
	e.must("create", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(value)})
	e.must("the value", dnsstore.Change{If: sets(value)})
	e.conflict("another value", dnsstore.Change{If: sets(rrset(name, "TXT", text("w")))})
	e.conflict("absent no more", dnsstore.Change{If: sets(rrset(name, "TXT"))})
	e.want("at the end", value)
}
