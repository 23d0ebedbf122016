package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
)

// option is one flag, and one key of the JSON file.
type option struct {
	key, usage string
	kind       kind
	setting    bool // a key of the settings, not beside them
}

type kind int

const (
	text kind = iota
	number
	truth
)

func allOptions() []option {
	return []option{
		{"server", "primary master of the zone, `host:port` (empty: the one that the zone's SOA names)", text, false},
		{"zone", "zone of the group's name (empty: found by its SOA)", text, false},
		{"net", "how to speak to the server: tcp (default) or udp (small messages; writes of a group are too large)", text, false},
		{"node_id", "`ID` of this node in the group (default: its address)", text, false},
		{"priority", "which node is preferred as Primary, the highest first (default 100; negative: never)", number, false},
		{"bootstrap", "what to do at the start when in no group: manual (default), join or create", text, false},
		{"state_dir", "`directory` of this node alone, so that it takes its role again after a crash", text, false},
		{"listen", "`address` of the HTTP server (default: external_port on all interfaces)", text, false},
		{"elsewhere", "what becomes of requests for the work at other nodes: redirect (default), forward or refuse", text, false},
		{"tsig_key_file", "`file` with the TSIG key, as tsig-keygen writes it", text, false},
		{"token_file", "`file` with the token that the control endpoints want (empty: they answer to loopback only)", text, false},
		{"tls_cert", "`file` with the certificate for the group's name, and its chain, in PEM", text, false},
		{"tls_key", "`file` with its private key in PEM", text, false},
		{"tls_ca", "`file` with the authorities of the nodes' certificates (empty: those of the system)", text, false},
		{"tls_mutual", "nodes must show each other a certificate of tls_ca, as clients too", truth, false},
		{"log_level", "debug, info (default), warn or error", text, false},
		{"log_format", "text (default) or json", text, false},
		{"group_fqdn", "`name` of the group, which clients connect to", text, true},
		{"group_fqdn_ttl", "time to live of its records, `seconds`", number, true},
		{"external_ipv4_address", "`address` at which clients and the other nodes reach this node", text, true},
		{"external_ipv6_address", "the same, IPv6 `address`", text, true},
		{"external_scheme", "https (default) or http", text, true},
		{"external_port", "`port` at which they reach it", number, true},
		{"health_report_interval", "how often the Primary sends a heartbeat, `seconds`", number, true},
		{"health_check_interval", "how often a Secondary reads the record, `seconds`", number, true},
		{"allowed_absence_interval", "the failover period, `seconds` (default 60)", number, true},
		{"tsig_name", "name of the TSIG key", text, true},
		{"tsig_algorithm", "hmac-sha256 (default), hmac-sha384 or hmac-sha512", text, true},
	}
}

// object is a JSON object in the making.
type object map[string]json.RawMessage

// parseFlags returns the file of -config, and the other flags in the form of
// that file.
func parseFlags(args []string, output io.Writer) (file string, given []byte, err error) {
	fs := flag.NewFlagSet("node", flag.ContinueOnError)
	fs.SetOutput(output)
	fs.StringVar(&file, "config", "", "JSON `file`: the flags below by their names, those from group_fqdn on (and tsig_secret)\nin an object \"settings\"; flags win")
	node, settings := object{}, object{}
	for _, o := range allOptions() {
		into := node
		if o.setting {
			into = settings
		}
		if o.kind == truth {
			fs.BoolFunc(o.key, o.usage, func(v string) error { return into.set(o, v) })
			continue
		}
		fs.Func(o.key, o.usage, func(v string) error { return into.set(o, v) })
	}
	if err := fs.Parse(args); err != nil {
		return "", nil, err
	}
	if fs.NArg() > 0 {
		return "", nil, fmt.Errorf("%q is no flag", fs.Arg(0))
	}
	if node["settings"], err = json.Marshal(settings); err != nil {
		return "", nil, err
	}
	given, err = json.Marshal(node)
	return file, given, err
}

func (into object) set(o option, value string) error {
	raw := json.RawMessage(value)
	if o.kind == text {
		raw, _ = json.Marshal(value) // a string always can
	} else if !json.Valid(raw) {
		return errors.New("must be a number, or true or false")
	}
	into[o.key] = raw
	return nil
}
