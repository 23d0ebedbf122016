package record

import (
	"errors"
	"fmt"
	"strings"
)

// Quote returns strings as one TXT record in presentation form (RFC 1035
// §5.1): each in quotes, separated by a blank, as a store has it. Octets that
// need it are escaped; in a record of ours there are none.
func Quote(strs []string) string {
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
		fmt.Fprintf(b, `\%03d`, c)
	default:
		b.WriteByte(c)
	}
}

// Unquote returns the strings of one TXT record in presentation form. Any
// record that a server can hold is fine, ours or not; a text that is not in
// quotes, or whose escapes are wrong, gives ErrInvalid.
func Unquote(text string) ([]string, error) {
	var strs []string
	rest := strings.TrimLeft(text, " ")
	for rest != "" {
		s, after, err := unquoteOne(rest)
		if err != nil {
			return nil, fmt.Errorf("%w: TXT %q: %w", ErrInvalid, text, err)
		}
		strs = append(strs, s)
		rest = strings.TrimLeft(after, " ")
		if rest != "" && rest == after {
			return nil, fmt.Errorf("%w: TXT %q: no blank between two strings", ErrInvalid, text)
		}
	}
	return strs, nil
}

// unquoteOne takes one quoted string off the front of text.
func unquoteOne(text string) (s, rest string, err error) {
	if text[0] != '"' {
		return "", "", errors.New("a string without quotes")
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], nil
		case '\\':
			octet, length, err := unescape(text[i+1:])
			if err != nil {
				return "", "", err
			}
			b.WriteByte(octet)
			i += length
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", errors.New("no closing quote")
}

// unescape reads what follows a backslash: three decimal digits, or the octet
// itself. It returns how many octets of the text that was.
func unescape(text string) (octet byte, length int, err error) {
	if text == "" {
		return 0, 0, errors.New("nothing after a backslash")
	}
	if text[0] < '0' || text[0] > '9' {
		return text[0], 1, nil
	}
	value := 0
	for i := range 3 {
		if i >= len(text) || text[i] < '0' || text[i] > '9' {
			return 0, 0, errors.New("not three digits after a backslash")
		}
		value = 10*value + int(text[i]-'0')
	}
	if value > 0xff {
		return 0, 0, errors.New("an escaped octet above 255")
	}
	return byte(value), 3, nil
}
