package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"github.com/availabilitygroup/ag/availability/httpapi"
)

// access decides who may use the control endpoints. Without a token: whoever
// is on this machine. With one: whoever shows it, from wherever, this machine
// included.
type access struct{ token []byte }

// minToken is too long to be guessed, if it was chosen at random.
const minToken = 16

func newAccess(file string) (access, error) {
	if file == "" {
		return access{}, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return access{}, fmt.Errorf("token_file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if len(token) < minToken {
		return access{}, fmt.Errorf("token_file: the token in %s is shorter than %d octets", file, minToken)
	}
	sum := sha256.Sum256([]byte(token))
	return access{token: sum[:]}, nil
}

// authorize lets those read and change who may use the control endpoints. That
// no other site does which a browser on this machine has open, httpapi sees to.
func (a access) authorize(r *http.Request, _ httpapi.Scope) (user string, err error) {
	if a.token != nil {
		shown, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		sum := sha256.Sum256([]byte(shown))
		if subtle.ConstantTimeCompare(sum[:], a.token) != 1 {
			return "", httpapi.ErrUnauthenticated
		}
		return "token", nil
	}
	// A proxy on this machine comes from loopback too, but speaks for others;
	// so does a name that somebody has pointed at 127.0.0.1.
	if !loopback(r.RemoteAddr) || !loopback(r.Host) || r.Header.Get("Forwarded")+r.Header.Get("X-Forwarded-For")+r.Header.Get("Via") != "" {
		return r.RemoteAddr, httpapi.ErrForbidden
	}
	return "this machine", nil
}

// loopback tells whether address, with or without a port, is of this machine
// alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
