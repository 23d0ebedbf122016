package dnsstore

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxTTL is the longest time to live (RFC 2181 section 8).
const maxTTL = (1<<31 - 1) * time.Second

// Normal returns the set as a server gives it back: each record in the one
// form that [Store] promises, in ascending order of the texts, none twice, the
// time to live in whole seconds, rounded down; an absent set has none. The
// result shares nothing with s. Normal returns an error if a server could not
// have such a set.
func (s RRSet) Normal() (RRSet, error) {
	if err := CheckKey(s.Key); err != nil {
		return RRSet{}, err
	}
	if s.TTL < 0 || s.TTL > maxTTL {
		return RRSet{}, fmt.Errorf("%s %s: time to live %v; from 0 to %v", s.Name, s.Type, s.TTL, maxTTL)
	}
	normal := RRSet{Key: s.Key}
	for _, text := range s.Data {
		data, err := normalData(s.Type, text)
		if err != nil {
			return RRSet{}, fmt.Errorf("%s %s: %w", s.Name, s.Type, err)
		}
		normal.Data = append(normal.Data, data)
	}
	slices.Sort(normal.Data)
	normal.Data = slices.Compact(normal.Data)
	if len(normal.Data) == 0 {
		return normal, nil
	}
	if len(normal.Data) > 1 && (s.Type == "CNAME" || s.Type == "SOA") {
		return RRSet{}, fmt.Errorf("%s %s: %d records; at most one", s.Name, s.Type, len(normal.Data))
	}
	normal.TTL = s.TTL.Truncate(time.Second)
	return normal, nil
}

// Normal returns the change with all its sets in the form that [RRSet.Normal]
// gives. It returns an error if one of them has none, or if a key occurs more
// than once among the conditions or among the new contents.
func (c Change) Normal() (Change, error) {
	conditions, err := normalSets(c.If)
	if err != nil {
		return Change{}, fmt.Errorf("condition: %w", err)
	}
	contents, err := normalSets(c.Set)
	if err != nil {
		return Change{}, fmt.Errorf("content: %w", err)
	}
	return Change{If: conditions, Set: contents}, nil
}

func normalSets(sets []RRSet) ([]RRSet, error) {
	seen := make(map[Key]bool, len(sets))
	normal := make([]RRSet, 0, len(sets))
	for _, s := range sets {
		n, err := s.Normal()
		if err != nil {
			return nil, err
		}
		if seen[n.Key] {
			return nil, fmt.Errorf("%s %s: twice", n.Name, n.Type)
		}
		seen[n.Key] = true
		normal = append(normal, n)
	}
	return normal, nil
}

// normalData returns one record in its one form. The type has been checked.
func normalData(kind, text string) (string, error) {
	switch kind {
	case "TXT":
		strs, err := ParseTXT(text)
		if err != nil {
			return "", err
		}
		return FormatTXT(strs), nil
	case "A", "AAAA":
		return normalAddress(kind, text)
	case "CNAME":
		return normalTarget(text)
	default:
		return normalSOA(text)
	}
}

func normalAddress(kind, text string) (string, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return "", fmt.Errorf("address %q: %w", text, err)
	}
	if addr.Is4() != (kind == "A") || addr.Zone() != "" {
		return "", fmt.Errorf("address %q: not one of type %s", text, kind)
	}
	return addr.String(), nil
}

// normalTarget returns a name in record data: absolute with its final dot.
func normalTarget(text string) (string, error) {
	if !strings.HasSuffix(text, ".") {
		return "", fmt.Errorf("name %q: no final dot", text)
	}
	if text == "." {
		return text, nil
	}
	name := Canonical(text)
	if err := checkName(name); err != nil {
		return "", fmt.Errorf("name %q: %w", text, err)
	}
	return name + ".", nil
}

func normalSOA(text string) (string, error) {
	fields := strings.Fields(text)
	if len(fields) != 7 { // RFC 1035 section 3.3.13
		return "", errors.New("SOA: not two names and five numbers")
	}
	for i, field := range fields {
		if i < 2 {
			name, err := normalTarget(field)
			if err != nil {
				return "", fmt.Errorf("SOA: %w", err)
			}
			fields[i] = name
			continue
		}
		n, err := strconv.ParseUint(field, 10, 32)
		if err != nil {
			return "", fmt.Errorf("SOA: %w", err)
		}
		fields[i] = strconv.FormatUint(n, 10)
	}
	return strings.Join(fields, " "), nil
}
