package rfc2136_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// strict is a server whose clock is ahead of the test's, and that refuses a
// time of signing that is off by more than its fudge.
func strict(now func() time.Time, ahead time.Duration, signed bool) func(*call) {
	return func(c *call) {
		server := now().Add(ahead)
		at := time.Unix(int64(c.tsig.TimeSigned), 0)
		switch {
		case server.Sub(at).Abs() <= 300*time.Second:
			c.reply(c.sign(c.answer(dns.RcodeSuccess), signature{at: server}))
		case signed:
			other := fmt.Sprintf("%012x", server.Unix())
			c.reply(c.sign(c.answer(dns.RcodeNotAuth), signature{failure: dns.RcodeBadTime, other: other}))
		default:
			c.reply(pack(c.answer(dns.RcodeRefused)))
		}
	}
}

func TestClock_CorrectsItselfByAVerifiedRefusal(t *testing.T) {
	t.Parallel()
	noon := func() time.Time { return time.Unix(1795290771, 0) }
	for _, ahead := range []time.Duration{0, 299 * time.Second, 301 * time.Second, -400 * time.Second, 400 * time.Second, 1000 * time.Hour} {
		for _, network := range []string{"tcp", "udp"} {
			f := newFake(t, strict(noon, ahead, true))
			s := f.store(t, func(c *rfc2136.Config) { c.Now, c.Net = noon, network })
			for range 3 {
				if err := s.Apply(t.Context(), swap()); err != nil {
					t.Fatalf("%s ahead: Apply returned %v", ahead, err)
				}
			}
			want := 3
			if ahead.Abs() > 300*time.Second {
				want++ // the first try of the first call
			}
			if n := len(f.got()); n != want {
				t.Errorf("%s ahead: %d messages, want %d", ahead, n, want)
			}
			if got := s.Skew(); (got - ahead).Abs() > time.Second {
				t.Errorf("%s ahead: Skew is %s", ahead, got)
			}
			if _, err := s.Lookup(t.Context(), key("TXT")); err != nil {
				t.Errorf("%s ahead: Lookup returned %v", ahead, err)
			}
		}
	}
}

// A clock that drifts away while the store is in use, and back.
func TestClock_FollowsADrift(t *testing.T) {
	t.Parallel()
	noon := time.Unix(1795290771, 0)
	now := noon
	f := newFake(t, strict(func() time.Time { return noon }, 0, true))
	s := f.store(t, func(c *rfc2136.Config) { c.Now = func() time.Time { return now } })
	for range 10 {
		now = now.Add(100 * time.Second)
		if err := s.Apply(t.Context(), swap()); err != nil {
			t.Fatalf("%s off: Apply returned %v", now.Sub(noon), err)
		}
		if got := s.Skew() + now.Sub(noon); got.Abs() > time.Second {
			t.Errorf("%s off: Skew is %s", now.Sub(noon), s.Skew())
		}
	}
	now = noon
	if err := s.Apply(t.Context(), swap()); err != nil || s.Skew().Abs() > time.Second {
		t.Errorf("back at noon: Apply returned %v, and Skew is %s", err, s.Skew())
	}
	if n := s.Stats().ClockCorrections; n != 4 {
		t.Errorf("counted %d corrections, want 4: after 400 s, 700 s, 1000 s and the way back", n)
	}
}

// A server that goes on refusing, whatever time it is told, is refused for
// good; the error has the measured difference.
func TestClock_StillRefused(t *testing.T) {
	t.Parallel()
	noon := func() time.Time { return time.Unix(1795290771, 0) }
	f := newFake(t, func(c *call) {
		c.reply(c.sign(c.answer(dns.RcodeNotAuth), signature{failure: dns.RcodeBadTime, other: fmt.Sprintf("%012x", noon().Unix()-500)}))
	})
	s := f.store(t, func(c *rfc2136.Config) { c.Now = noon })
	err := s.Apply(t.Context(), swap())
	if diff := cmp.Diff([]string{"ErrRefused"}, sentinels(err)); diff != "" {
		t.Errorf("sentinels mismatch (-want +got):\n%s", diff)
	}
	failed, ok := errors.AsType[*rfc2136.ServerError](err)
	if !ok || failed.TSIGError != dns.RcodeBadTime || (failed.Skew+500*time.Second).Abs() > time.Second {
		t.Errorf("the facts are %+v", failed)
	}
	if want := "NOTAUTH with BADTIME"; !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not say %q", err, want)
	}
	if want := "2026-11-21T19:44:31Z and is 8m19s behind this host's"; !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not say %q", err, want)
	}
	if n := len(f.got()); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
}

// After two copies of the refused message, it is not certain that neither has
// been applied, so a denial of the next message proves nothing.
func TestClock_CopiesOfTheRefusedMessageCount(t *testing.T) {
	t.Parallel()
	late := fmt.Sprintf("%012x", time.Now().Unix()+1000)
	f := newFake(t, func(c *call) {
		switch c.n {
		case 0:
			_ = c.conn.Close()
		case 1:
			c.reply(c.sign(c.answer(dns.RcodeNotAuth), signature{failure: dns.RcodeBadTime, other: late}))
		default:
			c.truth(dns.RcodeNXRrset)
		}
	})
	err := f.store(t).Apply(t.Context(), swap())
	wantUnknown(t, err)
	if failed, _ := errors.AsType[*rfc2136.ServerError](err); failed == nil || failed.Copies != 3 {
		t.Errorf("the facts are %+v, want 3 copies", failed)
	}
}

// A refusal without the server's time corrects nothing.
func TestClock_RefusalWithoutTime(t *testing.T) {
	t.Parallel()
	for _, other := range []string{"", "0000", "00007000000000"} {
		f := newFake(t, func(c *call) {
			c.reply(c.sign(c.answer(dns.RcodeNotAuth), signature{failure: dns.RcodeBadTime, other: other}))
		})
		err := f.store(t).Apply(t.Context(), swap())
		if !errors.Is(err, dnsstore.ErrRefused) {
			t.Errorf("%q: Apply returned %v, want an error that wraps ErrRefused", other, err)
		}
		if n := len(f.got()); n != 1 {
			t.Errorf("%q: %d messages, want 1", other, n)
		}
	}
}
