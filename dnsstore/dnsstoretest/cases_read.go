package dnsstoretest

import (
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

func readCases() []testCase {
	return []testCase{
		{"absent", "that an RRset is absent is no error: Lookup returns its key and no data", lookupAbsent},
		{"no-alias", "Lookup reads the RRset at the key itself; it does not follow an alias", lookupAlias},
		{"time-to-live", "Lookup returns the time to live that was set, in whole seconds, rounded down; a change of it alone is a change", lookupTTL},
		{"read-your-writes", "after Apply has returned nil, every Lookup sees the change, at once and for every type", readYourWrites},
		{"own-copies", "what Lookup returns and what Apply is given belong to the caller, who may change it afterwards", ownCopies},
	}
}

func lookupAbsent(e *env) {
	for _, kind := range []string{"TXT", "A", "AAAA", "CNAME"} {
		e.want("a name that never was", rrset(e.name(""), kind))
	}
	e.must("prepare", dnsstore.Change{
		If:  sets(rrset(e.name(""), "TXT")),
		Set: sets(rrset(e.name(""), "TXT", text("here"))),
	})
	for _, kind := range []string{"A", "AAAA", "CNAME"} {
		e.want("another type at a name that is", rrset(e.name(""), kind))
	}
	e.want("a name between existing ones", rrset(e.name("below"), "TXT"))
}

func lookupAlias(e *env) {
	alias, target := e.name("alias"), e.name("target")
	e.must("prepare", dnsstore.Change{
		If: sets(rrset(alias, "A"), rrset(target, "A")),
		Set: sets(rrset(alias, "CNAME", target+"."), rrset(target, "A", "192.0.2.1"),
			rrset(target, "TXT", text("of the target"))),
	})
	e.want("the alias itself", rrset(alias, "CNAME", target+"."))
	e.want("addresses and text are at the target, not at the alias", rrset(alias, "A"), rrset(alias, "TXT"))
	e.want("the target", rrset(target, "A", "192.0.2.1"))
}

func lookupTTL(e *env) {
	name := e.name("")
	value := rrset(name, "TXT", text("same"))
	cond := rrset(name, "TXT")
	for _, ttl := range []time.Duration{300 * time.Second, 20 * time.Second, 90 * time.Second, 2*time.Second + 999*time.Millisecond} {
		value.TTL = ttl
		e.must("set the time to live", dnsstore.Change{If: sets(cond), Set: sets(value)})
		got, err := e.lookup(value.Key)
		if err != nil {
			e.fatalf("Lookup returned %q", err)
		}
		if want := ttl.Truncate(time.Second); got.TTL != want {
			e.errorf("set %v: Lookup returned %v, want %v", ttl, got.TTL, want)
		}
		e.want("the data", value)
		cond = value
	}
}

func readYourWrites(e *env) {
	name := e.name("")
	last := sets(rrset(name, "TXT"), rrset(name, "A"), rrset(name, "AAAA"))
	for i := range 25 {
		next := sets(
			rrset(name, "TXT", text("n="+number(i))),
			rrset(name, "A", "192.0.2."+number(i+1)),
			rrset(name, "AAAA", "2001:db8::"+number(i+1)),
		)
		e.must("write "+number(i), dnsstore.Change{If: last, Set: next})
		e.want("right after write "+number(i), next...)
		last = next
	}
}

func ownCopies(e *env) {
	name := e.name("")
	data := []string{text("first")}
	change := dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(rrset(name, "TXT", data...))}
	e.must("write", change)
	data[0] = text("changed in the caller's slice")
	change.Set[0].Data[0] = text("changed in the caller's change")
	e.want("after the caller has changed its slices", rrset(name, "TXT", text("first")))
	got, err := e.lookup(dnsstore.Key{Name: name, Type: "TXT"})
	if err != nil || len(got.Data) != 1 {
		e.fatalf("Lookup returned %q, %v", got.Data, quoted(err))
	}
	got.Data[0] = text("changed in the result")
	e.want("after the caller has changed a result", rrset(name, "TXT", text("first")))
}
