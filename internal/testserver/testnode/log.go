package testnode

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
)

// Log is what has been logged so far, for a test that reads while others write.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Line is one line of the log of a node.
type Line struct {
	Msg     string `json:"msg"`
	Address string `json:"address"`
	ID      string `json:"id"`
	Text    string `json:"text"`
	Err     string `json:"err"`
}

// Lines are the whole lines of a log; what is no JSON is a line with a Msg only.
func Lines(log string) []Line {
	var all []Line
	for text := range bytes.Lines([]byte(log)) {
		if !bytes.HasSuffix(text, []byte("\n")) {
			break
		}
		var l Line
		if err := json.Unmarshal(text, &l); err != nil {
			l = Line{Msg: strings.TrimSpace(string(text))}
		}
		all = append(all, l)
	}
	return all
}

// Logged tells whether an event is in a log, with a text.
func Logged(log, id, text string) bool {
	for _, l := range Lines(log) {
		if l.Msg == "event" && l.ID == id && strings.Contains(l.Text, text) {
			return true
		}
	}
	return false
}

// Spilled tells whether a node has printed what it must not: its secret, a race
// or a panic.
func Spilled(log, secret string) bool {
	for _, bad := range []string{secret, "DATA RACE", "panic:", "fatal error:"} {
		if strings.Contains(log, bad) {
			return true
		}
	}
	return false
}
