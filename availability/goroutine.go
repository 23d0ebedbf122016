package availability

import (
	"bytes"
	"runtime"
	"strconv"
)

// goroutineID returns the number of the running goroutine, 0 if it cannot be
// had. Its only use is to know whether a handler ends its own subscription:
// a call of unsubscribe carries nothing else that could tell, and without it
// either that would wait for itself, or unsubscribe could not promise anybody
// that the handler has returned. The standard library reads the same text for
// the checks of its HTTP/2 server.
func goroutineID() uint64 {
	var buf [64]byte
	text, ok := bytes.CutPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	if !ok {
		return 0
	}
	digits, _, _ := bytes.Cut(text, []byte(" "))
	id, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		return 0
	}
	return id
}
