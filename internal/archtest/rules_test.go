package archtest_test

import "testing"

// rule is a rule on a single file.
type rule struct {
	name  string
	why   string
	check func(s source) []string
	// breaks and keeps are files that break the rule and keep it, by path.
	breaks, keeps map[string]string
}

// rules are all the rules on single files.
func rules() []rule {
	return append(append(append(append(sizeRules(), globalRules()...), docRules()...), importRules()...), testRules()...)
}

// TestRules checks every file of the root module.
func TestRules(t *testing.T) {
	t.Parallel()
	all := sources(t)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			var findings []string
			for _, s := range all {
				findings = append(findings, r.check(s)...)
			}
			report(t, r.why, findings)
		})
	}
}

// TestRules_Bite checks that each rule finds what it is for, and only that.
func TestRules_Bite(t *testing.T) {
	t.Parallel()
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			if r.why == "" || len(r.breaks) == 0 || len(r.keeps) == 0 {
				t.Fatal("a rule has a reason, a file that breaks it and one that keeps it")
			}
			for name, text := range r.breaks {
				if findings := r.check(mustParse(t, name, text)); len(findings) == 0 {
					t.Errorf("%s breaks the rule and is not reported:\n%s", name, text)
				}
			}
			for name, text := range r.keeps {
				if findings := r.check(mustParse(t, name, text)); len(findings) > 0 {
					t.Errorf("%s keeps the rule and is reported: %q\n%s", name, findings, text)
				}
			}
		})
	}
}

func mustParse(t *testing.T, name, text string) source {
	t.Helper()
	s, err := parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
