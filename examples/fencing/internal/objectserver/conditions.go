package objectserver

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// errTags: a condition is not one of RFC 9110 §13.1.1 or §13.1.2.
var errTags = errors.New("neither * nor a list of entity tags")

// conditions are those of one request.
type conditions struct{ match, noneMatch tags }

// tags is the value of a condition.
type tags struct {
	given bool
	any   bool // *
	list  []string
}

func parseConditions(h http.Header) (conditions, error) {
	match, err := parseTags(h.Values("If-Match"))
	if err != nil {
		return conditions{}, fmt.Errorf("If-Match: %w", err)
	}
	noneMatch, err := parseTags(h.Values("If-None-Match"))
	if err != nil {
		return conditions{}, fmt.Errorf("If-None-Match: %w", err)
	}
	return conditions{match: match, noneMatch: noneMatch}, nil
}

// evaluate returns 0 if the request may be carried out on an object with that
// tag, none if there is no object; otherwise the status. The order is that of
// RFC 9110 §13.2.2.
func (c conditions) evaluate(tag string, unchanged int) int {
	if c.match.given && !c.match.strong(tag) {
		return http.StatusPreconditionFailed
	}
	if c.noneMatch.given && c.noneMatch.weak(tag) {
		return unchanged
	}
	return 0
}

// strong compares as RFC 9110 §8.8.3.2 says: a weak tag equals none.
func (t tags) strong(tag string) bool {
	return tag != "" && (t.any || !strings.HasPrefix(tag, "W/") && slices.Contains(t.list, tag))
}

// weak compares without a look at which of the tags are weak.
func (t tags) weak(tag string) bool {
	opaque := strings.TrimPrefix(tag, "W/")
	return tag != "" && (t.any || slices.Contains(t.list, opaque) || slices.Contains(t.list, "W/"+opaque))
}

// parseTags reads a list that may be spread over several lines and have empty
// elements (RFC 9110 §5.6.1.2). Commas may stand within a tag.
func parseTags(lines []string) (tags, error) {
	text := strings.Trim(strings.Join(lines, ","), " \t")
	t := tags{given: len(lines) > 0, any: text == "*"}
	if t.any {
		return t, nil
	}
	rest := text
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			break
		}
		tag, after, ok := cutTag(rest)
		after = strings.TrimLeft(after, " \t")
		if !ok || after != "" && after[0] != ',' {
			return tags{}, errTags
		}
		t.list = append(t.list, tag)
		rest = after
	}
	if t.given && len(t.list) == 0 {
		return tags{}, errTags
	}
	return t, nil
}

// cutTag cuts an entity tag off the beginning (RFC 9110 §8.8.3).
func cutTag(text string) (tag, rest string, ok bool) {
	opaque, _ := strings.CutPrefix(text, "W/")
	if !strings.HasPrefix(opaque, `"`) {
		return "", "", false
	}
	inner, rest, ok := strings.Cut(opaque[1:], `"`)
	if !ok || strings.ContainsFunc(inner, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", "", false
	}
	return text[:len(text)-len(rest)], rest, true
}
