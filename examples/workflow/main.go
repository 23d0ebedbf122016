package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/availability/httpapi"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
)

// options are the keys of the JSON file.
type options struct {
	Settings  availability.Settings  `json:"settings"` // the group's; see availability.Settings
	Server    string                 `json:"server"`   // host:port of the primary master; empty: found by the zone's SOA
	Zone      string                 `json:"zone"`     // empty: found by its SOA
	NodeID    string                 `json:"node_id"`
	Bootstrap availability.Bootstrap `json:"bootstrap"`
	Elsewhere httpapi.Elsewhere      `json:"elsewhere"` // of orders: redirect, or forward
	Ledger    string                 `json:"ledger"`    // a URL, or a file
}

func main() {
	config := flag.String("config", "workflow.json", "JSON `file`, which has the TSIG secret: nobody else should read it")
	flag.Parse()
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx, *config, log); err != nil {
		log.Error("the program has failed", "err", err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, config string, log *slog.Logger) error {
	o, err := readOptions(config)
	if err != nil {
		return err
	}
	h, err := newHost(o, availability.Config{
		Settings: o.Settings, NodeID: o.NodeID, Bootstrap: o.Bootstrap,
		OpenStore: rfc2136.Config{Server: o.Server, Zone: o.Zone}.Open,
	}, log)
	if err != nil {
		return err
	}
	return h.run(ctx)
}

func readOptions(file string) (o options, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return o, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return o, fmt.Errorf("%s: %w", file, err)
	}
	switch o.Elsewhere {
	case "", httpapi.ElsewhereRedirect, httpapi.ElsewhereForward:
		return o, nil
	case httpapi.ElsewhereRefuse:
	}
	return o, fmt.Errorf("%s: elsewhere: %q is neither redirect nor forward", file, o.Elsewhere)
}
