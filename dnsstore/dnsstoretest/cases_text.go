package dnsstoretest

import (
	"fmt"
	"strings"

	"github.com/availabilitygroup/ag/dnsstore"
)

func textCases(s settings) []testCase {
	all := []testCase{
		{"strings", "a TXT record is a list of strings: joined, split otherwise or swapped it is another record", stringLists},
		{"octets", "TXT is kept octet for octet: quotes, backslashes, semicolons, blanks, controls and all others", octets},
		{"long-text", "TXT records of up to 1,200 octets can be written, read and be a condition", longText},
		{"foreign-text", "records of others at the name are part of the set: they are read, kept and part of the condition", foreignText},
		{"other-forms", "data in another presentation form is understood, and comes back in the one form of FormatTXT and netip.Addr", otherForms},
	}
	if !s.ignoresCase {
		all = append(all, testCase{
			"letter-case", "TXT that differ in the case of letters only are different (if the server is known not " +
				"to tell them apart, say so with dnsstoretest.IgnoresCase)", letterCase,
		})
	}
	return all
}

func stringLists(e *env) {
	name := e.name("")
	lists := [][]string{
		{"a", "b"},
		{"ab"},
		{"b", "a"},
		{"a", "b", ""},
		{"", "a", "b"},
		{"a b"},
		{"a", "", "b"},
		{""},
	}
	cond := rrset(name, "TXT")
	for i, list := range lists {
		present := rrset(name, "TXT", text(list...))
		e.must("write", dnsstore.Change{If: sets(cond), Set: sets(present)})
		e.want("after it", present)
		for j, other := range lists {
			if i != j && (i < 2 || j < 2) { // each against the first two is enough for a slow server
				e.conflict(fmt.Sprintf("%q is not %q", other, list), dnsstore.Change{If: sets(rrset(name, "TXT", text(other...)))})
			}
		}
		cond = present
	}
}

func octets(e *env) {
	var all strings.Builder
	for c := range 256 {
		all.WriteByte(byte(c))
	}
	lists := [][]string{
		{`"`, `""`, `"a" "b"`},
		{`\`, `\\`, `\"`, `\032`, `\065`},
		{";", "a;b", "; a comment", "()", "@", "$ORIGIN"},
		{" ", "  lead", "trail  ", "\t", "a\nb", "\r\n", "\x00"},
		{"grün", "\xff\xfe", "日本"},
		{all.String()[:128], all.String()[128:]},
	}
	name := e.name("")
	cond := rrset(name, "TXT")
	for _, list := range lists {
		present := rrset(name, "TXT", text(list...))
		e.must(fmt.Sprintf("write %q", list), dnsstore.Change{If: sets(cond), Set: sets(present)})
		e.want(fmt.Sprintf("after %q", list), present)
		cond = present
	}
	e.must("the last as a condition", dnsstore.Change{If: sets(cond)})
}

func longText(e *env) {
	name := e.name("")
	full := strings.Repeat("x", 255)
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf("m=node-%02d,https,443,100,192.0.2.%d", i, i)[:29])
	}
	cond := rrset(name, "TXT")
	for _, list := range [][]string{{full}, {full[:254]}, {full, full, full, full, full[:175]}, many} {
		present := rrset(name, "TXT", text(list...))
		e.must(fmt.Sprintf("write %d strings", len(list)), dnsstore.Change{If: sets(cond), Set: sets(present)})
		e.want(fmt.Sprintf("after %d strings", len(list)), present)
		cond = present
	}
	almost := append([]string(nil), many...)
	almost[len(almost)-1] = "m=other"
	e.conflict("all but the last string", dnsstore.Change{
		If: sets(rrset(name, "TXT", text(almost...))), Set: sets(rrset(name, "TXT", text("no"))),
	})
	e.must("from long to short", dnsstore.Change{If: sets(cond), Set: sets(rrset(name, "TXT", text("short")))})
	e.want("at the end", rrset(name, "TXT", text("short")))
}

func foreignText(e *env) {
	name := e.name("")
	foreign := []string{
		text("v=spf1 include:_spf.example.com ~all"),
		text("v=DMARC1; p=none; rua=mailto:a@example.com"),
		text(`quote " backslash \ end`),
		text("", "empty first"),
	}
	record := func(s string) dnsstore.RRSet { return rrset(name, "TXT", append([]string{text(s)}, foreign...)...) }
	e.must("others first", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(rrset(name, "TXT", foreign...))})
	e.want("what others wrote", rrset(name, "TXT", foreign...))
	e.must("ours beside them", dnsstore.Change{If: sets(rrset(name, "TXT", foreign...)), Set: sets(record("ag=1"))})
	e.want("ours and theirs", record("ag=1"))
	e.conflict("ours alone", dnsstore.Change{
		If: sets(rrset(name, "TXT", text("ag=1"))), Set: sets(rrset(name, "TXT", text("ag=2"))),
	})
	got, err := e.lookup(dnsstore.Key{Name: name, Type: "TXT"})
	if err != nil {
		e.fatalf("Lookup returned %q", err)
	}
	e.must("what was read is a condition", dnsstore.Change{If: sets(got), Set: sets(record("ag=2"))})
	e.want("at the end", record("ag=2"))
}

func otherForms(e *env) {
	name := e.name("")
	e.must("write", dnsstore.Change{
		If: sets(rrset(name, "TXT")),
		Set: sets(rrset(name, "TXT", `  "\065\;"	"\b"  `), rrset(name, "AAAA", "2001:0DB8:0:0::1"),
			rrset(name, "A", "192.0.2.1")),
	})
	normal := sets(rrset(name, "TXT", `"A;" "b"`), rrset(name, "AAAA", "2001:db8::1"))
	e.want("after it", normal...)
	e.must("as a condition", dnsstore.Change{
		If: sets(rrset(name, "TXT", `"A\059" "\098"`), rrset(name, "AAAA", "2001:db8:0::0001")), Set: sets(rrset(name, "A")),
	})
}

func letterCase(e *env) {
	name := e.name("")
	e.must("write", dnsstore.Change{If: sets(rrset(name, "TXT")), Set: sets(rrset(name, "TXT", text("Nonce=aB")))})
	e.want("after it", rrset(name, "TXT", text("Nonce=aB")))
	e.conflict("another case", dnsstore.Change{
		If: sets(rrset(name, "TXT", text("nonce=ab"))), Set: sets(rrset(name, "TXT", text("no"))),
	})
	e.want("at the end", rrset(name, "TXT", text("Nonce=aB")))
}
