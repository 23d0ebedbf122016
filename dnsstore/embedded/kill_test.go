package embedded_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// kills is how often the server is killed while updates stream in.
const kills = 10

// stream is one client that updates until its server is gone.
type stream struct {
	name         string
	acked, tried int // the last number
}

// TestKill: the server is killed at some moment of a stream of updates, again
// and again. Each time all that was acknowledged is there, and nothing that
// was not sent. The values are long, so that the journal is rewritten on the
// way.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "zone")
	streams := []*stream{{name: "s0"}, {name: "s1"}, {name: "s2"}}
	rewritten := false
	for round := range kills {
		c := startChild(t, dir)
		checkStreams(t, c.addr, streams)
		runStreams(t, c, streams, 20+rand.IntN(100))
		info, err := os.Stat(filepath.Join(dir, "zone.journal"))
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, s := range streams {
			total += s.acked * fillerSize
		}
		rewritten = rewritten || info.Size() < int64(total/2)
		t.Logf("round %d: acknowledged %d %d %d, journal %d octets", round, streams[0].acked, streams[1].acked, streams[2].acked, info.Size())
	}
	c := startChild(t, dir)
	checkStreams(t, c.addr, streams)
	c.kill()
	if !rewritten {
		t.Error("the journal was never rewritten; the test is too short")
	}
}

const fillerSize = 6000

// runStreams kills the server once this many updates are acknowledged.
func runStreams(t *testing.T, c *child, streams []*stream, acks int) {
	t.Helper()
	var left atomic.Int64
	left.Store(int64(acks))
	due := make(chan struct{})
	var clients sync.WaitGroup
	for _, s := range streams {
		cl := dial(t, "tcp", c.addr)
		clients.Go(func() {
			for s.next(t, cl) {
				if left.Add(-1) == 0 {
					close(due)
				}
			}
		})
	}
	<-due
	c.kill()
	clients.Wait()
}

// next makes the next update: a value by compare and swap, its number as an
// address at another name, and a long value.
func (s *stream) next(t *testing.T, cl *client) bool {
	t.Helper()
	n := s.tried + 1
	prerequisite := fmt.Sprintf("prereq %s 0 NONE TXT", s.name)
	if s.tried > 0 {
		prerequisite = fmt.Sprintf("prereq %s 0 IN TXT v%d", s.name, s.tried)
	}
	filler := strings.Repeat(fmt.Sprintf(" %q", strings.Repeat("x", 240-len(s.name))+s.name+fmt.Sprint(n)), fillerSize/240)
	m := update(t, prerequisite,
		fmt.Sprintf("update %s 0 ANY TXT", s.name), fmt.Sprintf("update %s 30 IN TXT v%d", s.name, n),
		fmt.Sprintf("update a.%s 0 ANY A", s.name), fmt.Sprintf("update a.%s 30 IN A 10.0.%d.%d", s.name, n/256, n%256),
		"update big 0 ANY TXT", "update big 30 IN TXT"+filler)
	s.tried = n
	resp, err := cl.exchange(m)
	if err != nil {
		return false
	}
	if resp.Rcode != dns.RcodeSuccess {
		t.Errorf("%s: update %d: %s", s.name, n, dns.RcodeToString[resp.Rcode])
		return false
	}
	s.acked = n
	return true
}

// checkStreams finds each value between the last acknowledged and the last
// tried, and both names of it in step.
func checkStreams(t *testing.T, addr string, streams []*stream) {
	t.Helper()
	cl := dial(t, "tcp", addr)
	for _, s := range streams {
		if s.tried == 0 {
			continue
		}
		txt := lookup(t, cl, s.name+"."+zoneName, dns.TypeTXT)
		n := 0
		if len(txt) == 1 {
			n, _ = strconv.Atoi(strings.Trim(txt[0], `"v`))
		}
		if len(txt) > 1 || n < s.acked || n > s.tried {
			t.Errorf("%s: %q, want from v%d to v%d", s.name, txt, s.acked, s.tried)
		}
		a := lookup(t, cl, "a."+s.name+"."+zoneName, dns.TypeA)
		if want := fmt.Sprintf("10.0.%d.%d", n/256, n%256); n > 0 && (len(a) != 1 || a[0] != want) {
			t.Errorf("%s: address %q, want %s: half of an update", s.name, a, want)
		}
		s.acked, s.tried = n, n
	}
}
