package objectserver

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// Server is an http.Handler that keeps an object at each path. The zero value
// is empty and ready for use; it must not be copied after that.
type Server struct {
	// Generations makes the entity tags numbers that never come again. Without
	// it they are made from the content, so that equal contents have equal tags.
	Generations bool

	mu      sync.Mutex
	objects map[string][][]byte // guarded by mu; each version by path, newest last
	refused int                 // guarded by mu
}

var _ http.Handler = (*Server)(nil)

// Versions returns all contents that the object has had, newest last.
func (s *Server) Versions(path string) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.objects[path])
}

// Refused returns how many requests were answered by 412.
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut:
	default:
		w.Header().Set("Allow", "GET, HEAD, PUT")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	conditions, err := parseConditions(r.Header)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodPut {
		s.put(w, r, conditions)
		return
	}
	s.get(w, r, conditions)
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, c conditions) {
	s.mu.Lock()
	body, tag := s.newestLocked(r.URL.Path)
	code := http.StatusNotFound // without a look at the conditions: RFC 9110 §13.2.1
	if tag != "" {
		code = c.evaluate(tag, http.StatusNotModified)
	}
	s.countLocked(code)
	s.mu.Unlock()
	if code == 0 {
		code = http.StatusOK
	}
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	if code != http.StatusOK {
		w.WriteHeader(code)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // whoever has gone has no use for the error
	}
}

// put reads the whole content before it looks at the conditions: they are
// those of the moment of the write (RFC 9110 §13.2.1).
func (s *Server) put(w http.ResponseWriter, r *http.Request, c conditions) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	_, old := s.newestLocked(r.URL.Path)
	code := c.evaluate(old, http.StatusPreconditionFailed)
	tag := old
	if code == 0 {
		if s.objects == nil {
			s.objects = make(map[string][][]byte)
		}
		s.objects[r.URL.Path] = append(s.objects[r.URL.Path], bytes.Clone(body))
		_, tag = s.newestLocked(r.URL.Path)
	}
	s.countLocked(code)
	s.mu.Unlock()
	switch {
	case code != 0:
	case old == "":
		code = http.StatusCreated
	default:
		code = http.StatusNoContent
	}
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	w.WriteHeader(code)
}

func (s *Server) countLocked(code int) {
	if code == http.StatusPreconditionFailed {
		s.refused++
	}
}

// newestLocked returns the content and its tag, which is empty if there is no
// object.
func (s *Server) newestLocked(path string) (body []byte, tag string) {
	versions := s.objects[path]
	if len(versions) == 0 {
		return nil, ""
	}
	body = versions[len(versions)-1]
	if s.Generations {
		return body, fmt.Sprintf(`"%d"`, len(versions))
	}
	return body, fmt.Sprintf(`"%x"`, sha256.Sum256(body))
}
