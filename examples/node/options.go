package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// options are all that can be set, in the file and by flags. Their JSON keys
// are the names of the flags.
type options struct {
	Settings  availability.Settings  `json:"settings"` // the group's; see availability.Settings
	Server    string                 `json:"server"`
	Zone      string                 `json:"zone"`
	Net       string                 `json:"net"`
	NodeID    string                 `json:"node_id"`
	Priority  int                    `json:"priority"`
	Bootstrap availability.Bootstrap `json:"bootstrap"`
	StateDir  string                 `json:"state_dir"`
	Listen    string                 `json:"listen"`
	Elsewhere string                 `json:"elsewhere"`
	KeyFile   string                 `json:"tsig_key_file"`
	TokenFile string                 `json:"token_file"`
	TLSCert   string                 `json:"tls_cert"`
	TLSKey    string                 `json:"tls_key"`
	TLSCA     string                 `json:"tls_ca"`
	TLSMutual bool                   `json:"tls_mutual"`
	LogLevel  slog.Level             `json:"log_level"`
	LogFormat string                 `json:"log_format"`
}

// parseOptions reads the file that -config names, then the flags over it, then
// the TSIG key, which neither flags nor the environment can hold: both can be
// seen by other users of the machine.
func parseOptions(args []string, output io.Writer) (options, error) {
	file, given, err := parseFlags(args, output)
	if err != nil {
		return options{}, err
	}
	var o options
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return options{}, err
		}
		if err := o.overlay(text); err != nil {
			return options{}, fmt.Errorf("%s: %w", file, err)
		}
	}
	if err := o.overlay(given); err != nil {
		return options{}, fmt.Errorf("flags: %w", err)
	}
	return o, errors.Join(o.readKey(), o.check())
}

// overlay sets what a JSON object has, and refuses keys that mean nothing.
func (o *options) overlay(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(o); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one JSON object")
	}
	return nil
}

// readKey takes the TSIG key from a file as tsig-keygen writes it. What the
// settings say of the key wins.
func (o *options) readKey() error {
	if o.KeyFile == "" {
		return nil
	}
	text, err := os.ReadFile(o.KeyFile)
	if err != nil {
		return err
	}
	k, err := parseKeyFile(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", o.KeyFile, err)
	}
	s := &o.Settings
	if s.TSIGName == "" {
		s.TSIGName = k.name
	}
	if s.TSIGAlgorithm == "" {
		s.TSIGAlgorithm = k.algorithm
	}
	if s.TSIGSecret.IsZero() {
		s.TSIGSecret = k.secret
	}
	return nil
}

// check looks at what no other package does.
func (o *options) check() error {
	var errs []error
	if o.LogFormat != "" && o.LogFormat != "text" && o.LogFormat != "json" {
		errs = append(errs, fmt.Errorf("log_format: %q is neither text nor json", o.LogFormat))
	}
	if (o.TLSCert == "") != (o.TLSKey == "") {
		errs = append(errs, errors.New("tls_cert, tls_key: one is of no use without the other"))
	}
	if o.TLSMutual && (o.TLSCert == "" || o.TLSCA == "") {
		errs = append(errs, errors.New("tls_mutual: needs tls_cert, tls_key and tls_ca"))
	}
	store := o.store() // the key may come later, the server may not
	store.TSIGName, store.TSIGSecret = "any", dnsstore.NewSecret("c2VjcmV0")
	_, err := rfc2136.New(store)
	return errors.Join(append(errs, err)...)
}

func (o *options) store() rfc2136.Config {
	return rfc2136.Config{Server: o.Server, Zone: o.Zone, Net: o.Net}
}

func (o *options) logger(w io.Writer) *slog.Logger {
	h := &slog.HandlerOptions{Level: o.LogLevel}
	if o.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, h))
	}
	return slog.New(slog.NewTextHandler(w, h))
}

// group is what the library is given; the transport is added by newNode.
func (o *options) group(log *slog.Logger) availability.Config {
	return availability.Config{
		Settings: o.Settings, NodeID: o.NodeID, Priority: o.Priority, Bootstrap: o.Bootstrap,
		OpenStore: o.store().Open,
		StateDir:  o.StateDir, Logger: log,
	}
}
