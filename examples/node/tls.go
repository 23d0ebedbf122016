package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
)

// secure returns how this node serves, and how it speaks to other nodes; both
// are nil for http. Certificates are read anew at each handshake, so that a
// renewed one is used without a restart.
func (o *options) secure(scheme string) (server, client *tls.Config, err error) {
	if scheme == "http" {
		if o.TLSCert != "" || o.TLSCA != "" {
			return nil, nil, errors.New("tls_cert, tls_ca: need external_scheme https")
		}
		return nil, nil, nil
	}
	if o.TLSCert == "" {
		return nil, nil, errors.New("tls_cert: external_scheme https needs a certificate for the group's name, and tls_key")
	}
	if _, err := o.certificate(); err != nil {
		return nil, nil, err
	}
	authorities, err := o.authorities()
	if err != nil {
		return nil, nil, err
	}
	server = &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return o.certificate() },
	}
	client = &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: authorities}
	if o.TLSMutual {
		// Clients of the work need none; see onlyMutual.
		server.ClientAuth, server.ClientCAs = tls.VerifyClientCertIfGiven, authorities
		client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return o.certificate() }
	}
	return server, client, nil
}

func (o *options) certificate() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(o.TLSCert, o.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("tls_cert, tls_key: %w", err)
	}
	return &c, nil
}

// authorities returns those of tls_ca; nil means those of the system.
func (o *options) authorities() (*x509.CertPool, error) {
	if o.TLSCA == "" {
		return nil, nil
	}
	text, err := os.ReadFile(o.TLSCA)
	if err != nil {
		return nil, fmt.Errorf("tls_ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("tls_ca: no certificate in %s", o.TLSCA)
	}
	return pool, nil
}

// onlyMutual lets only those through who have shown a certificate.
func onlyMutual(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
			http.Error(w, "a client certificate is needed", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
