package rfc2136_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// late is long for a call whose context has ended, and short against every
// time-out there is.
const late = 5 * time.Second

var errBored = errors.New("bored")

// moments are where a call can be when its context ends. Each makes a store
// for a fake that calls reached when the call is there.
func moments() map[string]func(t *testing.T, reached func()) *rfc2136.Store {
	script := func(network string, answer func(*call)) func(*testing.T, func()) *rfc2136.Store {
		return func(t *testing.T, reached func()) *rfc2136.Store {
			t.Helper()
			f := newFake(t, func(c *call) {
				if answer != nil {
					answer(c)
				}
				reached()
			})
			return f.store(t, func(c *rfc2136.Config) { c.Net = network })
		}
	}
	half := func(c *call) { _, _ = c.conn.Write(framed(c.sign(c.answer(0), signature{}))[:9]) }
	return map[string]func(*testing.T, func()) *rfc2136.Store{
		"waiting for a stream's answer":    script("tcp", nil),
		"in the middle of an answer":       script("tcp", half),
		"waiting for a datagram":           script("udp", nil),
		"after a false datagram":           script("udp", func(c *call) { c.reply(pack(c.answer(0))) }),
		"waiting for the second stream":    script("tcp", breakFirst),
		"connecting":                       whileConnecting("tcp"),
		"making a socket":                  whileConnecting("udp"),
		"resolving the server":             whileResolving,
		"finding the zone":                 whileFinding,
		"finding the server by a resolver": whileAskingResolvers,
	}
}

func breakFirst(c *call) {
	if c.n == 0 {
		_ = c.conn.Close()
	}
}

func whileConnecting(network string) func(*testing.T, func()) *rfc2136.Store {
	return func(t *testing.T, reached func()) *rfc2136.Store {
		t.Helper()
		return newFake(t, nil).store(t, func(c *rfc2136.Config) {
			c.Net = network
			c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				reached()
				<-ctx.Done()
				return nil, ctx.Err()
			}
		})
	}
}

func whileResolving(t *testing.T, reached func()) *rfc2136.Store {
	t.Helper()
	return newFake(t, nil).store(t, func(c *rfc2136.Config) {
		c.Server = "ns1.lab.test:5300"
		c.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			reached()
			<-ctx.Done()
			return nil, ctx.Err()
		}}
	})
}

func whileFinding(t *testing.T, reached func()) *rfc2136.Store {
	t.Helper()
	return newFake(t, func(*call) { reached() }).store(t, func(c *rfc2136.Config) { c.Zone = "" })
}

func whileAskingResolvers(t *testing.T, reached func()) *rfc2136.Store {
	t.Helper()
	silent := newFake(t, func(*call) { reached() })
	return silent.store(t, func(c *rfc2136.Config) { c.Server, c.Resolvers = "", []string{silent.addr} })
}

func TestCall_ReturnsPromptlyWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	for name, arrange := range moments() {
		for _, method := range []string{"Apply", "Lookup"} {
			t.Run(name+"/"+method, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				s := arrange(t, func() { cancel(errBored) })
				err := callWithin(t, func() error { return do(ctx, s, method) })
				for _, want := range []error{context.Canceled, errBored} {
					if !errors.Is(err, want) {
						t.Errorf("%s returned %v, want an error that wraps %v", method, err, want)
					}
				}
			})
		}
	}
}

func TestClose_EndsCallsThatAreUnderWay(t *testing.T) {
	t.Parallel()
	for name, arrange := range moments() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there := make(chan struct{}, 100)
			s := arrange(t, func() { there <- struct{}{} })
			ended := make(chan error, 1)
			go func() { ended <- do(t.Context(), s, "Apply") }()
			<-there
			if err := callWithin(t, s.Close); err != nil {
				t.Errorf("Close returned %v", err)
			}
			if err := callWithin(t, func() error { return <-ended }); !errors.Is(err, rfc2136.ErrClosed) {
				t.Errorf("Apply returned %v, want an error that wraps ErrClosed", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("a second Close returned %v", err)
			}
		})
	}
}

func do(ctx context.Context, s *rfc2136.Store, method string) error {
	if method == "Apply" {
		return s.Apply(ctx, swap())
	}
	_, err := s.Lookup(ctx, key("TXT"))
	return err
}

// callWithin fails a test that hangs, long before the whole run does.
func callWithin(t *testing.T, f func() error) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- f() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(late):
		t.Fatalf("not back after %s", late)
		return nil
	}
}

// An answer that has come counts, even if the context has ended meanwhile.
func TestApply_AnswerAndEndAtOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t, toUpdates(dns.RcodeNXRrset))
	s := f.store(t)
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Apply(ctx, swap()) }()
		cancel()
		switch got := sentinels(<-ended); {
		case len(got) == 1 && got[0] == "ErrConflict":
		case len(got) == 2 && (got[0] == "ErrUnknown" || got[0] == "ErrNotSent") && got[1] == "Canceled":
		default:
			t.Errorf("sentinels are %q", got)
		}
	}
}
