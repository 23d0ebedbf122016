//go:build linux

package e2e_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/availabilitygroup/ag/internal/record"
)

// wantNoSecrets looks for the TSIG secret, and for the key that the nodes sign
// with, in all that a node has logged and in all that it says of itself.
func wantNoSecrets(t *testing.T, l *lab, nodes ...*node) {
	t.Helper()
	octets, err := base64.StdEncoding.DecodeString(l.key.Secret)
	if err != nil {
		t.Fatal(err)
	}
	peers, err := record.PeerKey(l.key.Secret, fqdn)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		said := map[string]string{"log": n.log()}
		for _, path := range []string{"/state", "/group", "/stats"} {
			said[path] = l.body(n, path)
		}
		for where, text := range said {
			for what, secret := range map[string][]byte{"the TSIG secret": octets, "the peers' key": peers} {
				if form := shows(text, secret); form != "" {
					t.Errorf("%s of node %s shows %s, as %s", where, n.id, what, form)
				}
			}
		}
		if len(said["log"]) == 0 || len(said["/group"]) == 0 {
			t.Errorf("node %s has said nothing", n.id)
		}
	}
}

// body is what a node answers.
func (l *lab) body(n *node, path string) string {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	status, body, err := l.client.Ask(ctx, http.MethodGet, *n.base.Load(), path)
	if err != nil || status != http.StatusOK {
		l.t.Fatalf("%s of %s: %d %v", path, n.id, status, err)
	}
	return string(body)
}

// shows tells in which form a text shows a secret, empty if it does not. A
// part of it is too much, too.
func shows(text string, secret []byte) string {
	const part = 12
	for form, written := range map[string]string{
		"base64":     base64.StdEncoding.EncodeToString(secret),
		"base64url":  base64.RawURLEncoding.EncodeToString(secret),
		"digits":     hex.EncodeToString(secret),
		"octets":     string(secret),
		"in capital": strings.ToUpper(hex.EncodeToString(secret)),
	} {
		if strings.Contains(text, written[:part]) || strings.Contains(text, written[len(written)-part:]) {
			return form
		}
	}
	return ""
}
