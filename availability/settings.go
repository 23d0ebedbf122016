package availability

import (
	"cmp"
	"net/netip"
	"time"
)

// Settings are what an operator sets: the eleven of BlueCat Gateway's
// Availability groups, and an IPv6 address. A zero field is not set; see the
// defaults at each. The JSON form is described at [Settings.MarshalJSON] and
// [Settings.UnmarshalJSON]. Settings are plain, comparable values. Use them
// as a named field, never embedded: their JSON methods would be promoted.
type Settings struct {
	// GroupFQDN is the name of the group, which clients connect to: letters,
	// digits, hyphens and underscores, labels of 1 to 63 octets, 253 in all
	// (RFC 1035 §2.3.4). No default. JSON: group_fqdn.
	GroupFQDN string
	// GroupFQDNTTL is the time to live of the group's records, at most
	// AllowedAbsenceInterval. In DNS it is whole seconds, rounded down. The
	// default is 30 s or half the AllowedAbsenceInterval, whichever is less.
	// JSON: group_fqdn_ttl, in seconds.
	GroupFQDNTTL time.Duration
	// ExternalIPv4Address and ExternalIPv6Address are where clients and other
	// nodes reach this node; one of them is needed to be in a group. No
	// default. JSON: external_ipv4_address, external_ipv6_address.
	ExternalIPv4Address, ExternalIPv6Address netip.Addr
	// ExternalScheme is http or https, the default. JSON: external_scheme.
	ExternalScheme string
	// ExternalPort is where the node serves; the default is the scheme's, 443
	// or 80. JSON: external_port.
	ExternalPort uint16
	// Timing is the three intervals of the group.
	Timing
	// TSIGName, TSIGAlgorithm and TSIGSecret are the key that updates are
	// signed with (RFC 8945): its name, hmac-sha256 (the default), hmac-sha384
	// or hmac-sha512, and the secret in base64 as in a key file. A name needs
	// a secret; without a name updates are not signed. JSON: tsig_name,
	// tsig_algorithm, tsig_secret.
	TSIGName, TSIGAlgorithm string
	TSIGSecret              Secret
}

// Timing is the three intervals that all times of a group follow from. Each is
// whole milliseconds.
type Timing struct {
	// HealthReportInterval is how often the Primary sends a heartbeat, at least
	// 10 ms. The default is a third of AllowedAbsenceInterval; it cannot be
	// much more than 0.44 of it. JSON: health_report_interval, in seconds.
	HealthReportInterval time.Duration
	// HealthCheckInterval is how often a Secondary reads the record while all
	// is well, from 10 ms to AllowedAbsenceInterval. The default is half of
	// that. JSON: health_check_interval, in seconds.
	HealthCheckInterval time.Duration
	// AllowedAbsenceInterval is the failover period: how long the Primary may
	// not be heard before another node takes over. From 500 ms to 24 hours;
	// the default is 60 s. JSON: allowed_absence_interval, in seconds.
	AllowedAbsenceInterval time.Duration
}

// BlueCatTiming returns the defaults of BlueCat Gateway: reports every 20 s,
// checks every 30 s, failover after 60 s.
func BlueCatTiming() Timing {
	return Timing{
		HealthReportInterval: 20 * time.Second, HealthCheckInterval: 30 * time.Second, AllowedAbsenceInterval: time.Minute,
	}
}

// FastTiming returns intervals for a network where a stall of a second or two
// is a fault: reports every second, checks every second, failover after 5 s.
func FastTiming() Timing {
	return Timing{
		HealthReportInterval: time.Second, HealthCheckInterval: time.Second, AllowedAbsenceInterval: 5 * time.Second,
	}
}

// The defaults of settings that do not follow from others.
const (
	defaultAllowedAbsence = time.Minute
	defaultTTL            = 30 * time.Second
	defaultScheme         = "https"
	defaultTSIGAlgorithm  = "hmac-sha256"
)

// overlaid returns s with the fields of top that are set in their place.
func (s Settings) overlaid(top Settings) Settings {
	overlay(&s.GroupFQDN, top.GroupFQDN)
	overlay(&s.GroupFQDNTTL, top.GroupFQDNTTL)
	overlay(&s.ExternalIPv4Address, top.ExternalIPv4Address)
	overlay(&s.ExternalIPv6Address, top.ExternalIPv6Address)
	overlay(&s.ExternalScheme, top.ExternalScheme)
	overlay(&s.ExternalPort, top.ExternalPort)
	overlay(&s.HealthReportInterval, top.HealthReportInterval)
	overlay(&s.HealthCheckInterval, top.HealthCheckInterval)
	overlay(&s.AllowedAbsenceInterval, top.AllowedAbsenceInterval)
	overlay(&s.TSIGName, top.TSIGName)
	overlay(&s.TSIGAlgorithm, top.TSIGAlgorithm)
	overlay(&s.TSIGSecret, top.TSIGSecret)
	return s
}

func overlay[T comparable](field *T, top T) {
	var zero T
	if top != zero {
		*field = top
	}
}

// withDefaults returns s with every field set that has a default. They fit
// together, whichever of them were given, as far as those do.
func (s Settings) withDefaults() Settings {
	s.AllowedAbsenceInterval = cmp.Or(s.AllowedAbsenceInterval, defaultAllowedAbsence)
	w := s.AllowedAbsenceInterval
	if checkAllowedAbsence(w) != "" {
		w = defaultAllowedAbsence // the mistake is told once, not for all that follows from it
	}
	s.HealthReportInterval = cmp.Or(s.HealthReportInterval, (w / 3).Truncate(time.Millisecond))
	s.HealthCheckInterval = cmp.Or(s.HealthCheckInterval, (w / 2).Truncate(time.Millisecond))
	s.GroupFQDNTTL = cmp.Or(s.GroupFQDNTTL, min(defaultTTL, (w/2).Truncate(time.Millisecond)))
	s.ExternalScheme = cmp.Or(s.ExternalScheme, defaultScheme)
	s.ExternalPort = cmp.Or(s.ExternalPort, schemePort(s.ExternalScheme))
	s.TSIGAlgorithm = cmp.Or(s.TSIGAlgorithm, defaultTSIGAlgorithm)
	return s
}

func schemePort(scheme string) uint16 {
	if scheme == "http" {
		return 80
	}
	return 443
}

// blank returns s without its secret, to be shown.
func (s Settings) blank() Settings {
	s.TSIGSecret = Secret{}
	return s
}
