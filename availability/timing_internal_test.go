package availability

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTiming_Derived(t *testing.T) {
	t.Parallel()
	timing := BlueCatTiming()
	for name, c := range map[string]struct{ got, want time.Duration }{
		"lease":          {timing.lease(), 45 * time.Second},
		"stop budget":    {timing.stopBudget(), 4500 * time.Millisecond},
		"attempt":        {timing.attempt(), 4 * time.Second},
		"back-off":       {timing.backOff(), time.Second},
		"longest report": {timing.longestReport(), 26500 * time.Millisecond},
	} {
		if c.got != c.want {
			t.Errorf("%s = %v, want %v", name, c.got, c.want)
		}
	}
}

func absenceGen() *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.Int64Range(500, 86_400_000), func(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond })
}

// The promise of the protocol: with clocks within 10 % of real time a Primary
// has stopped before another node may take over. In integers, so exactly:
// L/0.9 + δ ≤ W/1.1.
func TestProperty_LeaseEndsBeforeTakeover(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		timing := Timing{AllowedAbsenceInterval: absenceGen().Draw(t, "W")}
		l, d, w := timing.lease(), timing.stopBudget(), timing.AllowedAbsenceInterval
		if 110*l+99*d > 90*w {
			t.Fatalf("W %v: lease %v and stop budget %v last too long", w, l, d)
		}
		if l <= 0 || d <= 0 || timing.attempt() <= 0 || timing.backOff() <= 0 {
			t.Fatalf("W %v: a derived time is not positive: %+v", w, timing)
		}
	})
}

// Whatever W is, the defaults of all the rest fit it.
func TestProperty_DefaultsWorkTogether(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s Settings
		s.AllowedAbsenceInterval = absenceGen().Draw(t, "W")
		s.TSIGName, s.TSIGSecret = "ag", NewSecret("c2VjcmV0")
		if found := s.withDefaults().mistakes(false); found != nil {
			t.Fatalf("mistakes in the defaults: %v", configError(found))
		}
	})
}

// R is refused if and only if R + 3·U + 2·b > L − δ.
func TestProperty_ReportFitsTheLease(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := absenceGen().Draw(t, "W")
		near := (w * 53 / 120).Milliseconds() // where the border is
		r := time.Duration(rapid.OneOf(rapid.Int64Range(max(10, near-2), near+2), rapid.Int64Range(10, w.Milliseconds())).Draw(t, "R")) * time.Millisecond
		s := Settings{Timing: Timing{AllowedAbsenceInterval: w, HealthReportInterval: r}}.withDefaults()
		fits := r+3*s.attempt()+2*s.backOff() <= s.lease()-s.stopBudget()
		found := s.mistakes(false)
		if fits && found != nil {
			t.Fatalf("W %v, R %v fits, but: %v", w, r, configError(found))
		}
		if !fits && (len(found) != 1 || found[0].Field != "health_report_interval") {
			t.Fatalf("W %v, R %v does not fit: %v", w, r, configError(found))
		}
	})
}

func TestTiming_ProblemsSayWhy(t *testing.T) {
	t.Parallel()
	s := Settings{Timing: BlueCatTiming(), GroupFQDNTTL: 61 * time.Second}
	s.HealthReportInterval, s.HealthCheckInterval = 26501*time.Millisecond, 60001*time.Millisecond
	found := s.withDefaults().mistakes(false)
	want := []FieldError{
		{"group_fqdn_ttl", "must be at most the allowed_absence_interval of 60 s, is 61 s: clients would look for the old Primary long after a failover"},
		{"health_check_interval", "must be at most the allowed_absence_interval of 60 s, is 60.001 s: a Secondary has to look at the record within the failover period"},
		{"health_report_interval", "must be at most 26.5 s with an allowed_absence_interval of 60 s, is 26.501 s: " +
			"a report and three attempts of 4 s to confirm it, with two pauses of 1 s, must fit into the lease of 45 s less 4.5 s to stop"},
	}
	checkFields(t, want, found)
}

func TestTiming_Ranges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		edit  func(s *Settings)
		field string // empty: all is well
	}{
		{func(s *Settings) { s.AllowedAbsenceInterval = 500 * time.Millisecond }, ""},
		{func(s *Settings) { s.AllowedAbsenceInterval = 499 * time.Millisecond }, "allowed_absence_interval"},
		{func(s *Settings) { s.AllowedAbsenceInterval = 24 * time.Hour }, ""},
		{func(s *Settings) { s.AllowedAbsenceInterval = 24*time.Hour + time.Millisecond }, "allowed_absence_interval"},
		{func(s *Settings) { s.AllowedAbsenceInterval = -time.Minute }, "allowed_absence_interval"},
		{func(s *Settings) { s.AllowedAbsenceInterval = time.Minute + time.Microsecond }, "allowed_absence_interval"},
		{func(s *Settings) { s.HealthReportInterval = 10 * time.Millisecond }, ""},
		{func(s *Settings) { s.HealthReportInterval = 9 * time.Millisecond }, "health_report_interval"},
		{func(s *Settings) { s.HealthReportInterval = 26500 * time.Millisecond }, ""},
		{func(s *Settings) { s.HealthReportInterval = -time.Second }, "health_report_interval"},
		{func(s *Settings) { s.HealthReportInterval = time.Second + 1 }, "health_report_interval"},
		{func(s *Settings) { s.HealthCheckInterval = time.Minute }, ""},
		{func(s *Settings) { s.HealthCheckInterval = 9 * time.Millisecond }, "health_check_interval"},
		{func(s *Settings) { s.GroupFQDNTTL = time.Millisecond }, ""},
		{func(s *Settings) { s.GroupFQDNTTL = time.Minute }, ""},
		{func(s *Settings) { s.GroupFQDNTTL = -time.Millisecond }, "group_fqdn_ttl"},
	} {
		var s Settings
		c.edit(&s)
		var want []string
		if c.field != "" {
			want = []string{c.field}
		}
		if got := fieldNames(s.withDefaults().mistakes(false)); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%+v: mistakes in %q, want %q", s, got, want)
		}
	}
}

// The sample values of BlueCat's documentation have to be admitted.
func TestTiming_BlueCatsSamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ report, check, absence, ttl time.Duration }{
		{9, 20, 40, 30}, {15, 25, 47, 27}, {14, 30, 45, 20}, {20, 30, 60, 30},
	} {
		s := Settings{GroupFQDNTTL: c.ttl * time.Second, Timing: Timing{
			HealthReportInterval: c.report * time.Second, HealthCheckInterval: c.check * time.Second,
			AllowedAbsenceInterval: c.absence * time.Second,
		}}
		if found := s.withDefaults().mistakes(false); found != nil {
			t.Errorf("%+v: %v", c, configError(found))
		}
	}
}
