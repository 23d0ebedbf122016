package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/availability"
)

const (
	// maxBody is ten times what all settings need.
	maxBody = 16 << 10
	// readWithin is how long a body may take.
	readWithin = 10 * time.Second
)

// object is a JSON object of a request, by key.
type object map[string]json.RawMessage

// given tells whether the object has any value; null is none.
func (o object) given() bool {
	for _, value := range o {
		if string(value) != "null" {
			return true
		}
	}
	return false
}

// body reads the JSON object of the request. It returns the text too, for what
// decodes itself; both are empty if there is no body, or one of another type.
func (c *call) body() (object, []byte, error) {
	if !isJSON(c.r.Header.Get("Content-Type")) {
		return nil, nil, nil // BlueCat's rule: ignored, not refused
	}
	text, err := c.readBody()
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return nil, nil, err
	}
	o, err := decodeObject(text)
	return o, text, err
}

// isJSON: parameters such as a charset may follow.
func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json"
}

func (c *call) readBody() ([]byte, error) {
	control := http.NewResponseController(c.w)
	// Where the deadline cannot be set, because the host has wrapped the
	// writer, the limits of the host's server must do.
	_ = control.SetReadDeadline(c.cfg.Clock.Now().Add(readWithin))
	text, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	switch _, tooLarge := errors.AsType[*http.MaxBytesError](err); {
	case tooLarge:
		return nil, &refusal{status: http.StatusRequestEntityTooLarge, reason: "too_large", text: "The body is larger than 16 KiB. Send the settings alone."}
	case err != nil:
		return nil, &refusal{status: http.StatusBadRequest, reason: "incomplete", text: "The body did not come whole, or not in time. Send it again."}
	}
	// The server goes on reading, to see the client go. With the deadline on,
	// it would see that in the middle of a change that takes longer.
	_ = control.SetReadDeadline(time.Time{})
	return text, nil
}

// decodeObject returns the values by key. Unlike encoding/json it takes no key
// twice: which of them counts would be anybody's guess.
func decodeObject(text []byte) (object, error) {
	if !json.Valid(text) {
		return nil, badBody("The body is not valid JSON.")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, badBody("The body must be a JSON object.")
	}
	o := object{}
	for d.More() {
		key, err := d.Token()
		name, isText := key.(string)
		if err != nil || !isText {
			return nil, badBody("The body is not valid JSON.")
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, badBody("The body is not valid JSON.")
		}
		if _, twice := o[name]; twice {
			return nil, badInput([]availability.FieldError{{Field: name, Problem: "is there more than once"}})
		}
		o[name] = value
	}
	return o, nil
}

func badBody(text string) *refusal {
	return &refusal{status: http.StatusBadRequest, reason: "body", text: text}
}

// badInput tells of mistakes in a body that are none of its settings.
func badInput(fields []availability.FieldError) error {
	problems := make([]string, len(fields))
	for i, f := range fields {
		problems[i] = f.Field + ": " + f.Problem
	}
	return &refusal{
		status: http.StatusBadRequest, reason: "configuration", fields: fields,
		text: "wrong request: " + strings.Join(problems, "; ") + ". Correct the body and send it again.",
	}
}

// badFields tells of mistakes in settings as the group itself does.
func badFields(fields []availability.FieldError) error {
	return &availability.ConfigError{Fields: fields}
}
