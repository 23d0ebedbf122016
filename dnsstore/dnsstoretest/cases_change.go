package dnsstoretest

import (
	"strconv"

	"github.com/availabilitygroup/ag/dnsstore"
)

func changeCases() []testCase {
	return []testCase{
		{"together", "a change is made as a whole or not at all, over all its types", together},
		{"two-names", "a change is made as a whole or not at all, over all its names", twoNames},
		{"replace", "new contents replace the whole RRset; a record that is given twice is there once", replace},
		{"delete", "new contents without data delete the RRset and nothing else; deleting what is absent is no error", deletion},
	}
}

func number(i int) string { return strconv.Itoa(i) }

func together(e *env) {
	name := e.name("")
	before := sets(rrset(name, "TXT", text("v=1")), rrset(name, "A", "192.0.2.1"), rrset(name, "AAAA", "2001:db8::1"))
	after := sets(rrset(name, "TXT", text("v=2")), rrset(name, "A", "192.0.2.2"), rrset(name, "AAAA", "2001:db8::2"))
	e.must("create three types", dnsstore.Change{If: sets(rrset(name, "TXT"), rrset(name, "CNAME")), Set: before})
	e.want("after the creation", before...)
	e.conflict("a conflict in the text", dnsstore.Change{If: sets(rrset(name, "TXT", text("v=0"))), Set: after})
	e.conflict("a conflict in an address", dnsstore.Change{If: sets(before[0], rrset(name, "AAAA")), Set: after})
	e.want("after the conflicts", before...)
	e.must("swap three types", dnsstore.Change{If: before[:1], Set: after})
	e.want("after the swap", after...)
	e.must("swap one, delete one", dnsstore.Change{
		If: after[:1], Set: sets(rrset(name, "TXT", text("v=3")), rrset(name, "A")),
	})
	e.want("at the end", rrset(name, "TXT", text("v=3")), rrset(name, "A"), after[2])
}

func twoNames(e *env) {
	host, record := e.name(""), e.name("_ag")
	before := sets(rrset(record, "TXT", text("v=1")), rrset(host, "A", "192.0.2.1"))
	after := sets(rrset(record, "TXT", text("v=2")), rrset(host, "A", "192.0.2.2"))
	e.must("create", dnsstore.Change{If: sets(rrset(record, "TXT"), rrset(host, "CNAME")), Set: before})
	e.want("after the creation", before...)
	e.conflict("a conflict at the one name", dnsstore.Change{If: sets(rrset(record, "TXT", text("v=0")), before[1]), Set: after})
	e.conflict("a conflict at the other", dnsstore.Change{If: sets(before[0], rrset(host, "A")), Set: after})
	e.want("after the conflicts", before...)
	e.must("swap", dnsstore.Change{If: sets(before[0], rrset(host, "CNAME")), Set: after})
	e.want("after the swap", after...)
}

func replace(e *env) {
	name := e.name("")
	many := rrset(name, "A", "192.0.2.1", "192.0.2.2", "192.0.2.3")
	e.must("create", dnsstore.Change{If: sets(rrset(name, "A")), Set: sets(many)})
	overlap := rrset(name, "A", "192.0.2.3", "192.0.2.4", "192.0.2.4")
	e.must("replace", dnsstore.Change{If: sets(many), Set: sets(overlap)})
	e.want("after it", rrset(name, "A", "192.0.2.3", "192.0.2.4"))
	e.must("replace by the same", dnsstore.Change{
		If: sets(rrset(name, "A", "192.0.2.3", "192.0.2.4")), Set: sets(rrset(name, "A", "192.0.2.4", "192.0.2.3")),
	})
	e.want("at the end", rrset(name, "A", "192.0.2.3", "192.0.2.4"))
}

func deletion(e *env) {
	name := e.name("")
	value, address := rrset(name, "TXT", text("v")), rrset(name, "A", "192.0.2.1")
	e.must("create", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(value, address)})
	e.conflict("delete on a wrong condition", dnsstore.Change{If: sets(rrset(name, "TXT", text("w"))), Set: sets(rrset(name, "TXT"))})
	e.want("after the conflict", value, address)
	e.must("delete one type", dnsstore.Change{If: sets(value), Set: sets(rrset(name, "TXT"))})
	e.want("after it", rrset(name, "TXT"), address)
	e.must("delete what is absent", dnsstore.Change{If: sets(address), Set: sets(rrset(name, "TXT"), rrset(name, "AAAA"))})
	e.want("after that", rrset(name, "TXT"), address)
	e.must("delete the last", dnsstore.Change{If: sets(address), Set: sets(rrset(name, "A"))})
	e.want("at the end", rrset(name, "TXT"), rrset(name, "A"))
	e.must("create again", dnsstore.Change{If: sets(rrset(name, "TXT"), rrset(name, "A")), Set: sets(value)})
	e.want("after all", value)
}
