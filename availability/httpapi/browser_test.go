//go:build linux

package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/availabilitygroup/ag/internal/testserver/testnode"
)

// patience is how long anything in real time may take.
const patience = time.Minute

// browser is a Chromium that is spoken to over a pipe, in the DevTools
// protocol: JSON messages that end with a zero octet.
type browser struct {
	t   testing.TB
	cmd *exec.Cmd
	to  io.Writer

	mu       sync.Mutex
	last     int
	waiting  map[int]chan reply
	problems []string
}

// reply is an answer, or an event if it has a method.
type reply struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// chromium finds the program, or ends the test: it is skipped, or fails where
// what the tests need is required.
func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	absent(t, "in a browser: there is no chromium")
	return ""
}

// absent skips a test whose program is missing, or fails it.
func absent(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("AG_REQUIRE_SERVERS") == "1" {
		t.Fatalf("NOT TESTED %s (AG_REQUIRE_SERVERS=1)", what)
	}
	t.Skipf("NOT TESTED %s; install it, or set AG_REQUIRE_SERVERS=1 to make this a failure", what)
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	program := chromium(t)
	childIn, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, childOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "agbrowser") //nolint:usetesting // what is left of the browser may write while it is removed
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, to: to, waiting: map[int]chan reply{}}
	b.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), program,
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
		"--disable-background-networking", "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir="+filepath.Join(dir, "profile"), "about:blank")
	b.cmd.ExtraFiles = []*os.File{childIn, childOut}
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = childIn.Close() // the browser has its own
	_ = childOut.Close()
	var reading sync.WaitGroup
	reading.Go(func() { b.read(from) })
	t.Cleanup(func() {
		_ = to.Close() // without it the browser ends
		b.end()
		_ = from.Close()
		reading.Wait()
		_ = os.RemoveAll(dir)
	})
	return b
}

// end waits for the browser, and kills what has stayed of it.
func (b *browser) end() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.cmd.Wait() // how it ended says nothing
	}()
	select {
	case <-done:
	case <-time.After(patience / 6):
	}
	_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
	<-done
}

// read hands answers to whoever waits, until the pipe ends.
func (b *browser) read(from io.Reader) {
	messages := bufio.NewReader(from)
	for {
		text, err := messages.ReadBytes(0)
		if err != nil {
			return
		}
		var r reply
		if err := json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &r); err != nil {
			b.problem(err.Error())
			continue
		}
		b.mu.Lock()
		waiting := b.waiting[r.ID]
		delete(b.waiting, r.ID)
		b.mu.Unlock()
		switch {
		case waiting != nil:
			waiting <- r
		case r.Method == "Runtime.exceptionThrown", r.Method == "Log.entryAdded":
			b.problem(r.Method + ": " + string(r.Params))
		}
	}
}

// problem notes what the console of the browser shows: errors of the script,
// and what the Content-Security-Policy has stopped.
func (b *browser) problem(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, text)
}

func (b *browser) console() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.problems...)
}

// call sends a command, to a session if one is named, and waits for its answer.
func (b *browser) call(session, method string, params map[string]any) (json.RawMessage, error) {
	b.mu.Lock()
	b.last++
	id, answer := b.last, make(chan reply, 1)
	b.waiting[id] = answer
	message := map[string]any{"id": id, "method": method, "params": params}
	if session != "" {
		message["sessionId"] = session
	}
	text, err := json.Marshal(message)
	if err == nil {
		_, err = b.to.Write(append(text, 0))
	}
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case r := <-answer:
		if r.Error != nil {
			return nil, errors.New(r.Error.Message)
		}
		return r.Result, nil
	case <-time.After(patience):
		return nil, fmt.Errorf("%s: no answer", method)
	}
}

// tab is one page.
type tab struct {
	*browser
	session string
}

// open opens a page in a window of that size.
func (b *browser) open(url string, width, height int, dark bool) *tab {
	b.t.Helper()
	var target struct {
		ID string `json:"targetId"`
	}
	var attached struct {
		Session string `json:"sessionId"`
	}
	b.must("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	b.must("", "Target.attachToTarget", map[string]any{"targetId": target.ID, "flatten": true}, &attached)
	p := &tab{browser: b, session: attached.Session}
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.must(p.session, "Runtime.enable", nil, nil)
	b.must(p.session, "Log.enable", nil, nil)
	b.must(p.session, "Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.must(p.session, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]any{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	b.must(p.session, "Page.navigate", map[string]any{"url": url}, nil)
	p.await("the page is loaded", `document.readyState === "complete" && location.href !== "about:blank"`)
	return p
}

func (b *browser) must(session, method string, params map[string]any, into any) {
	b.t.Helper()
	result, err := b.call(session, method, params)
	if err == nil && into != nil {
		err = json.Unmarshal(result, into)
	}
	if err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
}

// eval returns the value of an expression of JavaScript, as text.
func (p *tab) eval(expression string) string {
	p.t.Helper()
	var r struct {
		Result struct {
			Value any `json:"value"`
		} `json:"result"`
	}
	p.must(p.session, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &r)
	return strings.TrimSpace(fmt.Sprint(r.Result.Value))
}

// await waits until an expression is true.
func (p *tab) await(what, expression string) {
	p.t.Helper()
	testnode.Await(p.t, patience, what+": "+expression, func() bool { return p.eval(expression) == "true" })
}
