package embedded

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/availabilitygroup/ag/dnsstore"
)

var (
	errNoData = errors.New("no data")
	errData   = errors.New("data is not one record of its type")
	errTTL    = errors.New("time to live is negative or too long")
)

// parseSet returns the records of a set as they look when they come from the
// wire.
func parseSet(set dnsstore.RRSet) ([]dns.RR, error) {
	name, err := canonical(set.Name)
	if err != nil {
		return nil, err
	}
	if len(set.Data) == 0 {
		return nil, fmt.Errorf("%s %s: %w", set.Name, set.Type, errNoData)
	}
	if set.TTL < 0 || set.TTL/time.Second > 1<<31-1 {
		return nil, fmt.Errorf("%s %s: %w", set.Name, set.Type, errTTL)
	}
	out := make([]dns.RR, 0, len(set.Data))
	for _, data := range set.Data {
		rr, err := parseRecord(name, set, data)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", set.Name, set.Type, err)
		}
		out = append(out, rr)
	}
	return out, nil
}

func parseRecord(name string, set dnsstore.RRSet, data string) (dns.RR, error) {
	if set.Type == "TXT" {
		strs, err := dnsstore.ParseTXT(data)
		if err != nil {
			return nil, err
		}
		data = dnsstore.FormatTXT(strs)
	}
	if strings.ContainsAny(data, "\r\n") {
		return nil, errData
	}
	line := fmt.Sprintf("%s %d IN %s %s\n", name, set.TTL/time.Second, set.Type, data)
	parser := dns.NewZoneParser(strings.NewReader(line), ".", "")
	rr, ok := parser.Next()
	if err := parser.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", errData, err)
	}
	if !ok || rr.Header().Name != name || dns.TypeToString[rr.Header().Rrtype] != set.Type {
		return nil, errData
	}
	return throughWire(rr)
}

// throughWire removes all choices of spelling that a record in text has.
func throughWire(rr dns.RR) (dns.RR, error) {
	wire := make([]byte, dns.Len(rr)+1)
	n, err := dns.PackRR(rr, wire, 0, nil, false)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errData, err)
	}
	back, _, err := dns.UnpackRR(wire[:n], 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errData, err)
	}
	return back, nil
}
