package record

import (
	"net/netip"
	"strings"
)

// The limits of names (RFC 1035 §2.3.4): 255 octets on the wire are 253
// characters without the final dot.
const (
	maxName  = 253
	maxLabel = 63
)

// NameProblem returns what is wrong with a name of a group or a key, nothing if
// it is right. The name is in its canonical form: lower case, no final dot.
func NameProblem(name string) string {
	if name == "" {
		return "must not be empty"
	}
	if len(name) > maxName {
		return "must have at most 253 characters"
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return "must be a name, not an address"
	}
	for label := range strings.SplitSeq(name, ".") {
		if problem := checkLabel(label); problem != "" {
			return problem
		}
	}
	return ""
}

func checkLabel(label string) string {
	switch {
	case label == "":
		return "must not have an empty label between two dots"
	case len(label) > maxLabel:
		return "must have labels of at most 63 characters"
	case label[0] == '-' || label[len(label)-1] == '-':
		return "must not have a label that begins or ends with a hyphen"
	case strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "":
		return "must be made of letters, digits, hyphens, underscores and dots"
	}
	return ""
}
