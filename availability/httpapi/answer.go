package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// answer writes v as JSON.
func (c *call) answer(status int, v any) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // nosniff, and the content type, keep browsers from reading HTML
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil { // not reachable: all types are ours
		status = http.StatusInternalServerError
		text.Reset()
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(text.Bytes()) // a client that has gone needs no answer
}

// message is the answer to a change. BlueCat's clients do not parse it.
type message struct {
	Message string `json:"message"`
}
