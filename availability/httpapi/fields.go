package httpapi

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/availabilitygroup/ag/availability"
)

// nodeSettings are those of a node, which it needs to join a group: BlueCat's
// four and the IPv6 address.
func nodeSettings() []string {
	return []string{
		"external_ipv4_address", "external_ipv6_address", "external_port", "external_scheme", "group_fqdn",
	}
}

// allSettings are BlueCat's eleven and the IPv6 address.
func allSettings() []string {
	return append(nodeSettings(),
		"allowed_absence_interval", "group_fqdn_ttl", "health_check_interval", "health_report_interval",
		"tsig_algorithm", "tsig_name", "tsig_secret")
}

// mistakesOf are the keys that are not among the known ones, sorted.
func mistakesOf(o object, known []string, problem string) []availability.FieldError {
	var found []availability.FieldError
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(known, key) {
			found = append(found, availability.FieldError{Field: key, Problem: problem})
		}
	}
	return found
}

// settings reads the settings of the body, of which at least one must be there.
func (c *call) settings() (availability.Settings, error) {
	o, text, err := c.body()
	if err != nil {
		return availability.Settings{}, err
	}
	if !o.given() {
		return availability.Settings{}, badBody(
			"At least one setting is needed, in a JSON object sent as Content-Type: application/json.")
	}
	return decodeSettings(text)
}

func decodeSettings(text []byte) (availability.Settings, error) {
	var s availability.Settings
	err := json.Unmarshal(text, &s)
	return s, err
}
