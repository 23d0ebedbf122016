package linear_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/embedded"
)

// childEnv makes this program a server on the directory that it names.
const childEnv = "AG_LINEAR_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		serveAsChild(dir)
		os.Exit(1)
	}
	flag.Parse()
	// The tests wait most of the time, whatever the number of processors.
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", "8"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	goleak.VerifyTestMain(m)
}

// access is the key of the child.
func access() dnsstore.Access {
	return dnsstore.Access{
		FQDN: "r0." + zone, TSIGName: "ag-key", TSIGAlgorithm: "hmac-sha256",
		TSIGSecret: dnsstore.NewSecret("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="),
	}
}

// serveAsChild prints the address and serves until it is killed.
func serveAsChild(dir string) {
	s, err := embedded.New(embedded.Config{
		Zone: zone, Dir: dir, Keys: []embedded.Key{{Name: access().TSIGName, Secret: access().TSIGSecret}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		addr, err := s.Addr(context.Background())
		fmt.Println(addr, err)
	}()
	fmt.Println(s.Run(context.Background()))
}

// child is an embedded server in a process of its own.
type child struct {
	t    *testing.T
	dir  string
	addr string
	cmd  *exec.Cmd
}

func newChild(t *testing.T, dir string) *child {
	t.Helper()
	c := &child{t: t, dir: dir}
	c.start()
	t.Cleanup(c.kill)
	return c
}

func (c *child) start() {
	c.t.Helper()
	self, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	c.cmd = exec.CommandContext(context.WithoutCancel(c.t.Context()), self)
	c.cmd.Env = append(os.Environ(), childEnv+"="+c.dir)
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	addr, failure, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil || failure != "<nil>" {
		c.t.Fatalf("child: %q, %v", line, err)
	}
	c.addr = addr
}

// kill ends the process as a crash does, and waits for it.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait() // it was killed, that is its error
}
