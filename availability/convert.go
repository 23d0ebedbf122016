package availability

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/internal/failover"
	"github.com/availabilitygroup/ag/internal/record"
	"github.com/availabilitygroup/ag/transport"
)

// tokenSeparator stands between the records of a token. No presentation form
// contains it: a line feed in a TXT string is written \010.
const tokenSeparator = "\n"

func tokenOf(data []string) string {
	sorted := slices.Sorted(slices.Values(data))
	return strings.Join(sorted, tokenSeparator)
}

func dataOf(token string) []string {
	if token == "" {
		return nil
	}
	return strings.Split(token, tokenSeparator)
}

// observation tells what a TXT RRset means for the group. Foreign TXT is kept
// in the token and means nothing.
func observation(data []string) failover.Observation {
	seen := failover.Observation{Found: failover.Absent, Token: tokenOf(data)}
	for _, text := range data {
		strs, err := dnsstore.ParseTXT(text)
		if err != nil || !record.Ours(strs) {
			continue
		}
		if seen.Found != failover.Absent {
			return unusable(seen, "there are two records of this library at the name: delete the wrong one by hand")
		}
		r, err := record.Parse(strs)
		if err != nil {
			return unusable(seen, "the record cannot be used: "+err.Error())
		}
		seen.Found, seen.Record = failover.Present, r
	}
	return seen
}

func unusable(seen failover.Observation, problem string) failover.Observation {
	return failover.Observation{Found: failover.Unusable, Token: seen.Token, Problem: problem}
}

// changeFor is the one conditional update of a write: the whole TXT RRset as
// it was seen and no alias at the name; the record, and the host record with
// it. It returns the token of the RRset as it will be.
func changeFor(name string, e failover.Write) (dnsstore.Change, string, error) {
	strs, err := e.Record.Strings()
	if err != nil {
		return dnsstore.Change{}, "", err
	}
	key := func(kind string) dnsstore.Key { return dnsstore.Key{Name: name, Type: kind} }
	observed := dataOf(e.Token)
	data := slices.DeleteFunc(slices.Clone(observed), isOurs)
	data = append(data, dnsstore.FormatTXT(strs))
	ttl := e.Record.TTL.Truncate(time.Second)
	c := dnsstore.Change{
		If:  []dnsstore.RRSet{{Key: key("TXT"), Data: observed}, {Key: key("CNAME")}},
		Set: []dnsstore.RRSet{{Key: key("TXT"), TTL: ttl, Data: data}},
	}
	if e.HostAbsent {
		c.If = append(c.If, dnsstore.RRSet{Key: key("A")}, dnsstore.RRSet{Key: key("AAAA")})
	}
	if ipv4, ipv6, set := hostOf(e.Record); set {
		c.Set = append(c.Set,
			dnsstore.RRSet{Key: key("A"), TTL: ttl, Data: addressData(ipv4)},
			dnsstore.RRSet{Key: key("AAAA"), TTL: ttl, Data: addressData(ipv6)})
	}
	return c, tokenOf(data), nil
}

func isOurs(text string) bool {
	strs, err := dnsstore.ParseTXT(text)
	return err == nil && record.Ours(strs)
}

// hostOf is what the host record is to be: the Primary's addresses, none for
// a dissolved group; a released record leaves it as it is.
func hostOf(r record.Record) (ipv4, ipv6 netip.Addr, set bool) {
	if r.Dissolved {
		return netip.Addr{}, netip.Addr{}, true
	}
	m, ok := r.Member(r.Primary)
	return m.IPv4, m.IPv6, ok
}

func addressData(a netip.Addr) []string {
	if !a.IsValid() {
		return nil
	}
	return []string{a.String()}
}

func peerOf(m record.Member) transport.Peer {
	host := m.IPv4
	if !host.IsValid() {
		host = m.IPv6
	}
	return transport.Peer{ID: m.ID, URL: m.Scheme + "://" + netip.AddrPortFrom(host, m.Port).String()}
}

func timingFor(s Settings) failover.Timing {
	return failover.Timing{
		W: s.AllowedAbsenceInterval, R: s.HealthReportInterval, C: s.HealthCheckInterval, TTL: s.GroupFQDNTTL,
	}
}

func bootstrapFor(b Bootstrap) failover.Bootstrap {
	switch b {
	case BootstrapJoin:
		return failover.BootstrapJoin
	case BootstrapCreate:
		return failover.BootstrapCreate
	case BootstrapManual:
	}
	return failover.BootstrapManual
}

// self is this node as the record is to list it.
func (g *Group) self(s Settings) record.Member {
	return record.Member{
		ID: g.idFor(s), Scheme: s.ExternalScheme, Port: s.ExternalPort, Priority: max(0, g.cfg.Priority),
		IPv4: s.ExternalIPv4Address, IPv6: s.ExternalIPv6Address,
	}
}

func (g *Group) idFor(s Settings) string {
	if g.cfg.NodeID != "" {
		return g.cfg.NodeID
	}
	return s.nodeID()
}

// complete: enough is known to look for a group.
func (s Settings) complete() bool { return len(s.mistakes(true)) == 0 }

// endOf classifies the end of an update: only what the store is certain of is
// believed.
func (g *Group) endOf(err error) failover.End {
	switch {
	case err == nil:
		g.storeWorks(storeWrite)
		return failover.Applied
	case errors.Is(err, dnsstore.ErrConflict):
		g.counts.conflicts.Add(1)
		return failover.Conflicted
	case errors.Is(err, dnsstore.ErrRefused):
		g.counts.refused.Add(1)
		g.storeProblem(storeWrite, err)
		return failover.Refused
	default:
		g.counts.unknown.Add(1)
		g.storeProblem(storeWrite, err)
		return failover.Unknown
	}
}

// refusalError makes a machine's refusal an error to decide by.
func refusalError(verb string, code failover.Code, text string) error {
	sentinel := sentinelFor(code)
	if sentinel == nil {
		return fmt.Errorf("%s: %s", verb, text)
	}
	if text == "" {
		return fmt.Errorf("%s: %w", verb, sentinel)
	}
	return fmt.Errorf("%s: %w: %s", verb, sentinel, text)
}

func sentinelFor(code failover.Code) error {
	return map[failover.Code]error{
		failover.CodeInGroup:            ErrInGroup,
		failover.CodeNotInGroup:         ErrNotInGroup,
		failover.CodeGroupExists:        ErrGroupExists,
		failover.CodeHostRecordExists:   ErrHostRecordExists,
		failover.CodeNoGroup:            ErrNoGroup,
		failover.CodeMemberExists:       ErrMemberExists,
		failover.CodeTooManyMembers:     ErrTooManyMembers,
		failover.CodeUnknownMember:      ErrUnknownMember,
		failover.CodeNoTarget:           ErrNoTarget,
		failover.CodePrimaryAlive:       ErrPrimaryAlive,
		failover.CodePrimaryUnreachable: ErrPrimaryUnreachable,
		failover.CodeStoreUnreachable:   ErrStoreUnreachable,
		failover.CodeRefused:            dnsstore.ErrRefused,
		failover.CodeNotRunning:         ErrNotRunning,
		failover.CodeNotPrimary:         ErrNotPrimary,
		failover.CodeBadRequest:         ErrBadRequest,
		failover.CodeBusy:               ErrBusy,
	}[code]
}
