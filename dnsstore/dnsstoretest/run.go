package dnsstoretest

import (
	"crypto/rand"
	"encoding/hex"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

// Option tells Run about the store it is to test.
type Option func(*settings)

type settings struct {
	zone        string
	callTimeout time.Duration
	ignoresCase bool
}

// InZone names the zone, canonical (see [dnsstore.Canonical]), in which the
// suite may write every name. The default is lab.test.
func InZone(zone string) Option { return func(s *settings) { s.zone = zone } }

// CallTimeout is the deadline that the suite sets for each single call, 15
// seconds by default. A store that is not done by then fails.
func CallTimeout(d time.Duration) Option { return func(s *settings) { s.callTimeout = d } }

// IgnoresCase says that the server behind the store takes TXT that differ only
// in the case of letters for equal, as PowerDNS does, and skips the one case
// that shows it. Such a store is safe for values without capitals only; a
// group writes no others.
func IgnoresCase() Option { return func(s *settings) { s.ignoresCase = true } }

// testCase is one promise and how to check it.
type testCase struct {
	name string
	// rule is the promise, in the words a failure is explained with.
	rule string
	run  func(e *env)
}

// Run checks that what open returns keeps the promises of [dnsstore.Store]. It
// opens one store for each promise. They may all be views of the same data.
func Run(t *testing.T, open func(testing.TB) dnsstore.Store, options ...Option) {
	t.Helper()
	s := settings{zone: "lab.test", callTimeout: 15 * time.Second}
	for _, o := range options {
		o(&s)
	}
	suffix := make([]byte, 4)
	_, _ = rand.Read(suffix) // never fails, by its contract
	for _, c := range cases(s) {
		t.Run(c.name, func(t *testing.T) {
			e := &env{
				t: t, store: open(t), rule: c.rule, set: s,
				base: c.name + "-" + hex.EncodeToString(suffix) + "." + s.zone,
			}
			t.Cleanup(e.remove)
			c.run(e)
		})
	}
}

func cases(s settings) []testCase {
	var all []testCase
	all = append(all, readCases()...)
	all = append(all, conditionCases()...)
	all = append(all, changeCases()...)
	all = append(all, textCases(s)...)
	all = append(all, keyCases()...)
	all = append(all, raceCases()...)
	all = append(all, contextCases()...)
	return all
}
