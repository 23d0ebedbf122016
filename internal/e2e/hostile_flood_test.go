//go:build linux

package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Somebody who reaches the nodes opens streams and does not go on, and sends
// messages of all senders there could be. The nodes hear each other all the
// while, and keep nothing of it. It takes all of the machine, so it is alone.
func TestHostileFlood(t *testing.T) {
	l := newLab(t)
	a, b := l.pair(unhurried())
	old := l.watch.Tenure("a")
	var sent atomic.Int64
	var grown []int
	for range 2 {
		l.flood(t, a, b, &sent)
		grown = append(grown, resident(t, a)+resident(t, b))
	}
	l.settle(a, b)
	if got := l.watch.Tenure("a").Term; got != old.Term {
		t.Errorf("term = %d after the flood, want %d as before", got, old.Term)
	}
	// As much again costs no more memory, but for what the collector has left.
	most := 24 << 20
	if raceDetector {
		most *= 4
	}
	t.Logf("%d messages; the processes have %d MiB after the first half, %d MiB after the second", sent.Load(), grown[0]>>20, grown[1]>>20)
	if got := grown[1] - grown[0]; got > most {
		t.Errorf("the second half of the flood has cost %d MiB, want %d at most", got>>20, most>>20)
	}
	wantNoSecrets(t, l, a, b)
	t.Attr("prove.attacks", strconv.FormatInt(sent.Load(), 10))
}

// flood goes on until each of the senders has sent its share.
func (l *lab) flood(t *testing.T, a, b *node, sent *atomic.Int64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var slow, forgers sync.WaitGroup
	for i := range 200 {
		n := []*node{a, b}[i%2]
		slow.Go(func() { stall(ctx, *n.base.Load(), i%4 < 2) })
	}
	for _, n := range []*node{a, b} {
		forgers.Go(func() { forge(ctx, *n.base.Load(), sent) })
	}
	done := make(chan struct{})
	go func() {
		forgers.Wait()
		close(done)
	}()
	for forging := true; forging; {
		select {
		case <-done:
			forging = false
		case <-time.After(20 * time.Millisecond):
			wantRoles(t, l, "in the flood")
		}
	}
	cancel()
	slow.Wait()
}

// stall opens connections and sends as little as it can, in the header or in
// the body of a request.
func stall(ctx context.Context, base string, inHeader bool) {
	text := "POST /ag/peer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Slow: "
	if !inHeader {
		text += "\r\nContent-Length: 15000\r\nAg-Peer: v=1;group=" + fqdn + ";from=a;to=b;id=;nonce=;key=;mac=\r\n\r\n"
	}
	for ctx.Err() == nil {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			continue
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		_, err = io.WriteString(conn, text)
		for err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(100 * time.Millisecond):
				_, err = io.WriteString(conn, " ")
			}
		}
		stop()
		_ = conn.Close()
	}
}

// forge sends messages that nobody has signed, each of another sender.
func forge(ctx context.Context, base string, sent *atomic.Int64) {
	share := 1500
	if raceDetector {
		share /= 4
	}
	client := &http.Transport{}
	defer client.CloseIdleConnections()
	for i := range share {
		body := bytes.Repeat([]byte("x"), 15000)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/ag/peer", bytes.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Ag-Peer", fmt.Sprintf("v=1;group=%s;from=%s-%d;to=%s;id=%d;nonce=%032d;key=%08x;mac=%s",
			fqdn, "n", i, []string{"a", "b", "c"}[i%3], i, i, i, forgedMAC(body)))
		response, err := client.RoundTrip(r)
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		sent.Add(1)
	}
}

// resident is how much memory a process has, in octets.
func resident(t *testing.T, n *node) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kib int
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
