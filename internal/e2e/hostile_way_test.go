//go:build linux

package e2e_test

import (
	"context"
	endian "encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// way is a hostile host on the path to the name server. It sees all messages
// over UDP and TCP, and sends back what it likes. It has no key.
type way struct {
	target  string
	packets net.PacketConn
	streams net.Listener
	ctx     context.Context // ends with the way
	all     sync.WaitGroup

	mu      sync.Mutex // guards the following
	rng     *rand.Rand
	attacks []dnsAttack // one of them at random is made; none: all passes
	rate    float64     // the share of exchanges that are attacked
	truth   bool        // over UDP the true answer follows the lies
	made    map[string]int
	seen    []exchanged
	held    []byte // an answer that has not been given
}

// exchanged is a request and the answer of the server.
type exchanged struct{ request, answer []byte }

// dnsAttack makes what goes back for a request, in this order.
type dnsAttack struct {
	name string
	// lies: nothing of what goes back is a true answer in time.
	lies bool
	make func(w *way, network string, request []byte) [][]byte
	// drip is the pause between the octets of a stream, and before a datagram.
	drip time.Duration
}

func newWay(t *testing.T, target string, seed uint64) *way {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	w := &way{target: target, ctx: ctx, rng: rand.New(rand.NewPCG(seed, 0)), made: map[string]int{}}
	var err error
	for range 20 { // the port of the one may be in use by the other
		if w.streams, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if w.packets, err = new(net.ListenConfig).ListenPacket(ctx, "udp", w.addr()); err == nil {
			break
		}
		_ = w.streams.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	w.all.Go(w.takePackets)
	w.all.Go(w.takeStreams)
	t.Cleanup(func() {
		cancel()
		_ = w.packets.Close()
		_ = w.streams.Close()
		w.all.Wait()
	})
	return w
}

func (w *way) addr() string { return w.streams.Addr().String() }

// begin attacks this share of all exchanges from now on, each in one of these
// ways.
func (w *way) begin(rate float64, truth bool, attacks ...dnsAttack) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attacks, w.rate, w.truth = attacks, rate, truth
}

// end lets everything pass.
func (w *way) end() { w.begin(0, false) }

// count is how often an attack has been made; without a name: all of them.
func (w *way) count(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name != "" {
		return w.made[name]
	}
	all := 0
	for _, n := range w.made {
		all += n
	}
	return all
}

// choose returns the attack on the next exchange.
func (w *way) choose() (a dnsAttack, attacked, truth bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.attacks) == 0 || w.rng.Float64() >= w.rate {
		return dnsAttack{}, false, false
	}
	return w.attacks[w.rng.IntN(len(w.attacks))], true, w.truth && w.rng.IntN(2) == 0
}

// captured are the last exchanges for which ok holds, the oldest first.
func (w *way) captured(ok func(exchanged) bool) []exchanged {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.seen), func(x exchanged) bool { return !ok(x) })
}

// carry answers a request.
func (w *way) carry(network string, request []byte, reply func(message []byte, drip time.Duration)) {
	a, attacked, truth := w.choose()
	if !attacked {
		if answer := w.ask(network, request); answer != nil {
			reply(answer, 0)
		}
		return
	}
	for _, message := range a.make(w, network, request) {
		reply(message, a.drip)
	}
	if truth && network == "udp" {
		if answer := w.ask(network, request); answer != nil {
			reply(answer, 0)
		}
	}
	w.mu.Lock()
	w.made[a.name]++
	w.mu.Unlock()
}

// ask hands a request to the server and keeps both.
func (w *way) ask(network string, request []byte) []byte {
	answer := w.send(network, request)
	if answer == nil {
		return nil
	}
	const kept = 256
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen[max(0, len(w.seen)-kept):], exchanged{request, slices.Clone(answer)})
	return answer
}

// send sends the server a message and returns the answer, nil if there is none.
func (w *way) send(network string, request []byte) []byte {
	conn, err := new(net.Dialer).DialContext(w.ctx, network, w.target)
	if err != nil {
		return nil
	}
	defer context.AfterFunc(w.ctx, func() { _ = conn.Close() })()
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(3 * time.Second))
	answer, err := ask(conn, network, request)
	if err != nil {
		return nil
	}
	return answer
}

func ask(conn net.Conn, network string, request []byte) ([]byte, error) {
	if network == "tcp" {
		if _, err := conn.Write(framed(request)); err != nil {
			return nil, err
		}
		return readFrame(conn)
	}
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	buffer := make([]byte, 65535)
	n, err := conn.Read(buffer)
	return buffer[:n], err
}

// wait tells whether the way is still there after d.
func (w *way) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.ctx.Done():
		return false
	}
}

func (w *way) takePackets() {
	buffer := make([]byte, 65535)
	for {
		n, from, err := w.packets.ReadFrom(buffer)
		if err != nil {
			return
		}
		request := slices.Clone(buffer[:n])
		w.all.Go(func() {
			w.carry("udp", request, func(message []byte, drip time.Duration) {
				if w.wait(20 * drip) {
					_, _ = w.packets.WriteTo(message, from)
				}
			})
		})
	}
}

func (w *way) takeStreams() {
	for {
		conn, err := w.streams.Accept()
		if err != nil {
			return
		}
		w.all.Go(func() {
			defer context.AfterFunc(w.ctx, func() { _ = conn.Close() })()
			defer conn.Close()
			for {
				request, err := readFrame(conn)
				if err != nil {
					return
				}
				w.carry("tcp", request, func(message []byte, drip time.Duration) { w.write(conn, framed(message), drip) })
			}
		})
	}
}

// write writes a frame, octet by octet if it shall drip.
func (w *way) write(conn net.Conn, frame []byte, drip time.Duration) {
	if drip == 0 {
		_, _ = conn.Write(frame)
		return
	}
	for i := range frame {
		if _, err := conn.Write(frame[i : i+1]); err != nil || !w.wait(drip) {
			return
		}
	}
}

// framed and readFrame put the length before a message, and take it off (RFC
// 1035 section 4.2.2).
func framed(message []byte) []byte {
	return append(endian.BigEndian.AppendUint16(nil, uint16(len(message))), message...)
}

func readFrame(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	message := make([]byte, endian.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(r, message)
	return message, err
}
