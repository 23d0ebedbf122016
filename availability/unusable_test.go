package availability_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/availabilitygroup/ag/availability"
)

// A record of another version is an answer that cannot be used: the verbs say
// which, and do not say what nobody knows.
func TestUnusableRecord_IsSaidByTheVerbs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a, b := pair(t)
		l.edit(func(d []string) []string { return []string{strings.Replace(d[0], "ag=1", "ag=2", 1)} })
		c := l.start(func(c *availability.Config) { c.Bootstrap = availability.BootstrapManual })
		_, verified := a.VerifyPrimary(t.Context())
		for name, err := range map[string]error{
			"VerifyPrimary on a Primary": verified,
			"Join":                       c.Join(t.Context()),
			"Create":                     c.Create(t.Context()),
		} {
			if !errors.Is(err, availability.ErrStoreUnreachable) || !strings.Contains(err.Error(), "version") {
				t.Errorf("%s with a record of another version: %v, want ErrStoreUnreachable that names the version", name, err)
			}
		}
		if !a.IsPrimary() || b.IsPrimary() {
			t.Errorf("a record of another version changed a role: %s", l)
		}
		l.stop()
	})
}
