package httpapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		a, b := l.pair()
		w := b.ask(t, "GET", "metrics", "")
		if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != "text/plain; version=0.0.4; charset=utf-8" {
			t.Fatalf("status %d, Content-Type %q", w.Code, got)
		}
		text := w.Body.String()
		for _, line := range []string{
			`ag_node_role{role="primary"} 0`, `ag_node_role{role="secondary"} 1`, `ag_node_role{role="not_in_group"} 0`,
			"ag_members 2", "ag_dns_connected 1", "ag_healthy 1", "ag_paused 0", "ag_authority_until_timestamp_seconds 0",
			"# TYPE ag_reads_total counter",
		} {
			if !strings.Contains(text, line+"\n") {
				t.Errorf("%s is not among the metrics:\n%s", line, text)
			}
		}
		primary := a.ask(t, "GET", "metrics", "").Body.String()
		if !regexp.MustCompile(`(?m)^ag_authority_until_timestamp_seconds 9466848\d\d(\.\d+)?$`).MatchString(primary) {
			t.Errorf("the Primary's authority:\n%s", primary)
		}
	})
}

// Each metric is announced once, with its type, before its values.
func TestMetrics_Form(t *testing.T) {
	t.Parallel()
	inLab(t, func(t *testing.T, l *lab) {
		text := l.start().ask(t, "GET", "metrics", "").Body.String()
		help := regexp.MustCompile(`^# HELP (ag_[a-z_]+) [A-Z1].*\.$`)
		kind := regexp.MustCompile(`^# TYPE (ag_[a-z_]+) (counter|gauge)$`)
		value := regexp.MustCompile(`^(ag_[a-z_]+)(\{role="[a-z_]+"\})? -?\d+(\.\d+)?$`)
		seen, name, typed := map[string]bool{}, "", ""
		for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
			if m := help.FindStringSubmatch(line); m != nil {
				name, typed = m[1], ""
				if seen[name] {
					t.Errorf("%s is there twice", name)
				}
				seen[name] = true
				continue
			}
			if m := kind.FindStringSubmatch(line); m != nil && m[1] == name {
				typed = m[2]
				if (typed == "counter") != strings.HasSuffix(name, "_total") {
					t.Errorf("%s is a %s", name, typed)
				}
				continue
			}
			if m := value.FindStringSubmatch(line); m == nil || m[1] != name || typed == "" {
				t.Errorf("line %q, after %s", line, name)
			}
		}
		if len(seen) < 20 {
			t.Errorf("only %d metrics", len(seen))
		}
	})
}
