package embedded_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// TestRace_OneWinner: in each round all clients swap the same value for one of
// their own. One of them does.
func TestRace_OneWinner(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		network string
		clients int
		disk    bool
	}{{"udp", 2, false}, {"udp", 16, true}, {"tcp", 16, false}} {
		t.Run(fmt.Sprintf("%s %d disk=%t", tt.network, tt.clients, tt.disk), func(t *testing.T) {
			t.Parallel()
			c := testConfig()
			if tt.disk {
				c.Dir = filepath.Join(t.TempDir(), "zone")
			}
			s := start(t, c)
			var clients []*client
			for range tt.clients {
				clients = append(clients, dial(t, tt.network, s.addr))
			}
			present := ""
			for round := range 40 {
				winners := raceOnce(t, clients, present, round)
				if len(winners) != 1 {
					t.Fatalf("round %d: winners %q, want one", round, winners)
				}
				present = winners[0]
				if diff := cmp.Diff([]string{strconv.Quote(present)}, lookup(t, clients[0], "svc."+zoneName, dns.TypeTXT)); diff != "" {
					t.Fatalf("round %d: mismatch (-winner +zone):\n%s", round, diff)
				}
			}
			if got := s.Serial(); got != 41 {
				t.Errorf("serial %d, want 41: one change in each round", got)
			}
		})
	}
}

func raceOnce(t *testing.T, clients []*client, present string, round int) (winners []string) {
	t.Helper()
	var mu sync.Mutex
	var racing sync.WaitGroup
	lost := dns.RcodeNXRrset
	if present == "" {
		lost = dns.RcodeYXRrset
	}
	gun := make(chan struct{})
	for i, cl := range clients {
		value := fmt.Sprintf("r%d-%d", round, i)
		m := swap(t, "svc", present, value)
		racing.Go(func() {
			<-gun
			resp, err := cl.exchange(m)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Errorf("client %d: %v", i, err)
			case resp.Rcode == dns.RcodeSuccess:
				winners = append(winners, value)
			case resp.Rcode != lost:
				t.Errorf("client %d: %s, want %s", i, dns.RcodeToString[resp.Rcode], dns.RcodeToString[lost])
			}
		})
	}
	close(gun)
	racing.Wait()
	return winners
}

// TestRace_Readers: what is read never goes back, and an address that is read
// after a TXT is not older than it, as both change together.
func TestRace_Readers(t *testing.T) {
	t.Parallel()
	s := start(t, testConfig())
	write := func(cl *client, n int) {
		mustUpdate(t, cl, update(t,
			"update svc 0 ANY TXT", "update svc 0 ANY A",
			fmt.Sprintf("update svc 30 IN TXT %d", n), fmt.Sprintf("update svc 30 IN A 10.0.0.%d", n)))
	}
	writer := dial(t, "udp", s.addr)
	write(writer, 0)
	var reading sync.WaitGroup
	var done atomic.Bool
	for range 3 {
		cl := dial(t, "udp", s.addr)
		reading.Go(func() {
			for last := 0; !done.Load(); {
				txt, a := readPair(t, cl)
				if txt < last || a < txt {
					t.Errorf("read %d, then %d, then address %d", last, txt, a)
					return
				}
				last = txt
			}
		})
	}
	for n := range 200 {
		write(writer, n)
	}
	done.Store(true)
	reading.Wait()
	if txt, a := readPair(t, writer); txt != 199 || a != 199 {
		t.Errorf("at the end %d, address %d; want 199", txt, a)
	}
}

// readPair returns the numbers in the TXT and the address, -1 for what is not
// one record.
func readPair(t *testing.T, cl *client) (txt, a int) {
	t.Helper()
	number := func(rrtype uint16, prefix string) int {
		got := lookup(t, cl, "svc."+zoneName, rrtype)
		if len(got) != 1 {
			return -1
		}
		n, err := strconv.Atoi(strings.Trim(strings.TrimPrefix(got[0], prefix), `"`))
		if err != nil {
			return -1
		}
		return n
	}
	txt = number(dns.TypeTXT, "")
	return txt, number(dns.TypeA, "10.0.0.")
}
