package availability

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// MarshalJSON writes all twelve settings, in the order of the alphabet:
// intervals and the TTL as numbers of seconds, what is not set as null, and
// tsig_secret always as an empty string.
func (s Settings) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, f := range settingFields() {
		value, err := json.Marshal(f.write(s))
		if err != nil {
			return nil, fmt.Errorf("write setting %s: %w", f.key, err)
		}
		separator := byte(',')
		if i == 0 {
			separator = '{'
		}
		b.WriteByte(separator)
		fmt.Fprintf(&b, "%q:%s", f.key, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON sets the settings that are present and leaves the others; a
// null leaves a setting too, as does an empty tsig_secret, so that what
// MarshalJSON wrote may be read back over it. Keys are compared exactly.
// Intervals are numbers of seconds, with a fraction if need be.
//
// It returns a [*ConfigError] that names every mistake: an unknown key, one
// that is there twice, a value of a wrong type or out of range. Nothing is set
// then. Whether the settings fit together is not looked at, since others may
// be added to them; the group does that.
func (s *Settings) UnmarshalJSON(text []byte) error {
	if bytes.Equal(bytes.TrimSpace(text), []byte("null")) {
		return nil
	}
	values, found, err := decodeObject(text)
	if err != nil {
		return err
	}
	next := *s
	for _, f := range settingFields() {
		value, ok := values[f.key]
		delete(values, f.key)
		if !ok || string(value) == "null" || f.key == keySecret && string(value) == `""` {
			continue
		}
		problem := f.read(&next, value)
		if problem == "" {
			problem = f.check(next)
		}
		if problem != "" {
			found = append(found, FieldError{Field: f.key, Problem: problem})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		found = append(found, FieldError{Field: key, Problem: "is no setting"})
	}
	if err := configError(inOrder(found)); err != nil {
		return err
	}
	*s = next
	return nil
}

// decodeObject returns the values of a JSON object by their keys, and a
// mistake for each key that is there more than once.
func decodeObject(text []byte) (map[string]json.RawMessage, []FieldError, error) {
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		return nil, nil, fmt.Errorf("availability: settings: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, nil, &ConfigError{Fields: []FieldError{{Problem: "the settings must be a JSON object"}}}
	}
	values := map[string]json.RawMessage{}
	var twice []FieldError
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, nil, fmt.Errorf("availability: settings: %w", err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, nil, fmt.Errorf("availability: settings: %w", err)
		}
		name, _ := key.(string) // the keys of an object are strings
		if _, ok := values[name]; ok {
			twice = append(twice, FieldError{Field: name, Problem: "is there more than once"})
		}
		values[name] = value
	}
	return values, twice, nil
}

// inOrder sorts mistakes by the order of the settings, unknown ones last, and
// keeps the first of each field.
func inOrder(found []FieldError) []FieldError {
	place := map[string]int{}
	for i, f := range settingFields() {
		place[f.key] = i - len(settingFields())
	}
	slices.SortStableFunc(found, func(a, b FieldError) int {
		return cmp.Or(place[a.Field]-place[b.Field], cmp.Compare(a.Field, b.Field))
	})
	return slices.CompactFunc(found, func(a, b FieldError) bool { return a.Field == b.Field })
}
