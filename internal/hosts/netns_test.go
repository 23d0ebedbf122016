//go:build linux

package hosts_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// namespace is a network namespace without a name: it ends when nobody holds
// it any more, neither this file nor a process or socket in it.
type namespace struct{ file *os.File }

// newNamespace makes an empty one.
func newNamespace() (*namespace, error) {
	var n *namespace
	err := onThread(func() error {
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		file, err := os.Open(ownNamespace)
		n = &namespace{file}
		return err
	})
	return n, err
}

const ownNamespace = "/proc/thread-self/ns/net"

// onThread calls f on a thread of its own, and puts the thread back into the
// namespace it came from. One that cannot be put back ends with its goroutine.
func onThread(f func() error) error {
	runtime.LockOSThread() // new threads are never made from a locked one
	home, err := os.Open(ownNamespace)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() {
		if setns(home) == nil {
			runtime.UnlockOSThread()
		}
		_ = home.Close()
	}()
	return f()
}

// do calls f with the thread in the namespace: sockets that f makes and
// processes that it starts stay there.
func (n *namespace) do(f func() error) error {
	return onThread(func() error {
		if err := setns(n.file); err != nil {
			return fmt.Errorf("enter the namespace: %w", err)
		}
		return f()
	})
}

// setns is not in package syscall.
func setns(ns *os.File) error {
	call := map[string]uintptr{"amd64": 308, "386": 346, "arm": 375, "arm64": 268, "riscv64": 268, "loong64": 268}[runtime.GOARCH]
	if call == 0 {
		return syscall.ENOSYS
	}
	_, _, errno := syscall.RawSyscall(call, ns.Fd(), syscall.CLONE_NEWNET, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// path names the namespace to other programs, as long as this process lives.
func (n *namespace) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd()) }

// start starts a process in the namespace.
func (n *namespace) start(cmd *exec.Cmd) error { return n.do(cmd.Start) }

// run runs a program to its end in the namespace.
func (n *namespace) run(ctx context.Context, input, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	var out strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &out
	err := n.start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, out.String())
	}
	return out.String(), nil
}

// dial connects from within the namespace. The address is a literal one: a
// name would be looked up elsewhere.
func (n *namespace) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = n.do(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// listen opens a TCP port within the namespace.
func (n *namespace) listen(ctx context.Context, address string) (l net.Listener, err error) {
	err = n.do(func() (err error) {
		l, err = new(net.ListenConfig).Listen(ctx, "tcp", address)
		return err
	})
	return l, err
}

// need ends the test where there can be no hosts.
func need(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED on hosts: needs root, for network namespaces")
	}
	problem := missing()
	if problem == "" {
		return
	}
	if os.Getenv("AG_REQUIRE_SERVERS") == "1" {
		t.Fatalf("NOT TESTED on hosts: %s (AG_REQUIRE_SERVERS=1)", problem)
	}
	t.Skipf("NOT TESTED on hosts: %s; set AG_REQUIRE_SERVERS=1 to make this a failure", problem)
}

func missing() string {
	for _, program := range []string{"ip", "nft", "nsupdate"} {
		if _, err := exec.LookPath(program); err != nil {
			return err.Error()
		}
	}
	n, err := newNamespace()
	if err != nil {
		return err.Error()
	}
	defer n.file.Close()
	if err := n.do(func() error { return nil }); err != nil {
		return err.Error()
	}
	return ""
}
