package availability

import (
	"encoding/json"
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/availabilitygroup/ag/internal/failover"
)

const keySecret = "tsig_secret"

// settingField is one setting: its JSON form, and what may be wrong with it.
// What returns a problem returns nothing if there is none.
type settingField struct {
	key string
	// fixed: cannot change while the node is in a group.
	fixed bool
	// timed: relate means nothing if the AllowedAbsenceInterval is wrong.
	timed bool
	// value is the field itself, to be compared.
	value func(s Settings) any
	isSet func(s Settings) bool
	write func(s Settings) any
	read  func(s *Settings, value json.RawMessage) (problem string)
	// check looks at the field by itself; it must be set.
	check func(s Settings) (problem string)
	// relate looks at the field beside others, need at whether it may be absent.
	relate func(s Settings) (problem string)
	need   func(s Settings) (problem string)
}

// settingFields are the settings in the order of their keys.
func settingFields() []settingField {
	return []settingField{
		durationSetting("allowed_absence_interval", func(s *Settings) *time.Duration { return &s.AllowedAbsenceInterval }, checkAllowedAbsence, nil),
		addressSetting("external_ipv4_address", func(s *Settings) *netip.Addr { return &s.ExternalIPv4Address }, checkIPv4, needAddress),
		addressSetting("external_ipv6_address", func(s *Settings) *netip.Addr { return &s.ExternalIPv6Address }, checkIPv6, nil),
		portSetting(),
		textSetting("external_scheme", func(s *Settings) *string { return &s.ExternalScheme }, checkScheme).fixedInGroup(),
		textSetting("group_fqdn", func(s *Settings) *string { return &s.GroupFQDN }, checkName).fixedInGroup().needed(needFQDN),
		durationSetting("group_fqdn_ttl", func(s *Settings) *time.Duration { return &s.GroupFQDNTTL }, checkTTL,
			func(s Settings) string { return s.relateTTL(s.GroupFQDNTTL) }),
		durationSetting("health_check_interval", func(s *Settings) *time.Duration { return &s.HealthCheckInterval }, checkInterval,
			func(s Settings) string { return s.relateCheck() }),
		durationSetting("health_report_interval", func(s *Settings) *time.Duration { return &s.HealthReportInterval }, checkInterval,
			func(s Settings) string { return s.relateReport() }),
		textSetting("tsig_algorithm", func(s *Settings) *string { return &s.TSIGAlgorithm }, checkAlgorithm),
		textSetting("tsig_name", func(s *Settings) *string { return &s.TSIGName }, checkName).related(relateTSIGName),
		secretSetting().related(relateTSIGSecret),
	}
}

func (f settingField) fixedInGroup() settingField { f.fixed = true; return f }

func (f settingField) related(relate func(Settings) string) settingField { f.relate = relate; return f }

func (f settingField) needed(need func(Settings) string) settingField { f.need = need; return f }

// setting is what all settings have in common.
func setting[T comparable](key string, at func(*Settings) *T, write func(T) any, check func(T) string) settingField {
	isSet := func(s Settings) bool { return *at(&s) != *new(T) }
	return settingField{
		key: key, isSet: isSet,
		value: func(s Settings) any { return *at(&s) },
		write: func(s Settings) any {
			if !isSet(s) {
				return nil
			}
			return write(*at(&s))
		},
		check: func(s Settings) string { return check(*at(&s)) },
	}
}

func textSetting(key string, at func(*Settings) *string, check func(string) string) settingField {
	f := setting(key, at, func(text string) any { return text }, check)
	f.read = func(s *Settings, value json.RawMessage) string { return readText(value, at(s)) }
	return f
}

func secretSetting() settingField {
	at := func(s *Settings) *Secret { return &s.TSIGSecret }
	f := setting(keySecret, at, func(Secret) any { return "" }, checkSecret)
	f.write = func(Settings) any { return "" }
	f.read = func(s *Settings, value json.RawMessage) string {
		var text string
		problem := readText(value, &text)
		s.TSIGSecret = NewSecret(text)
		return problem
	}
	return f
}

func addressSetting(key string, at func(*Settings) *netip.Addr, check func(netip.Addr) string, need func(Settings) string) settingField {
	f := setting(key, at, func(a netip.Addr) any { return a.String() }, check).fixedInGroup().needed(need)
	f.read = func(s *Settings, value json.RawMessage) string {
		var text string
		if problem := readText(value, &text); problem != "" {
			return problem
		}
		a, err := netip.ParseAddr(text)
		if err != nil {
			return "must be an address"
		}
		*at(s) = a
		return ""
	}
	return f
}

func portSetting() settingField {
	at := func(s *Settings) *uint16 { return &s.ExternalPort }
	f := setting("external_port", at, func(port uint16) any { return port }, func(uint16) string { return "" }).fixedInGroup()
	f.read = func(s *Settings, value json.RawMessage) string {
		port, err := strconv.ParseUint(string(value), 10, 16)
		if err != nil || port == 0 {
			return "must be a whole number from 1 to 65535"
		}
		s.ExternalPort = uint16(port)
		return ""
	}
	return f
}

func durationSetting(key string, at func(*Settings) *time.Duration, check func(time.Duration) string, relate func(Settings) string) settingField {
	f := setting(key, at, func(d time.Duration) any { return json.Number(secondsNumber(d)) }, check).related(relate)
	f.timed = true
	f.read = func(s *Settings, value json.RawMessage) string {
		number, err := strconv.ParseFloat(string(value), 64)
		if err != nil {
			return "must be a number of seconds"
		}
		*at(s) = fromSeconds(number)
		return ""
	}
	return f
}

// fromSeconds returns the duration next to a number of seconds, at most a
// little more than any setting may be.
func fromSeconds(number float64) time.Duration {
	limit := (2 * failover.MaxAllowedAbsence).Seconds()
	return time.Duration(math.Round(min(max(number, -limit), limit) * float64(time.Second)))
}

func readText(value json.RawMessage, text *string) (problem string) {
	if err := json.Unmarshal(value, text); err != nil {
		return "must be a string"
	}
	if *text == "" {
		return "must not be empty; leave it out, or null, to keep it"
	}
	return ""
}

func checkTTL(ttl time.Duration) string {
	return checkDuration(ttl, time.Millisecond, failover.MaxAllowedAbsence)
}

func needFQDN(s Settings) string {
	if s.GroupFQDN == "" {
		return "is needed"
	}
	return ""
}

func needAddress(s Settings) string {
	if !s.ExternalIPv4Address.IsValid() && !s.ExternalIPv6Address.IsValid() {
		return "is needed, or external_ipv6_address"
	}
	return ""
}

func relateTSIGName(s Settings) string {
	if s.TSIGName == "" && !s.TSIGSecret.IsZero() {
		return "is needed with a tsig_secret"
	}
	return ""
}

func relateTSIGSecret(s Settings) string {
	if s.TSIGName != "" && s.TSIGSecret.IsZero() {
		return "is needed with a tsig_name"
	}
	return ""
}
