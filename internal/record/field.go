package record

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// field is one string of the record that is there at most once.
type field struct {
	key string
	// optional fields are left out when write returns nothing.
	optional bool
	write    func(r *Record) (string, error)
	read     func(r *Record, value string) error
}

// fields are the known strings but ag and m, in the order of the text.
func fields() []field {
	return []field{
		hexField("group", func(r *Record) *string { return &r.Group }, false),
		numberField("term", func(r *Record) *uint64 { return &r.Term }),
		numberField("seq", func(r *Record) *uint64 { return &r.Seq }),
		hexField("nonce", func(r *Record) *string { return &r.Nonce }, false),
		idField("primary", func(r *Record) *string { return &r.Primary }, true),
		hexField("run", func(r *Record) *string { return &r.Run }, true),
		idField("by", func(r *Record) *string { return &r.By }, false),
		{key: "at", write: writeAt, read: readAt},
		durationField("w", func(r *Record) *time.Duration { return &r.AllowedAbsence }, 1),
		durationField("r", func(r *Record) *time.Duration { return &r.ReportInterval }, 1),
		durationField("c", func(r *Record) *time.Duration { return &r.CheckInterval }, 1),
		durationField("ttl", func(r *Record) *time.Duration { return &r.TTL }, 0),
		flagField("paused", func(r *Record) *bool { return &r.Paused }),
		flagField("dissolved", func(r *Record) *bool { return &r.Dissolved }),
	}
}

// textField is a field whose value stands as it is, after a check. An empty
// one is written "-" if it may be empty.
func textField(key string, at func(*Record) *string, mayBeEmpty bool, check func(string) error) field {
	return field{
		key: key,
		write: func(r *Record) (string, error) {
			value := *at(r)
			if value == "" && mayBeEmpty {
				return none, nil
			}
			return value, check(value)
		},
		read: func(r *Record, value string) error {
			if value == none && mayBeEmpty {
				return nil
			}
			*at(r) = value
			return check(value)
		},
	}
}

func idField(key string, at func(*Record) *string, mayBeEmpty bool) field {
	return textField(key, at, mayBeEmpty, func(value string) error {
		if !ValidID(value) {
			return fmt.Errorf("%q is no node ID", value)
		}
		return nil
	})
}

func hexField(key string, at func(*Record) *string, mayBeEmpty bool) field {
	return textField(key, at, mayBeEmpty, func(value string) error {
		if len(value) < 1 || len(value) > 32 || strings.Trim(value, "0123456789abcdef") != "" {
			return fmt.Errorf("%q is not 1 to 32 hexadecimal digits", value)
		}
		return nil
	})
}

func numberField(key string, at func(*Record) *uint64) field {
	return field{
		key: key,
		write: func(r *Record) (string, error) {
			if *at(r) > MaxNumber {
				return "", errors.New("out of range")
			}
			return strconv.FormatUint(*at(r), 10), nil
		},
		read: func(r *Record, value string) error {
			n, err := parseNumber(value, 64)
			if err != nil {
				return err
			}
			if n > MaxNumber {
				return errors.New("out of range")
			}
			*at(r) = n
			return nil
		},
	}
}

func flagField(key string, at func(*Record) *bool) field {
	return field{
		key: key, optional: true,
		write: func(r *Record) (string, error) {
			if *at(r) {
				return "1", nil
			}
			return "", nil
		},
		read: func(r *Record, value string) error {
			if value != "1" {
				return errors.New("not 1")
			}
			*at(r) = true
			return nil
		},
	}
}

// durationField is a field of at least least milliseconds.
func durationField(key string, at func(*Record) *time.Duration, least time.Duration) field {
	return field{
		key: key,
		write: func(r *Record) (string, error) {
			d := *at(r)
			if d < least*time.Millisecond || d > maxDuration || d%time.Millisecond != 0 {
				return "", fmt.Errorf("%v is not %d ms to %v in whole milliseconds", d, least, maxDuration)
			}
			return formatDuration(d), nil
		},
		read: func(r *Record, value string) error {
			d, err := parseDuration(value)
			if err != nil {
				return err
			}
			if d < least*time.Millisecond {
				return fmt.Errorf("shorter than %d ms", least)
			}
			*at(r) = d
			return nil
		},
	}
}

// formatDuration writes whole milliseconds in the one form they have.
func formatDuration(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(int64(d/time.Millisecond), 10) + "ms"
}

func parseDuration(value string) (time.Duration, error) {
	unit := time.Second
	digits, ok := strings.CutSuffix(value, "ms")
	if ok {
		unit = time.Millisecond
	} else if digits, ok = strings.CutSuffix(value, "s"); !ok {
		return 0, errors.New("not a number of s or ms")
	}
	n, err := parseNumber(digits, 63)
	if err != nil {
		return 0, err
	}
	if n > uint64(maxDuration/unit) {
		return 0, fmt.Errorf("longer than %v", maxDuration)
	}
	d := time.Duration(n) * unit
	if formatDuration(d) != value {
		return 0, errors.New("whole seconds are written with s")
	}
	return d, nil
}

// parseNumber reads a decimal number in the one form it has.
func parseNumber(value string, bits int) (uint64, error) {
	n, err := strconv.ParseUint(value, 10, bits)
	if err != nil {
		return 0, fmt.Errorf("not a number of at most %d bits", bits)
	}
	if strconv.FormatUint(n, 10) != value {
		return 0, errors.New("a number without leading zeros was expected")
	}
	return n, nil
}

func writeAt(r *Record) (string, error) {
	at := r.At.UTC()
	if at.Year() < 0 || at.Year() > 9999 {
		return "", errors.New("not a year of four digits")
	}
	return at.Format(atLayout), nil
}

func readAt(r *Record, value string) error {
	at, err := time.Parse(atLayout, value)
	// Parse takes fractions of a second that the layout does not have.
	if err != nil || at.Format(atLayout) != value {
		return errors.New("not a time like 2026-11-21t20:12:50z")
	}
	r.At = at
	return nil
}
