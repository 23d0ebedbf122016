package testserver

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// DefaultZone is the zone that every server has unless WithZones says otherwise.
const DefaultZone = "lab.test"

const loopback = "127.0.0.1"

// Server is a running authoritative server.
type Server struct {
	// Name is what people call the software: BIND, Knot, PowerDNS, CoreDNS.
	Name string
	// Addr is 127.0.0.1:port, or the address of WithNetwork and a port, for UDP
	// and TCP. It never changes.
	Addr string
	// Zone is the first zone, without a final dot.
	Zone string
	// Keys are the TSIG keys that may update the zones.
	Keys []Key
	// Dir is where the server has its files.
	Dir string

	tb       testing.TB
	soft     software
	set      settings
	control  int           // the port of BIND's control channel
	reserved []reservation // until end
	logFrom  int           // where the log of the last start begins
	proc     *process
}

// Key is a TSIG key.
type Key struct {
	// Name is in lower case, without a final dot.
	Name string
	// Algorithm is hmac-sha256, hmac-sha384 or hmac-sha512.
	Algorithm string
	// Secret is in base64, as in a key file.
	Secret string
}

// Access returns what a store for the group fqdn is opened with.
func (k Key) Access(fqdn string) dnsstore.Access {
	return dnsstore.Access{
		FQDN: fqdn, TSIGName: k.Name, TSIGAlgorithm: k.Algorithm, TSIGSecret: dnsstore.NewSecret(k.Secret),
	}
}

// software is what the servers differ in.
type software interface {
	// name is the server's name.
	name() string
	// prepare finds the programs; it does not return if one is missing.
	prepare(s *Server)
	// configure writes the files, for the port of s.Addr. It may be called
	// again with another port before the first start.
	configure(s *Server) error
	// command is what to run.
	command(s *Server) []string
	// controller is what to put before the arguments of Control, none if there
	// is no such program.
	controller(s *Server) []string
}

// Key returns the key for an algorithm.
func (s *Server) Key(algorithm string) Key {
	s.tb.Helper()
	for _, k := range s.Keys {
		if k.Algorithm == algorithm {
			return k
		}
	}
	s.tb.Fatalf("%s: no key for %s", s.Name, algorithm)
	return Key{}
}

// start makes a server and starts it; it does not return without one.
func start(tb testing.TB, soft software, options []Option) *Server {
	tb.Helper()
	s := &Server{Name: soft.name(), tb: tb, soft: soft, set: newSettings(options)}
	soft.prepare(s)
	s.Zone = s.set.zones[0]
	s.Keys = newKeys()
	s.Dir = newDir(tb)
	tb.Cleanup(s.end)
	if err := s.writeZones(); err != nil {
		tb.Fatalf("%s: %v", s.Name, err)
	}
	const attempts = 5 // another process may take a free port before the server does
	var err error
	for range attempts {
		if err = s.startAnywhere(); !errors.Is(err, errAddressInUse) {
			break
		}
	}
	if err != nil {
		tb.Fatalf("start %s: %v\n%s", s.Name, err, s.logTail())
	}
	return s
}

// startAnywhere starts the server on a port that is free now.
func (s *Server) startAnywhere() error {
	port, err := s.freePort(s.set.host)
	if err != nil {
		return err
	}
	if s.control, err = s.freePort(loopback); err != nil {
		return err
	}
	s.Addr = net.JoinHostPort(s.set.host, strconv.Itoa(port))
	if err := s.soft.configure(s); err != nil {
		return err
	}
	return s.launch()
}

// Start starts the server again, on the same port and with the data it had.
func (s *Server) Start() {
	s.tb.Helper()
	if s.proc.running() {
		s.tb.Fatalf("start %s: it runs", s.Name)
	}
	if err := s.awaitPorts(); err != nil {
		s.tb.Fatalf("start %s again: its port is not free: %v", s.Name, err)
	}
	if err := s.launch(); err != nil {
		s.tb.Fatalf("start %s again: %v\n%s", s.Name, err, s.logTail())
	}
}

// Stop asks the server to end, as an operator would, and waits for it.
func (s *Server) Stop() {
	s.tb.Helper()
	if err := s.proc.terminate(s.context()); err != nil {
		s.tb.Fatalf("stop %s: %v\n%s", s.Name, err, s.logTail())
	}
}

// Kill ends the server at once, as a crash would, and waits for it.
func (s *Server) Kill() {
	s.tb.Helper()
	if err := s.proc.kill(); err != nil {
		s.tb.Fatalf("kill %s: %v", s.Name, err)
	}
}

// Pause stops the process with SIGSTOP, and returns when it has: it answers
// nothing, and what is sent to it waits in its sockets.
func (s *Server) Pause() {
	s.tb.Helper()
	if err := s.proc.pause(); err != nil {
		s.tb.Fatalf("pause %s: %v", s.Name, err)
	}
	testnode.AwaitStopped(s.tb, stopTimeout, s.proc.cmd.Process.Pid)
}

// Resume lets a paused process go on with what has been sent to it.
func (s *Server) Resume() {
	s.tb.Helper()
	if err := s.proc.resume(); err != nil {
		s.tb.Fatalf("resume %s: %v", s.Name, err)
	}
}

// freePort returns a port that is free in the network of the server, and that
// no other server of a test is given before this test ends.
func (s *Server) freePort(host string) (int, error) {
	var r reservation
	err := s.set.enter(func() (err error) {
		r, err = reserve(s.tb.Context(), host)
		return err
	})
	s.reserved = append(s.reserved, r)
	return r.port, err
}

// awaitPorts waits until the ports that the server had are free again.
func (s *Server) awaitPorts() error {
	ctx, cancel := context.WithTimeout(s.context(), startTimeout)
	defer cancel()
	own := netip.MustParseAddrPort(s.Addr)
	return s.set.enter(func() error {
		return errors.Join(awaitFree(ctx, s.set.host, int(own.Port())), awaitFree(ctx, loopback, s.control))
	})
}

// run runs a short program in the network of the server.
func (s *Server) run(argv []string) (out string, err error) {
	err = s.set.enter(func() (err error) {
		out, err = run(s.context(), argv)
		return err
	})
	return out, err
}

// clients are the addresses that may update.
func (s *Server) clients() string {
	if s.set.host == loopback {
		return "127.0.0.0/8"
	}
	return "0.0.0.0/0"
}

// Control runs the server's own control program (rndc, knotc, pdnsutil) and
// returns what it prints. CoreDNS has none.
func (s *Server) Control(args ...string) string {
	s.tb.Helper()
	before := s.soft.controller(s)
	if len(before) == 0 {
		s.tb.Fatalf("%s has no control program", s.Name)
	}
	out, err := s.run(append(before, args...))
	if err != nil {
		s.tb.Fatalf("%s control %q: %v\n%s", s.Name, args, err, s.logTail())
	}
	return out
}

// Log returns what the server has logged since it was first started.
func (s *Server) Log() string {
	text, err := os.ReadFile(s.logFile())
	switch {
	case errors.Is(err, fs.ErrNotExist): // not started yet
		return ""
	case err != nil:
		return "(no log: " + err.Error() + ")"
	}
	return string(text)
}

// launch runs the process and waits until it answers. If it does not, the
// process is ended.
func (s *Server) launch() error {
	ctx, cancel := context.WithTimeout(s.context(), startTimeout)
	defer cancel()
	s.logFrom = len(s.Log())
	var proc *process
	err := s.set.enter(func() (err error) {
		proc, err = startProcess(ctx, s.soft.command(s), s.Dir, s.logFile())
		return err
	})
	if err != nil {
		return err
	}
	s.proc = proc
	err = s.awaitReady(ctx)
	if s.addressInUse() { // also if somebody answers: it may be the other one
		err = errors.Join(errAddressInUse, err)
	}
	if err != nil {
		return errors.Join(err, proc.kill())
	}
	return nil
}

// addressInUse tells whether the port was taken at the last start.
func (s *Server) addressInUse() bool {
	text := s.Log()
	return addressInUse(text[min(s.logFrom, len(text)):])
}

// end is the clean-up: it leaves no process, however the test ended.
func (s *Server) end() {
	if s.tb.Failed() {
		s.tb.Logf("%s: the end of its log:\n%s", s.Name, s.logTail())
	}
	if err := s.proc.kill(); err != nil {
		s.tb.Errorf("end %s: %v", s.Name, err)
	}
	for _, r := range s.reserved {
		if err := r.Close(); err != nil {
			s.tb.Errorf("give a port back: %v", err)
		}
	}
}

// context outlives the test, for what is needed to clean up after it.
func (s *Server) context() context.Context { return context.WithoutCancel(s.tb.Context()) }

func (s *Server) file(name string) string { return filepath.Join(s.Dir, name) }

func (s *Server) logFile() string { return s.file("server.log") }

func (s *Server) logTail() string {
	const most = 6000
	text := s.Log()
	return text[max(0, len(text)-most):]
}

func (s *Server) port() string {
	_, port, _ := net.SplitHostPort(s.Addr) // built by JoinHostPort
	return port
}

// newDir makes a directory with a short name: the names of the Unix sockets in
// it may have about a hundred octets, too few for the one of TempDir.
func newDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "agdns") //nolint:usetesting // TempDir's name is too long for a socket
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("clean up: %v", err)
		}
	})
	return dir
}

func newKeys() []Key {
	keys := []Key{
		{Name: "ag-sha256", Algorithm: "hmac-sha256"},
		{Name: "ag-sha384", Algorithm: "hmac-sha384"},
		{Name: "ag-sha512", Algorithm: "hmac-sha512"},
	}
	for i := range keys {
		keys[i].Secret = newSecret()
	}
	return keys
}

func newSecret() string {
	octets := make([]byte, 32)
	_, _ = rand.Read(octets) // never fails, by its contract
	return base64.StdEncoding.EncodeToString(octets)
}
