//go:build linux

package hosts_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// ledger is what the Primaries write to: it stands for a disk or a database
// that many can reach. A write is a line "node term", perhaps with an ID of
// what is written; the answer is "ok", or "old" and the highest term. It keeps
// everything, with its own time.
type ledger struct {
	listener net.Listener
	all      sync.WaitGroup

	mu      sync.Mutex // guards the following
	conns   map[net.Conn]bool
	highest uint64
	entries []entry
}

// entry is one write that has arrived.
type entry struct {
	at       time.Time
	node     string
	term     uint64
	id       string
	accepted bool
}

const ledgerPort = "7000"

// newLedger opens one at a host.
func newLedger(t *testing.T, host *namespace, address string) *ledger {
	t.Helper()
	listener, err := host.listen(t.Context(), net.JoinHostPort(address, ledgerPort))
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{listener: listener, conns: map[net.Conn]bool{}}
	l.all.Go(l.accept)
	t.Cleanup(l.close)
	return l
}

func (l *ledger) accept() {
	for {
		c, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		l.conns[c] = true
		l.mu.Unlock()
		l.all.Go(func() { l.serve(c) })
	}
}

// serve takes the writes of one connection, those too whose writer has closed
// it meanwhile.
func (l *ledger) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		l.mu.Lock()
		delete(l.conns, c)
		l.mu.Unlock()
	}()
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		answer, err := l.write(lines.Text())
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, answer+"\n") // whoever has gone reads no answer
	}
}

func (l *ledger) write(line string) (answer string, err error) {
	node, rest, _ := strings.Cut(line, " ")
	number, id, _ := strings.Cut(rest, " ")
	term, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e := entry{at: time.Now(), node: node, term: term, id: id, accepted: term >= l.highest}
	l.entries = append(l.entries, e)
	if !e.accepted {
		return fmt.Sprintf("old %d", l.highest), nil
	}
	l.highest = term
	return "ok", nil
}

func (l *ledger) close() {
	_ = l.listener.Close()
	l.mu.Lock()
	for c := range l.conns {
		_ = c.Close()
	}
	l.mu.Unlock()
	l.all.Wait()
}

// kept are the writes so far.
func (l *ledger) kept() []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]entry(nil), l.entries...)
}

// wrote tells whether a node has had a write accepted in a term.
func (l *ledger) wrote(node string, term uint64) bool {
	for _, e := range l.kept() {
		if e.accepted && e.node == node && e.term == term {
			return true
		}
	}
	return false
}

// judge returns what is wrong with the entries: it does not rest on the
// ledger's own rule.
func judge(entries []entry) []string {
	var wrong []string
	var highest uint64
	writer := map[uint64]string{}
	for _, e := range entries {
		if was := writer[e.term]; was != "" && was != e.node {
			wrong = append(wrong, fmt.Sprintf("TWO WRITERS in term %d: %s and %s", e.term, was, e.node))
		}
		writer[e.term] = e.node
		if e.accepted && e.term < highest {
			wrong = append(wrong, fmt.Sprintf("A STALE WRITE of %s in term %d was accepted after term %d", e.node, e.term, highest))
		}
		if e.accepted {
			highest = max(highest, e.term)
		}
	}
	return wrong
}

// count is how many writes were accepted, and how many refused.
func count(entries []entry) (accepted, refused int) {
	for _, e := range entries {
		if e.accepted {
			accepted++
		} else {
			refused++
		}
	}
	return accepted, refused
}

// pen writes to a ledger, over one connection as long as that lasts.
type pen struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	to   string
	conn net.Conn
}

// Patience of a pen: long enough for a lost packet to be sent again.
const penPatience = 500 * time.Millisecond

var errStale = errors.New("the ledger has seen a newer term")

// write writes once. What is written into a connection that then fails may
// arrive later: nobody can take it back.
func (p *pen) write(ctx context.Context, node string, term uint64) error {
	ctx, cancel := context.WithTimeout(ctx, penPatience)
	defer cancel()
	if p.conn == nil {
		conn, err := p.dial(ctx, "tcp", p.to)
		if err != nil {
			return err
		}
		p.conn = conn
	}
	answer, err := p.exchange(fmt.Sprintf("%s %d\n", node, term))
	if err != nil {
		p.close()
		return err
	}
	if strings.HasPrefix(answer, "old") {
		return errStale
	}
	return nil
}

func (p *pen) exchange(line string) (string, error) {
	if err := p.conn.SetDeadline(time.Now().Add(penPatience)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(p.conn, line); err != nil {
		return "", err
	}
	buffer := make([]byte, 64)
	n, err := p.conn.Read(buffer)
	return string(buffer[:n]), err
}

func (p *pen) close() {
	if p.conn != nil {
		_ = p.conn.Close()
		p.conn = nil
	}
}
