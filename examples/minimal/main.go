// Command minimal is a whole member of an availability group.
package main

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore/rfc2136"
	"github.com/availabilitygroup/ag/event"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	g, err := availability.New(availability.Config{
		Settings: availability.Settings{
			GroupFQDN:           "app.example.net",
			ExternalIPv4Address: netip.MustParseAddr(os.Args[1]),
			TSIGName:            "ag-key",
			TSIGSecret:          availability.NewSecret(os.Getenv("AG_SECRET")),
		},
		OpenStore: rfc2136.Config{Server: "ns1.example.net"}.Open,
		Bootstrap: availability.BootstrapCreate,
		Logger:    slog.Default(),
	})
	if err != nil {
		panic(err)
	}
	event.On(g, func(_ context.Context, e event.RoleChange) { slog.Info("role", "new", e.New) })
	go g.RunWhilePrimary(ctx, func(ctx context.Context, term uint64) error {
		slog.Info("working", "term", term)
		<-ctx.Done() // work here; what it starts must end with ctx
		return nil
	})
	if err := g.Run(ctx); err != nil {
		panic(err)
	}
}
