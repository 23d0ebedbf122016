package dnsstore_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/dnsstore"
)

func TestFormatTXT(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		strs []string
		want string
	}{
		{nil, ``},
		{[]string{""}, `""`},
		{[]string{"ag=1", "group=7f3c41d2"}, `"ag=1" "group=7f3c41d2"`},
		{[]string{"a b", "c"}, `"a b" "c"`},
		{[]string{`quote " backslash \ semicolon ;`}, `"quote \" backslash \\ semicolon ;"`},
		{[]string{"\x00\t\n\x1f ~\x7f\x80\xff"}, `"\000\009\010\031 ~\127\128\255"`},
		{[]string{"ü"}, `"\195\188"`},
	} {
		if got := dnsstore.FormatTXT(c.strs); got != c.want {
			t.Errorf("FormatTXT(%q) = %s, want %s", c.strs, got, c.want)
		}
	}
}

func TestParseTXT(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
	}{
		{`""`, []string{""}},
		{`"" ""`, []string{"", ""}},
		{`"ag=1" "x=2"`, []string{"ag=1", "x=2"}},
		{"  \"a\"\t \"b\" ", []string{"a", "b"}},
		{`"a\"b\\c\;d\e"`, []string{`a"b\c;de`}},
		{`"\065\000\255"`, []string{"A\x00\xff"}},
		{`"\0651"`, []string{"A1"}},
		{"\"raw ü\n;\"", []string{"raw ü\n;"}},
		{`"` + strings.Repeat("x", 255) + `"`, []string{strings.Repeat("x", 255)}},
		{`"` + strings.Repeat(`\120`, 255) + `"`, []string{strings.Repeat("x", 255)}},
	} {
		got, err := dnsstore.ParseTXT(c.text)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("ParseTXT(%s): %v, mismatch (-want +got):\n%s", c.text, err, diff)
		}
	}
}

func TestParseTXT_Mistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{``, "TXT without a string"},
		{` `, "TXT without a string"},
		{`bare`, "string 1 of TXT: not in quotes"},
		{`"a" bare`, "string 2 of TXT: not in quotes"},
		{`"a`, "string 1 of TXT: no closing quote"},
		{`"a" "`, "string 2 of TXT: no closing quote"},
		{`"a\"`, "string 1 of TXT: no closing quote"},
		{`"a\`, "string 1 of TXT: backslash at the end"},
		{`"a""b"`, "string 1 of TXT: no blank after it"},
		{`"a"b`, "string 1 of TXT: no blank after it"},
		{`"\256"`, "string 1 of TXT: octet 256; at most 255"},
		{`"\12"`, "string 1 of TXT: backslash before fewer than three digits"},
		{`"\1a2"`, "string 1 of TXT: backslash before fewer than three digits"},
		{`"\1`, "string 1 of TXT: backslash before fewer than three digits"},
		{`"` + strings.Repeat("x", 256) + `"`, "string 1 of TXT: 256 octets; at most 255"},
		{strings.Repeat(`"`+strings.Repeat("x", 255)+`" `, 256), "TXT of 65536 octets; at most 65535"},
	} {
		got, err := dnsstore.ParseTXT(c.text)
		if err == nil || err.Error() != c.want {
			t.Errorf("ParseTXT(%.40s) = %.40q, %v; want %q", c.text, got, err, c.want)
		}
	}
}

// FuzzParseTXT: what is understood has one form, and that form is understood
// as the same.
func FuzzParseTXT(f *testing.F) {
	for _, text := range []string{`""`, `"a" "b"`, `"\"\\\;\065"`, `"\000\255" ""`, "\t\"x\"", `"a"b`, `"\2`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		strs, err := dnsstore.ParseTXT(text)
		if err != nil {
			return
		}
		form := dnsstore.FormatTXT(strs)
		again, err := dnsstore.ParseTXT(form)
		if diff := cmp.Diff(strs, again); diff != "" || err != nil {
			t.Errorf("%q, written as %s: %v, mismatch (-want +got):\n%s", text, form, err, diff)
		}
		for _, c := range []byte(form) {
			if c < ' ' || c > '~' {
				t.Errorf("%q has the form %q, which is not printable ASCII", text, form)
			}
		}
	})
}

// FuzzFormatTXT: any octets come back, however they are cut into strings.
func FuzzFormatTXT(f *testing.F) {
	f.Add("", 1)
	f.Add("ag=1group=7f3c41d2", 4)
	f.Add("\x00\"\\; \xff\n\t065", 2)
	f.Fuzz(func(t *testing.T, octets string, cut int) {
		cut = 1 + max(cut, -cut-1)%255
		strs := []string{octets[:min(cut, len(octets))]}
		for rest := octets[len(strs[0]):]; rest != "" && len(strs) < 200; rest = rest[min(cut, len(rest)):] {
			strs = append(strs, rest[:min(cut, len(rest))])
		}
		got, err := dnsstore.ParseTXT(dnsstore.FormatTXT(strs))
		if diff := cmp.Diff(strs, got); diff != "" || err != nil {
			t.Errorf("%v, mismatch (-want +got):\n%s", err, diff)
		}
	})
}
