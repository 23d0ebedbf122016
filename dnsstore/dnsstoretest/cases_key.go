package dnsstoretest

import (
	"errors"
	"strings"

	"github.com/availabilitygroup/ag/dnsstore"
)

func keyCases() []testCase {
	return []testCase{
		{"bad-key", "a key that is not absolute, in lower case and without a final dot, or of a type that stores " +
			"do not have, is an error, and no conflict", badKey},
		{"bad-data", "data that is no record of its type is an error, and no conflict; nothing of the change is made", badData},
	}
}

func badKey(e *env) {
	name := e.name("")
	e.must("create", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(rrset(name, "TXT", text("v")))})
	for _, k := range []dnsstore.Key{
		{Name: name + ".", Type: "TXT"},
		{Name: strings.ToUpper(name), Type: "TXT"},
		{Name: "a.." + name, Type: "TXT"},
		{Name: strings.Repeat("a", 64) + "." + name, Type: "TXT"},
		{Name: "", Type: "TXT"},
		{Name: name, Type: "txt"},
		{Name: name, Type: "MX"},
		{Name: name, Type: ""},
	} {
		if got, err := e.lookup(k); err == nil {
			e.errorf("Lookup(%q %q) returned %q and no error", k.Name, k.Type, got.Data)
		}
		e.notMade("a bad key in a condition", dnsstore.Change{
			If: sets(rrset(k.Name, k.Type)), Set: sets(rrset(name, "TXT", text("no"))),
		})
		e.notMade("a bad key in the contents", dnsstore.Change{
			If: sets(rrset(name, "TXT", text("v"))), Set: sets(rrset(k.Name, k.Type, text("no"))),
		})
	}
	e.want("at the end", rrset(name, "TXT", text("v")))
}

func badData(e *env) {
	name := e.name("")
	e.must("create", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(rrset(name, "TXT", text("v")))})
	for _, bad := range sets(
		rrset(name, "TXT", `no quotes`),
		rrset(name, "TXT", `"no end`),
		rrset(name, "TXT", `""""`),
		rrset(name, "TXT", `"\256"`),
		rrset(name, "TXT", ``),
		rrset(name, "TXT", text(strings.Repeat("x", 256))),
		rrset(name, "A", "192.0.2.256"),
		rrset(name, "A", "2001:db8::1"),
		rrset(name, "AAAA", "192.0.2.1"),
		rrset(name, "AAAA", "fe80::1%eth0"),
	) {
		e.notMade("bad contents", dnsstore.Change{
			If: sets(rrset(name, "TXT", text("v"))), Set: sets(rrset(name, "TXT", text("no")), rrset(e.name("x"), bad.Type, bad.Data...)),
		})
		e.notMade("a bad condition", dnsstore.Change{
			If: sets(rrset(e.name("x"), bad.Type, bad.Data...)), Set: sets(rrset(name, "TXT", text("no"))),
		})
	}
	e.want("at the end", rrset(name, "TXT", text("v")))
}

// notMade makes a change that is a mistake.
func (e *env) notMade(what string, c dnsstore.Change) {
	e.t.Helper()
	ctx, cancel := e.call()
	defer cancel()
	if err := e.store.Apply(ctx, c); err == nil || errors.Is(err, dnsstore.ErrConflict) {
		e.errorf("%s: Apply(%s) returned %s, want an error that does not wrap ErrConflict", what, describe(c), quoted(err))
	}
}
