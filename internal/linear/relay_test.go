package linear_test

import (
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// weather is what becomes of messages on the way: shares of them, and times.
type weather struct {
	lose, loseAnswer float64
	// cut breaks the stream in the place of losing a message in silence.
	cut float64
	// double sends a datagram once more, late.
	double float64
	// ahead sends a message on a stream of its own before the one that it came
	// on, as an attacker may.
	ahead float64
	// late is the share of messages that take up to latest, often longer than
	// anybody waits for them; the others take up to usual.
	late          float64
	latest, usual time.Duration
}

func stormy() weather {
	return weather{
		lose: 0.05, loseAnswer: 0.15, cut: 0.6, double: 0.15,
		late: 0.12, latest: 600 * time.Millisecond, usual: 3 * time.Millisecond,
	}
}

// relay stands between the clients and a server. It takes in whole messages,
// over UDP and TCP, and hands them over, late, twice or never.
type relay struct {
	packets net.PacketConn
	streams net.Listener
	ctx     context.Context // ends with the relay
	end     context.CancelFunc
	all     sync.WaitGroup

	mu      sync.Mutex // guards the following
	target  string
	weather weather
	rng     *rand.Rand
}

func newRelay(t *testing.T, target string, seed uint64) *relay {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &relay{ctx: ctx, end: cancel, target: target, weather: stormy(), rng: rand.New(rand.NewPCG(seed, 0))}
	r.listen(t)
	r.all.Go(r.takePackets)
	r.all.Go(r.takeStreams)
	t.Cleanup(func() {
		r.end()
		_ = r.packets.Close()
		_ = r.streams.Close()
		r.all.Wait()
	})
	return r
}

func (r *relay) listen(t *testing.T) {
	t.Helper()
	const attempts = 20 // the port of the one may be in use by the other
	var err error
	for range attempts {
		if r.streams, err = new(net.ListenConfig).Listen(r.ctx, "tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if r.packets, err = new(net.ListenConfig).ListenPacket(r.ctx, "udp", r.addr()); err == nil {
			return
		}
		_ = r.streams.Close()
	}
	t.Fatal(err)
}

func (r *relay) addr() string { return r.streams.Addr().String() }

// aim names the server.
func (r *relay) aim(target string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = target
}

// set changes the weather.
func (r *relay) set(w weather) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.weather = w
}

// calm lets everything through from now on.
func (r *relay) calm() { r.set(weather{}) }

// ahead tells whether messages on streams have copies.
func (r *relay) ahead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.weather.ahead > 0
}

// fate is what becomes of one message and of the answer to it.
type fate struct {
	lost, cut, answerLost, doubled, ahead bool
	before, after, between                time.Duration
	target                                string
}

func (r *relay) fate() fate {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, chance := r.weather, func(p float64) bool { return r.rng.Float64() < p }
	takes := func() time.Duration {
		most := w.usual
		if chance(w.late) {
			most = w.latest
		}
		return time.Duration(r.rng.Float64() * float64(most))
	}
	return fate{
		lost: chance(w.lose), cut: chance(w.cut), answerLost: chance(w.loseAnswer), doubled: chance(w.double), ahead: chance(w.ahead),
		before: takes(), after: takes(), between: takes(), target: r.target,
	}
}

// wait tells whether the relay is still there after d.
func (r *relay) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.ctx.Done():
		return false
	}
}

func (r *relay) takePackets() {
	buffer := make([]byte, 65535)
	for {
		n, from, err := r.packets.ReadFrom(buffer)
		if err != nil {
			return
		}
		message := append([]byte(nil), buffer[:n]...)
		r.all.Go(func() { r.carryPacket(message, from) })
	}
}

// carryPacket hands a datagram over, and the answers to it back.
func (r *relay) carryPacket(message []byte, from net.Addr) {
	f := r.fate()
	if f.lost || !r.wait(f.before) {
		return
	}
	conn, err := new(net.Dialer).DialContext(r.ctx, "udp", f.target)
	if err != nil {
		return
	}
	defer context.AfterFunc(r.ctx, func() { _ = conn.Close() })()
	defer conn.Close()
	_, _ = conn.Write(message) // a server that is down is one that does not answer
	if f.doubled {
		r.all.Go(func() {
			if r.wait(f.between) {
				_, _ = conn.Write(message) // unless nobody waits for the answers any more
			}
		})
	}
	buffer := make([]byte, 65535)
	_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		if f.answerLost || !r.wait(f.after) {
			continue
		}
		_, _ = r.packets.WriteTo(buffer[:n], from)
	}
}

func (r *relay) takeStreams() {
	for {
		conn, err := r.streams.Accept()
		if err != nil {
			return
		}
		r.all.Go(func() { r.carryStream(conn) })
	}
}

// carryStream hands the messages of a stream over, one after the other, even
// if the client has gone by then.
func (r *relay) carryStream(conn net.Conn) {
	defer context.AfterFunc(r.ctx, func() { _ = conn.Close() })()
	defer conn.Close()
	for {
		message, err := readFrame(conn)
		if err != nil {
			return
		}
		f := r.fate()
		if f.lost && f.cut {
			return
		}
		if f.lost {
			_, _ = io.Copy(io.Discard, conn) // until the client gives up
			return
		}
		if !r.wait(f.before) {
			return
		}
		if f.ahead {
			_, _ = r.askOverTCP(f.target, message) // and keep the answer
		}
		answer, err := r.askOverTCP(f.target, message)
		if err != nil || f.answerLost && f.cut || !r.wait(f.after) {
			return
		}
		if f.answerLost {
			_, _ = io.Copy(io.Discard, conn)
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// askOverTCP hands one message over and returns the answer, both in frames.
func (r *relay) askOverTCP(target string, message []byte) ([]byte, error) {
	conn, err := new(net.Dialer).DialContext(r.ctx, "tcp", target)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(r.ctx, func() { _ = conn.Close() })()
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(message); err != nil {
		return nil, err
	}
	return readFrame(conn)
}

// readFrame reads a message with its length before it (RFC 1035 section
// 4.2.2), and returns both.
func readFrame(r io.Reader) ([]byte, error) {
	frame := make([]byte, 2)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, err
	}
	frame = append(frame, make([]byte, binary.BigEndian.Uint16(frame))...)
	_, err := io.ReadFull(r, frame[2:])
	return frame, err
}
