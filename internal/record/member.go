package record

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// joining is the field that marks a member the Primary has yet to confirm.
const joining = "joining"

// memberFields is the number of fields that every member has.
const memberFields = 6

// MaxID is the length of the longest node ID, in octets.
const MaxID = 63

// ValidID tells whether id is a node ID: 1 to 63 octets of a-z 0-9 . : _ -,
// the first one a letter or a digit.
func ValidID(id string) bool {
	if id == "" || len(id) > MaxID || strings.ContainsAny(id[:1], ".:-_") {
		return false
	}
	return !strings.ContainsFunc(id, func(c rune) bool { return !inAlphabet(c) || c == '=' || c == ',' })
}

// memberStrings returns the strings of the members, sorted by ID, and leaves
// the slice as it was.
func memberStrings(members []Member) ([]string, error) {
	members = slices.Clone(members)
	if err := sortMembers(members); err != nil {
		return nil, err
	}
	strs := make([]string, 0, len(members))
	for _, m := range members {
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("%w: member %q: %w", ErrInvalid, m.ID, err)
		}
		strs = append(strs, m.text())
	}
	return strs, nil
}

func sortMembers(members []Member) error {
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	for i := 1; i < len(members); i++ {
		if members[i].ID == members[i-1].ID {
			return fmt.Errorf("%w: member %q is there twice", ErrInvalid, members[i].ID)
		}
	}
	return nil
}

func (m Member) text() string {
	fields := []string{
		m.ID, m.Scheme, strconv.Itoa(int(m.Port)), strconv.Itoa(max(m.Priority, 0)), addrText(m.IPv4), addrText(m.IPv6),
	}
	if m.Joining {
		fields = append(fields, joining)
	}
	return "m=" + strings.Join(append(fields, m.Extra...), ",")
}

// check refuses what Parse would not have read.
func (m Member) check() error {
	if !ValidID(m.ID) {
		return errors.New("no node ID")
	}
	if err := errors.Join(checkScheme(m.Scheme), checkPort(uint64(m.Port)), checkIPv4(m.IPv4), checkIPv6(m.IPv6)); err != nil {
		return err
	}
	if int64(m.Priority) > maxPriority {
		return fmt.Errorf("priority %d is above %d", m.Priority, maxPriority)
	}
	for _, extra := range m.Extra {
		if extra == joining || strings.ContainsFunc(extra, func(c rune) bool { return !inAlphabet(c) || c == ',' }) {
			return fmt.Errorf("%q can be no further field", extra)
		}
	}
	return nil
}

// maxPriority fits an int of every platform.
const maxPriority = 1<<31 - 1

func parseMember(value string) (Member, error) {
	fields := strings.Split(value, ",")
	if len(fields) < memberFields {
		return Member{}, fmt.Errorf("%d fields, a member has at least %d", len(fields), memberFields)
	}
	port, portErr := parseNumber(fields[2], 16)
	priority, priorityErr := parseNumber(fields[3], 31)
	ipv4, ipv4Err := parseAddr(fields[4])
	ipv6, ipv6Err := parseAddr(fields[5])
	if err := errors.Join(portErr, priorityErr, ipv4Err, ipv6Err); err != nil {
		return Member{}, err
	}
	m := Member{
		ID: fields[0], Scheme: fields[1], Port: uint16(port), Priority: int(priority), IPv4: ipv4, IPv6: ipv6,
	}
	for _, f := range fields[memberFields:] {
		if f == joining && m.Joining {
			return Member{}, errors.New("joining is there twice")
		}
		if f == joining {
			m.Joining = true
			continue
		}
		m.Extra = append(m.Extra, f)
	}
	return m, m.check()
}

func checkScheme(scheme string) error {
	if scheme != "http" && scheme != "https" {
		return fmt.Errorf("scheme %q is neither http nor https", scheme)
	}
	return nil
}

func checkPort(port uint64) error {
	if port == 0 {
		return errors.New("port 0")
	}
	return nil
}

func checkIPv4(a netip.Addr) error {
	if a.IsValid() && !a.Is4() {
		return fmt.Errorf("%v is no IPv4 address", a)
	}
	return nil
}

func checkIPv6(a netip.Addr) error {
	if a.IsValid() && (!a.Is6() || a.Is4In6() || a.Zone() != "") {
		return fmt.Errorf("%v is no plain IPv6 address", a)
	}
	return nil
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// parseAddr reads an address in the one form it has, or nothing.
func parseAddr(text string) (netip.Addr, error) {
	if text == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.String() != text {
		return netip.Addr{}, fmt.Errorf("%q is no address in its shortest form", text)
	}
	return a, nil
}
