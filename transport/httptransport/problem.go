package httptransport

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	messageType = "application/json"
	problemType = "application/problem+json"
	// maxDetail is how much of what a peer says goes into an error.
	maxDetail = 256
)

// problem is the body of an error, RFC 9457 section 3.1. Programs decide by
// the status alone; without a type it is "about:blank", and the title is the
// status in words (section 4.2.1).
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

func encodeProblem(status int, detail string) []byte {
	body, err := json.Marshal(problem{Title: http.StatusText(status), Status: status, Detail: printable(detail)})
	if err != nil { // not reachable: strings and a number
		return []byte("{}")
	}
	return body
}

// problemText returns what the body of an error says, fit for a log.
func problemText(status int, body []byte) string {
	var p problem
	if err := json.Unmarshal(body, &p); err != nil || p.Detail == "" {
		return http.StatusText(status)
	}
	return printable(p.Detail)
}

// printable returns the beginning of a text, with a blank for whatever could
// do harm where it is shown.
func printable(s string) string {
	if len(s) > maxDetail {
		cut := maxDetail
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}
