//go:build linux

package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// With https and certificates both ways all is as without, and whoever has no
// certificate does not even get to where the signature is checked.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ca := newAuthority(t)
	roots := &tls.Config{RootCAs: ca.pool, ServerName: fqdn}
	l.client = newClient(t, roots)
	secure := options{
		".external_scheme": "https", "tls_cert": ca.cert, "tls_key": ca.key, "tls_ca": ca.cert, "tls_mutual": true,
	}
	a, b := l.node("a", secure, withPeriod(calm)), l.node("b", secure, withPeriod(calm))
	for _, n := range []*node{a, b} {
		n.start()
		l.watch.watch(n, roots)
	}
	l.do(a, "/create")
	l.do(b, "/join")
	l.settle(a, b) // heartbeats go directly
	l.wantWorker(a, b)
	l.do(b, "/failover?to=b")
	l.settle(b, a)

	status, _, err := l.client.Ask(t.Context(), http.MethodPost, *b.base.Load(), "/ag/peer")
	if err != nil || status != http.StatusForbidden {
		t.Errorf("a peer without a certificate: %d %v, want %d", status, err, http.StatusForbidden)
	}
}

// A node whose certificate the others do not trust is a member, over DNS, and
// they can say why they do not hear it.
func TestUntrustedPeer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ours, foreign := newAuthority(t), newAuthority(t)
	both := x509.NewCertPool()
	both.AddCert(ours.parsed)
	both.AddCert(foreign.parsed)
	roots := &tls.Config{RootCAs: both, ServerName: fqdn}
	l.client = newClient(t, roots)
	with := func(ca authority) options {
		return options{".external_scheme": "https", "tls_cert": ca.cert, "tls_key": ca.key, "tls_ca": ours.cert}
	}
	a, b := l.node("a", with(ours)), l.node("b", with(foreign))
	for _, n := range []*node{a, b} {
		n.start()
		l.watch.watch(n, roots)
	}
	l.do(a, "/create")
	l.do(b, "/join")
	await(t, "b is Secondary", func() bool { return l.watch.Last("b").Role == "secondary" })
	if got := l.state(a).Method; got != "dns" {
		t.Errorf("heartbeats to a peer that is not trusted go %s, want dns", got)
	}
	await(t, "a tells why", func() bool {
		for _, x := range a.lines(0) {
			if strings.Contains(x.Err+x.Text, "certificate") {
				t.Logf("%s: %s%s", x.Msg, x.Err, x.Text)
				return true
			}
		}
		return false
	})
}

// authority is a certificate that signs itself, for the name of the group, to
// serve and to ask.
type authority struct {
	cert, key string // files
	parsed    *x509.Certificate
	pool      *x509.CertPool
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "authority"},
		DNSNames: []string{fqdn}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:        true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a := authority{
		cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"),
		parsed: parsed, pool: x509.NewCertPool(),
	}
	a.pool.AddCert(parsed)
	for file, block := range map[string]*pem.Block{
		a.cert: {Type: "CERTIFICATE", Bytes: der}, a.key: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return a
}
