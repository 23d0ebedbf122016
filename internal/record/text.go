package record

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Errors that a caller decides by.
var (
	// ErrInvalid: not the text of a record, or a record that has no text. The
	// error that wraps it says what is wrong.
	ErrInvalid = errors.New("record: invalid")
	// ErrVersion: a record of a version that this program does not know. It
	// must not be touched.
	ErrVersion = errors.New("record: unknown version")
	// ErrTooLarge: the record has more members, or longer ones, than fit.
	ErrTooLarge = errors.New("record: more members than fit")
)

// The limits of a record's size, in octets.
const (
	// MaxString is the limit of one string (RFC 1035 §3.3).
	MaxString = 255
	// MaxSize is the limit of all strings, each with its length octet, so that
	// the answer fits into one datagram beside its signature.
	MaxSize = 1200
	// MaxNumber is the largest term and sequence number: what JSON numbers hold
	// exactly, and far enough from the end of an integer to count on.
	MaxNumber = 1<<53 - 1
)

const (
	version = "1"
	none    = "-"
	// atLayout is RFC 3339 in UTC and lower case, as §5.6 of it allows.
	atLayout = "2006-01-02t15:04:05z"
	// maxDuration keeps every sum and small multiple of durations in range.
	maxDuration = 366 * 24 * time.Hour
)

// Ours tells whether strings are a record of this kind, of whatever version.
// Any other TXT record at the name is foreign and none of our business.
func Ours(strs []string) bool {
	return len(strs) > 0 && strings.HasPrefix(strs[0], "ag=")
}

// Strings returns the text of the record. Members are sorted by their ID, a
// negative priority is written 0, and At is cut to whole seconds of UTC. It
// returns ErrInvalid for a record without a text (an ID that is none, a time
// that is not whole milliseconds, a member twice, …) and ErrTooLarge for one
// that has more members than fit.
func (r Record) Strings() ([]string, error) {
	strs := []string{"ag=" + version}
	for _, f := range fields() {
		value, err := f.write(&r)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, f.key, err)
		}
		if value != "" {
			strs = append(strs, f.key+"="+value)
		}
	}
	members, err := memberStrings(r.Members)
	if err != nil {
		return nil, err
	}
	strs = append(strs, members...)
	for _, extra := range r.Extra {
		if err := checkExtra(extra); err != nil {
			return nil, err
		}
		strs = append(strs, extra)
	}
	if err := checkSize(strs); err != nil {
		return nil, err
	}
	return strs, nil
}

// Parse reads the text of a record. It returns ErrVersion for a version that
// it does not know, whatever else the text may be, and ErrInvalid for
// everything that Strings would not have written. Strings with unknown keys
// go to Extra, further fields of a member to that member's Extra.
func Parse(strs []string) (Record, error) {
	if !Ours(strs) {
		return Record{}, fmt.Errorf("%w: the first string is not a version", ErrInvalid)
	}
	if v := strings.TrimPrefix(strs[0], "ag="); v != version {
		return Record{}, fmt.Errorf("%w %q", ErrVersion, v)
	}
	p := parser{known: fields(), seen: map[string]bool{}}
	for _, s := range strs[1:] {
		if err := p.take(s); err != nil {
			return Record{}, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	for _, f := range p.known {
		if !f.optional && !p.seen[f.key] {
			return Record{}, fmt.Errorf("%w: %s is missing", ErrInvalid, f.key)
		}
	}
	if err := sortMembers(p.record.Members); err != nil {
		return Record{}, err
	}
	return p.record, nil
}

// parser makes a record of one string after another.
type parser struct {
	known  []field
	seen   map[string]bool // the keys of known fields
	record Record
}

func (p *parser) take(s string) error {
	key, value, err := split(s)
	if err != nil {
		return err
	}
	if key == "m" {
		m, err := parseMember(value)
		if err != nil {
			return fmt.Errorf("%q: %w", s, err)
		}
		p.record.Members = append(p.record.Members, m)
		return nil
	}
	i := slices.IndexFunc(p.known, func(f field) bool { return f.key == key })
	if i < 0 {
		p.record.Extra = append(p.record.Extra, s)
		return nil
	}
	if p.seen[key] {
		return fmt.Errorf("%s is there twice", key)
	}
	p.seen[key] = true
	if err := p.known[i].read(&p.record, value); err != nil {
		return fmt.Errorf("%q: %w", s, err)
	}
	return nil
}

// split cuts a string at its first equals sign, and checks its octets.
func split(s string) (key, value string, err error) {
	if i := strings.IndexFunc(s, func(c rune) bool { return !inAlphabet(c) }); i >= 0 {
		return "", "", fmt.Errorf("%q: octet %d is not one of a-z 0-9 . : - _ = ,", s, i)
	}
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return "", "", fmt.Errorf("%q is not key=value", s)
	}
	if key == "ag" {
		return "", "", errors.New("ag is there twice")
	}
	return key, value, nil
}

func inAlphabet(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c < 0x80 && strings.ContainsRune(".:-_=,", c)
}

// checkExtra refuses what Parse would not put into Extra.
func checkExtra(s string) error {
	key, _, err := split(s)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if key == "m" || slices.ContainsFunc(fields(), func(f field) bool { return f.key == key }) {
		return fmt.Errorf("%w: %q has a known key", ErrInvalid, s)
	}
	return nil
}

func checkSize(strs []string) error {
	size := 0
	for _, s := range strs {
		if len(s) > MaxString {
			return fmt.Errorf("%w: %q has %d octets, the limit is %d", ErrTooLarge, s, len(s), MaxString)
		}
		size += 1 + len(s)
	}
	if size > MaxSize {
		return fmt.Errorf("%w: %d octets, the limit is %d", ErrTooLarge, size, MaxSize)
	}
	return nil
}
