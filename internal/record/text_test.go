package record_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/internal/record"
)

func TestStrings_Sample(t *testing.T) {
	t.Parallel()
	got, err := sample().Strings()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleText(), got); diff != "" {
		t.Errorf("text mismatch (-want +got):\n%s", diff)
	}
}

func TestParse_Sample(t *testing.T) {
	t.Parallel()
	got, err := record.Parse(sampleText())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got, equal()); diff != "" {
		t.Errorf("record mismatch (-want +got):\n%s", diff)
	}
}

// Each case changes the sample and says which strings of its text change with
// it; both ways must agree.
func TestText_BothWays(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		edit func(r *record.Record)
		want map[int]string // by place in the sample's text; empty: is not there
		more []string       // what follows
	}{
		"released": {
			edit: func(r *record.Record) { r.Primary, r.Run = "", "" },
			want: map[int]string{5: "primary=-", 6: "run=-"},
		},
		"tombstone": {
			edit: func(r *record.Record) { r.Primary, r.Run, r.Dissolved, r.Members = "", "", true, nil },
			want: map[int]string{5: "primary=-", 6: "run=-", 13: "", 14: ""},
			more: []string{"dissolved=1"},
		},
		"milliseconds": {
			edit: func(r *record.Record) {
				r.AllowedAbsence, r.ReportInterval, r.CheckInterval = 1500*time.Millisecond, 500*time.Millisecond, time.Hour
			},
			want: map[int]string{9: "w=1500ms", 10: "r=500ms", 11: "c=3600s"},
		},
		"no TTL": {
			edit: func(r *record.Record) { r.TTL = 0 },
			want: map[int]string{12: "ttl=0s"},
		},
		"no time": {
			edit: func(r *record.Record) { r.At = time.Time{} },
			want: map[int]string{8: "at=0001-01-01t00:00:00z"},
		},
		"never Primary, IPv6 only": {
			edit: func(r *record.Record) { r.Members[0].Priority, r.Members[0].IPv4 = 0, netip.Addr{} },
			want: map[int]string{13: "m=gw-a,https,443,0,,2001:db8::10"},
		},
		"unknown keys": {
			edit: func(r *record.Record) { r.Extra = []string{"zone=b", "a=", "zone=a=b,c"} },
			more: []string{"zone=b", "a=", "zone=a=b,c"},
		},
		"unknown member fields": {
			edit: func(r *record.Record) {
				r.Members[0].Extra, r.Members[1].Extra = []string{"", "rack=7"}, []string{"x"}
			},
			want: map[int]string{
				13: "m=gw-a,https,443,100,192.0.2.10,2001:db8::10,,rack=7",
				14: "m=gw-b,https,443,100,192.0.2.11,,joining,x",
			},
		},
		"large numbers": {
			edit: func(r *record.Record) { r.Term, r.Seq = record.MaxNumber, 0 },
			want: map[int]string{2: "term=9007199254740991", 3: "seq=0"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := sample()
			c.edit(&r)
			text := sampleText()
			for place, s := range c.want {
				text[place] = s
			}
			text = append(slices.DeleteFunc(text, func(s string) bool { return s == "" }), c.more...)
			checkBothWays(t, r, text)
		})
	}
}

func checkBothWays(t *testing.T, r record.Record, text []string) {
	t.Helper()
	got, err := r.Strings()
	if err != nil {
		t.Fatalf("Strings: %v", err)
	}
	if diff := cmp.Diff(text, got); diff != "" {
		t.Errorf("text mismatch (-want +got):\n%s", diff)
	}
	back, err := record.Parse(text)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	if diff := cmp.Diff(r, back, equal()); diff != "" {
		t.Errorf("record mismatch (-want +got):\n%s", diff)
	}
}

func TestStrings_Pause(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Paused = true
	text, err := r.Strings()
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Insert(sampleText(), 13, "paused=1"); !slices.Equal(text, want) {
		t.Errorf("text mismatch (-want +got):\n%s", cmp.Diff(want, text))
	}
}

// What Strings makes canonical: the order of members, priorities, the time.
func TestStrings_Canonical(t *testing.T) {
	t.Parallel()
	r := sample()
	slices.Reverse(r.Members)
	r.Members[1].Priority = -5
	r.At = r.At.Add(999 * time.Millisecond).In(time.FixedZone("", 3600))
	got, err := r.Strings()
	if err != nil {
		t.Fatal(err)
	}
	want := sampleText()
	want[13] = "m=gw-a,https,443,0,192.0.2.10,2001:db8::10"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("text mismatch (-want +got):\n%s", diff)
	}
	if r.Members[0].ID != "gw-b" {
		t.Error("Strings sorted the caller's members")
	}
}

func TestParse_AnyOrder(t *testing.T) {
	t.Parallel()
	text := sampleText()
	slices.Reverse(text[1:])
	got, err := record.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got, equal()); diff != "" {
		t.Errorf("record mismatch (-want +got):\n%s", diff)
	}
}

func TestStrings_Invalid(t *testing.T) {
	t.Parallel()
	cases := map[string]func(r *record.Record){
		"no group":                 func(r *record.Record) { r.Group = "" },
		"group not hexadecimal":    func(r *record.Record) { r.Group = "xyz" },
		"nonce in upper case":      func(r *record.Record) { r.Nonce = "AB" },
		"nonce too long":           func(r *record.Record) { r.Nonce = strings.Repeat("a", 33) },
		"run with a blank":         func(r *record.Record) { r.Run = "a b" },
		"Primary in upper case":    func(r *record.Record) { r.Primary = "GW-A" },
		"Primary is the mark":      func(r *record.Record) { r.Primary = "-" },
		"nobody wrote it":          func(r *record.Record) { r.By = "" },
		"year of five digits":      func(r *record.Record) { r.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"no allowed absence":       func(r *record.Record) { r.AllowedAbsence = 0 },
		"negative interval":        func(r *record.Record) { r.ReportInterval = -time.Second },
		"interval of microseconds": func(r *record.Record) { r.CheckInterval = 1500 * time.Microsecond },
		"negative TTL":             func(r *record.Record) { r.TTL = -time.Second },
		"absence of years":         func(r *record.Record) { r.AllowedAbsence = 20000 * time.Hour },
		"member without ID":        func(r *record.Record) { r.Members[0].ID = "" },
		"member twice":             func(r *record.Record) { r.Members[1].ID = "gw-a" },
		"scheme":                   func(r *record.Record) { r.Members[0].Scheme = "ftp" },
		"port 0":                   func(r *record.Record) { r.Members[0].Port = 0 },
		"IPv6 as IPv4":             func(r *record.Record) { r.Members[0].IPv4 = netip.MustParseAddr("::1") },
		"IPv4 as IPv6":             func(r *record.Record) { r.Members[0].IPv6 = netip.MustParseAddr("192.0.2.1") },
		"mapped address":           func(r *record.Record) { r.Members[0].IPv6 = netip.MustParseAddr("::ffff:192.0.2.1") },
		"address with a zone":      func(r *record.Record) { r.Members[0].IPv6 = netip.MustParseAddr("fe80::1%eth0") },
		"extra field with a comma": func(r *record.Record) { r.Members[0].Extra = []string{"a,b"} },
		"extra field joining":      func(r *record.Record) { r.Members[0].Extra = []string{"joining"} },
		"extra field in case":      func(r *record.Record) { r.Members[0].Extra = []string{"A"} },
		"extra of a known key":     func(r *record.Record) { r.Extra = []string{"term=1"} },
		"extra member":             func(r *record.Record) { r.Extra = []string{"m=x"} },
		"extra version":            func(r *record.Record) { r.Extra = []string{"ag=1"} },
		"extra without key":        func(r *record.Record) { r.Extra = []string{"=1"} },
		"extra without value":      func(r *record.Record) { r.Extra = []string{"x"} },
		"extra with a quote":       func(r *record.Record) { r.Extra = []string{`x="`} },
		"extra beyond ASCII":       func(r *record.Record) { r.Extra = []string{"x=ü"} },
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := sample()
			edit(&r)
			if text, err := r.Strings(); !errors.Is(err, record.ErrInvalid) || text != nil {
				t.Errorf("Strings = %q, %v, want ErrInvalid", text, err)
			}
		})
	}
}

func TestStrings_TooLarge(t *testing.T) {
	t.Parallel()
	long := sample()
	long.Members[0].Extra = []string{strings.Repeat("x", record.MaxString)}
	if _, err := long.Strings(); !errors.Is(err, record.ErrTooLarge) {
		t.Errorf("a string of more than %d octets: %v, want ErrTooLarge", record.MaxString, err)
	}

	many := sample()
	many.Members = nil
	for fits := 0; ; fits++ {
		many.Members = append(many.Members, record.Member{
			ID: fmt.Sprintf("gw-%02d", fits), Scheme: "https", Port: 443, Priority: 100, IPv4: netip.MustParseAddr("192.0.2.100"),
		})
		text, err := many.Strings()
		if err == nil {
			if size := sizeOf(text); size > record.MaxSize {
				t.Fatalf("%d octets passed, the limit is %d", size, record.MaxSize)
			}
			continue
		}
		if !errors.Is(err, record.ErrTooLarge) {
			t.Fatalf("Strings with %d members: %v, want ErrTooLarge", fits+1, err)
		}
		if fits < 20 {
			t.Errorf("only %d members fit", fits)
		}
		return
	}
}

// The limits themselves are within.
func TestStrings_ExactlyAtTheLimits(t *testing.T) {
	t.Parallel()
	r := sample()
	for left := record.MaxSize - sizeOf(sampleText()); left > 0; {
		size := min(left, 1+record.MaxString)
		r.Extra = append(r.Extra, "x="+strings.Repeat("y", size-3))
		left -= size
	}
	text, err := r.Strings()
	if err != nil || sizeOf(text) != record.MaxSize || len(r.Extra[0]) != record.MaxString {
		t.Fatalf("%d octets, the longest string %d: %v", sizeOf(text), len(r.Extra[0]), err)
	}
	r.Extra[len(r.Extra)-1] += "y"
	if _, err := r.Strings(); !errors.Is(err, record.ErrTooLarge) {
		t.Errorf("one octet more: %v, want ErrTooLarge", err)
	}
}

func sizeOf(text []string) int {
	size := 0
	for _, s := range text {
		size += 1 + len(s)
	}
	return size
}

func TestParse_Invalid(t *testing.T) {
	t.Parallel()
	// Each case puts strings in the place of one of the sample's.
	cases := map[string]struct {
		place int
		text  []string
	}{
		"no record at all":       {0, []string{"v=spf1"}},
		"version not first":      {0, []string{"group=00", "ag=1"}},
		"version twice":          {1, []string{"ag=1", "group=7f3c41d2"}},
		"no key":                 {1, []string{"=7f3c41d2"}},
		"no equals sign":         {1, []string{"group"}},
		"empty string":           {1, []string{"group=7f3c41d2", ""}},
		"upper case":             {1, []string{"group=7F3C41D2"}},
		"empty group":            {1, []string{"group="}},
		"group as a mark":        {1, []string{"group=-"}},
		"missing group":          {1, nil},
		"term twice":             {2, []string{"term=1", "term=1"}},
		"term with zeros":        {2, []string{"term=01"}},
		"term below 0":           {2, []string{"term=-1"}},
		"term too large":         {2, []string{"term=9007199254740992"}},
		"term not a number":      {2, []string{"term=0x1"}},
		"missing sequence":       {3, nil},
		"Primary no ID":          {5, []string{"primary=.a"}},
		"empty Primary":          {5, []string{"primary="}},
		"missing run":            {6, nil},
		"by nobody":              {7, []string{"by=-"}},
		"time with fraction":     {8, []string{"at=2026-11-21t20:12:50.5z"}},
		"time with offset":       {8, []string{"at=2026-11-21t20:12:50-01:00"}},
		"day that is none":       {8, []string{"at=2026-02-30t20:12:50z"}},
		"absence without unit":   {9, []string{"w=60"}},
		"absence in minutes":     {9, []string{"w=1m"}},
		"absence not canonical":  {9, []string{"w=60000ms"}},
		"absence 0":              {9, []string{"w=0s"}},
		"absence of years":       {9, []string{"w=999999999s"}},
		"absence overflows":      {9, []string{"w=99999999999999999999s"}},
		"interval below 0":       {10, []string{"r=-1s"}},
		"interval of fractions":  {11, []string{"c=1.5s"}},
		"paused is 0":            {12, []string{"ttl=30s", "paused=0"}},
		"paused twice":           {12, []string{"ttl=30s", "paused=1", "paused=1"}},
		"dissolved is yes":       {12, []string{"ttl=30s", "dissolved=yes"}},
		"member of five fields":  {14, []string{"m=gw-b,https,443,100,192.0.2.11"}},
		"member twice":           {14, []string{"m=gw-a,https,443,100,192.0.2.11,"}},
		"member without ID":      {14, []string{"m=,https,443,100,192.0.2.11,"}},
		"scheme":                 {14, []string{"m=gw-b,ftp,443,100,192.0.2.11,"}},
		"port 0":                 {14, []string{"m=gw-b,https,0,100,192.0.2.11,"}},
		"port too large":         {14, []string{"m=gw-b,https,65536,100,192.0.2.11,"}},
		"priority below 0":       {14, []string{"m=gw-b,https,443,-1,192.0.2.11,"}},
		"priority too large":     {14, []string{"m=gw-b,https,443,2147483648,192.0.2.11,"}},
		"address with zeros":     {14, []string{"m=gw-b,https,443,100,192.0.2.011,"}},
		"IPv6 in IPv4's place":   {14, []string{"m=gw-b,https,443,100,2001:db8::1,"}},
		"IPv4 in IPv6's place":   {14, []string{"m=gw-b,https,443,100,,192.0.2.1"}},
		"IPv6 not its shortest":  {14, []string{"m=gw-b,https,443,100,,2001:db8:0::1"}},
		"IPv6 is a mapped IPv4":  {14, []string{"m=gw-b,https,443,100,,::ffff:192.0.2.1"}},
		"joining twice":          {14, []string{"m=gw-b,https,443,100,192.0.2.11,,joining,joining"}},
		"unknown key, bad octet": {14, []string{"x=a b"}},
		"unknown key, 8 bits":    {14, []string{"x=\xff"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := slices.Replace(sampleText(), c.place, c.place+1, c.text...)
			if r, err := record.Parse(text); !errors.Is(err, record.ErrInvalid) {
				t.Errorf("Parse = %+v, %v, want ErrInvalid", r, err)
			}
		})
	}
	if _, err := record.Parse(nil); !errors.Is(err, record.ErrInvalid) {
		t.Errorf("Parse of nothing: %v, want ErrInvalid", err)
	}
}

// A later version may have anything behind its number, and is still one of ours.
func TestParse_UnknownVersion(t *testing.T) {
	t.Parallel()
	for _, text := range [][]string{{"ag=2", "Anything goes"}, {"ag="}, {"ag=1.1"}, {"ag=01"}} {
		if _, err := record.Parse(text); !errors.Is(err, record.ErrVersion) || errors.Is(err, record.ErrInvalid) {
			t.Errorf("Parse(%q): %v, want ErrVersion alone", text, err)
		}
		if !record.Ours(text) {
			t.Errorf("Ours(%q) = false", text)
		}
	}
}

func TestOurs(t *testing.T) {
	t.Parallel()
	for _, foreign := range [][]string{nil, {}, {""}, {"ag"}, {"v=spf1 -all"}, {"x=1", "ag=1"}, {"AG=1"}} {
		if record.Ours(foreign) {
			t.Errorf("Ours(%q) = true", foreign)
		}
	}
	if !record.Ours(sampleText()) {
		t.Error("Ours of the sample = false")
	}
}

func TestValidID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"gw-a": true, "0": true, "192.0.2.10": true, "2001:db8::10": true, "a_b.c:d-": true, strings.Repeat("a", 63): true,
		"": false, "-": false, "::1": false, "_a": false, ".a": false, "A": false, "a b": false, "a,b": false, "a=b": false,
		"ä": false, "a\xff": false, strings.Repeat("a", 64): false,
	} {
		if got := record.ValidID(id); got != want {
			t.Errorf("ValidID(%q) = %v, want %v", id, got, want)
		}
	}
}
