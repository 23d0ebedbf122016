package testserver

import (
	"fmt"
	"os"
)

// writeZones writes a zone file for each zone: what every zone has, and a few
// names that clients stumble over (an alias, a wildcard, a delegation).
func (s *Server) writeZones() error {
	for _, zone := range s.set.zones {
		text := fmt.Sprintf(`$ORIGIN %s.
$TTL 60
@       IN SOA ns1 hostmaster 1 3600 600 86400 5
@       IN NS  ns1
ns1     IN A   127.0.0.1
alias   IN CNAME ns1
*.wild  IN TXT "wildcard"
sub     IN NS  ns.sub
ns.sub  IN A   127.0.0.1
`, zone)
		if err := os.WriteFile(s.zoneFile(zone), []byte(text+s.set.records), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) zoneFile(zone string) string { return s.file(zone + ".zone") }
