package dnsstore

import (
	"errors"
	"fmt"
	"strings"
)

const (
	maxTXTString = 255   // RFC 1035 section 3.3: one octet of length
	maxRData     = 65535 // RFC 1035 section 4.1.3: two octets of length
)

// FormatTXT returns the presentation form of a TXT record, as `dig +short`
// prints it: each string in quotes, separated by one blank. The strings are
// octets, in no particular character set. A record has at least one string of
// at most 255 octets, all together with their lengths at most 65535; FormatTXT
// does not check this, [ParseTXT] does.
func FormatTXT(strs []string) string {
	var b strings.Builder
	for i, s := range strs {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteByte('"')
		for _, c := range []byte(s) {
			writeOctet(&b, c)
		}
		b.WriteByte('"')
	}
	return b.String()
}

func writeOctet(b *strings.Builder, c byte) {
	switch {
	case c == '"' || c == '\\':
		b.WriteByte('\\')
		b.WriteByte(c)
	case c < ' ' || c > '~':
		b.WriteByte('\\')
		b.WriteByte('0' + c/100)
		b.WriteByte('0' + c/10%10)
		b.WriteByte('0' + c%10)
	default:
		b.WriteByte(c)
	}
}

// ParseTXT returns the strings of a TXT record in presentation form, octet for
// octet. Every string must be in quotes; between two of them stands at least
// one blank or tab. In the quotes, a backslash and three decimal digits are an
// octet, a backslash and anything else is that (RFC 1035 section 5.1), and
// every other octet is itself.
//
// The result of ParseTXT goes through FormatTXT and back unchanged.
func ParseTXT(text string) ([]string, error) {
	var strs []string
	size := 0
	for rest := trimBlanks(text); rest != ""; {
		s, after, err := parseString(rest)
		if err != nil {
			return nil, fmt.Errorf("string %d of TXT: %w", len(strs)+1, err)
		}
		strs, size = append(strs, s), size+1+len(s)
		rest = trimBlanks(after)
		if rest != "" && len(rest) == len(after) {
			return nil, fmt.Errorf("string %d of TXT: no blank after it", len(strs))
		}
	}
	switch {
	case len(strs) == 0:
		return nil, errors.New("TXT without a string")
	case size > maxRData:
		return nil, fmt.Errorf("TXT of %d octets; at most %d", size, maxRData)
	}
	return strs, nil
}

func trimBlanks(s string) string { return strings.TrimLeft(s, " \t") }

// parseString parses one string in quotes and returns what comes after it.
func parseString(text string) (s, after string, err error) {
	if text[0] != '"' {
		return "", "", errors.New("not in quotes")
	}
	var b strings.Builder
	for rest := text[1:]; rest != ""; {
		if rest[0] == '"' {
			return b.String(), rest[1:], checkLength(b.Len())
		}
		c, n, err := parseOctet(rest)
		if err != nil {
			return "", "", err
		}
		b.WriteByte(c)
		rest = rest[n:]
	}
	return "", "", errors.New("no closing quote")
}

// parseOctet parses one octet, escaped or not, and returns how long it was.
func parseOctet(text string) (c byte, n int, err error) {
	switch {
	case text[0] != '\\':
		return text[0], 1, nil
	case len(text) == 1:
		return 0, 0, errors.New("backslash at the end")
	case !isDigit(text[1]):
		return text[1], 2, nil
	case len(text) < 4 || !isDigit(text[2]) || !isDigit(text[3]):
		return 0, 0, errors.New("backslash before fewer than three digits")
	}
	value := 100*int(text[1]-'0') + 10*int(text[2]-'0') + int(text[3]-'0')
	if value > 255 {
		return 0, 0, fmt.Errorf("octet %d; at most 255", value)
	}
	return byte(value), 4, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func checkLength(n int) error {
	if n > maxTXTString {
		return fmt.Errorf("%d octets; at most %d", n, maxTXTString)
	}
	return nil
}
