package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
)

// visitOf has a request with a body.
func visitOf(t *testing.T, body io.Reader) *visit {
	t.Helper()
	return &visit{r: httptest.NewRequestWithContext(t.Context(), "POST", "/", body)}
}

// take reads n octets of a body, all of it if n is negative.
func take(t *testing.T, from io.Reader, n int) string {
	t.Helper()
	text := make([]byte, max(n, 0))
	_, err := io.ReadFull(from, text)
	if n < 0 {
		text, err = io.ReadAll(from)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What was read of a body is read again by the next attempt, up to a limit.
func TestReplay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		length, read int
		keep, again  bool
	}{
		"nothing read":     {10, 0, true, true},
		"a part":           {10, 4, true, true},
		"all":              {10, 10, true, true},
		"as much as fits":  {maxReplay, maxReplay, true, true},
		"a part of a long": {10 * maxReplay, maxReplay, true, true},
		"too much":         {10 * maxReplay, maxReplay + 1, true, false},
		"untouched":        {10, 0, false, true},
		"not kept":         {10, 1, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Repeat("0123456789", tt.length/10+1)[:tt.length]
			v := visitOf(t, strings.NewReader(text))
			first := v.offer(tt.keep)
			take(t, first, tt.read)
			if got := v.body.rewind(); got != tt.again {
				t.Fatalf("can be sent again: %v, want %v", got, tt.again)
			}
			if _, err := first.Read(make([]byte, 1)); !errors.Is(err, errBodyGone) {
				t.Errorf("an attempt that is over reads on: %v", err)
			}
			if !tt.again {
				if _, err := v.body.again(); !errors.Is(err, errBodyGone) {
					t.Errorf("again: %v", err)
				}
				return
			}
			second, err := v.body.again()
			if err != nil {
				t.Fatal(err)
			}
			take(t, second, tt.read/2)
			if got := take(t, v.offer(true), -1); got != text {
				t.Errorf("the third attempt reads %d octets, want %d", len(got), len(text))
			}
		})
	}
}

// slowly is a body of which the next part has yet to come.
type slowly struct{ asked, come chan struct{} }

func (s slowly) Read(p []byte) (int, error) {
	s.asked <- struct{}{}
	<-s.come
	return copy(p, "late"), io.EOF
}

// A body that an attempt waits for cannot be sent again; the attempt after
// that does not wait beside it.
func TestReplay_Reading(t *testing.T) {
	t.Parallel()
	s := slowly{make(chan struct{}), make(chan struct{})}
	v := visitOf(t, io.MultiReader(strings.NewReader("early "), s))
	first := v.offer(true)
	ended := make(chan string)
	go func() {
		text, _ := io.ReadAll(first)
		ended <- string(text)
	}()
	<-s.asked
	if v.body.rewind() {
		t.Error("a body that is being read can be sent again")
	}
	second := v.offer(true)
	if got := take(t, second, 6); got != "early " {
		t.Errorf("read %q", got)
	}
	if _, err := second.Read(make([]byte, 1)); !errors.Is(err, errBodyGone) {
		t.Errorf("two attempts read at once: %v", err)
	}
	close(s.come)
	<-ended
	if got := take(t, v.offer(true), -1); got != "early late" {
		t.Errorf("read %q", got)
	}
}

// How a body has ended is what each attempt finds at its end.
func TestReplay_End(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	v := visitOf(t, io.MultiReader(bytes.NewReader([]byte("text")), failing{broken}))
	for range 2 {
		body := v.offer(true)
		text, err := io.ReadAll(body)
		if string(text) != "text" || !errors.Is(err, broken) {
			t.Errorf("read %q, %v", text, err)
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
		if _, err := body.Read(nil); !errors.Is(err, errBodyGone) {
			t.Errorf("a closed body is read: %v", err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
