package httpapi

import "net/http"

// prepare has the transport send the body again, or, where too much of it
// would be read for that, not before the node has begun to read it: one that
// is no longer Primary refuses without (RFC 9110 §10.1.1). A round trip is
// little beside such a body; smaller ones are kept instead.
func (v *visit) prepare(out *http.Request) {
	if v.body == nil {
		return
	}
	out.GetBody = v.body.again
	if n := v.r.ContentLength; n >= 0 && n <= maxReplay || v.r.Header.Get("Upgrade") != "" {
		return
	}
	out.Header.Set("Expect", "100-continue")
	out.Proto, out.ProtoMajor, out.ProtoMinor = "HTTP/1.1", 1, 1 // net/http waits for no 100 if the client has 1.0
}

// unasked is the answer to a client without the 100 of the Primary, which has
// answered this node. A client that waits for one has it from net/http, when
// the body is read.
type unasked struct{ http.ResponseWriter }

// WriteHeader is documented at [http.ResponseWriter].
func (u unasked) WriteHeader(status int) {
	if status != http.StatusContinue {
		u.ResponseWriter.WriteHeader(status)
	}
}

// Unwrap is for [http.ResponseController].
func (u unasked) Unwrap() http.ResponseWriter { return u.ResponseWriter }
