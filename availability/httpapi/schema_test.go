package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// schemas checks values against the subset of JSON Schema that the OpenAPI
// document uses. Unlike a client it takes no property that a schema does not
// name: the document shall have all.
type schemas struct{ document map[string]any }

// annotations say nothing about what is valid.
func annotations() []string {
	return []string{"description", "discriminator", "writeOnly"}
}

// check returns what is wrong with a value, decoded with UseNumber.
func (s schemas) check(schema map[string]any, value any, at string) []string {
	schema = s.flat(schema)
	var wrong []string
	for keyword, limit := range schema {
		if !slices.Contains(annotations(), keyword) {
			wrong = append(wrong, s.keyword(keyword, limit, value, at)...)
		}
	}
	if o, ok := value.(map[string]any); ok {
		wrong = append(wrong, s.object(schema, o, at)...)
	}
	return wrong
}

// flat follows $ref and merges allOf.
func (s schemas) flat(schema map[string]any) map[string]any {
	merged := map[string]any{}
	properties := map[string]any{}
	var required []any
	parts := []map[string]any{schema}
	for i := 0; i < len(parts); i++ {
		for keyword, v := range parts[i] {
			switch keyword {
			case "$ref":
				parts = append(parts, s.resolve(v.(string)))
			case "allOf":
				for _, part := range v.([]any) {
					parts = append(parts, part.(map[string]any))
				}
			case "properties":
				for name, p := range v.(map[string]any) {
					if before, twice := properties[name]; twice {
						p = map[string]any{"allOf": []any{before, p}}
					}
					properties[name] = p
				}
			case "required":
				required = append(required, v.([]any)...)
			default:
				merged[keyword] = v
			}
		}
	}
	merged["properties"], merged["required"] = properties, required
	return merged
}

// resolve returns what a reference within the document names.
func (s schemas) resolve(ref string) map[string]any {
	at := s.document
	for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at, _ = at[name].(map[string]any)
	}
	return at
}

func (s schemas) object(schema, o map[string]any, at string) []string {
	var wrong []string
	properties := schema["properties"].(map[string]any)
	for _, name := range schema["required"].([]any) {
		if _, ok := o[name.(string)]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s lacks %s", at, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		switch p, ok := properties[name].(map[string]any); {
		case ok:
			wrong = append(wrong, s.check(p, o[name], at+"."+name)...)
		case schema["additionalProperties"] != true && schema["oneOf"] == nil:
			wrong = append(wrong, fmt.Sprintf("%s has %s, which its schema does not know", at, name))
		}
	}
	return wrong
}

// keyword checks one keyword but properties and required.
func (s schemas) keyword(keyword string, limit, value any, at string) []string {
	text, isText := value.(string)
	list, isList := value.([]any)
	object, isObject := value.(map[string]any)
	ok := true
	switch keyword {
	case "properties", "required", "additionalProperties": // see object
	case "type":
		ok = typed(limit, value)
	case "enum":
		ok = slices.ContainsFunc(limit.([]any), func(x any) bool { return reflect.DeepEqual(x, value) })
	case "const":
		ok = reflect.DeepEqual(limit, value)
	case "oneOf":
		return s.oneOf(limit.([]any), value, at)
	case "items":
		var wrong []string
		for i, x := range list {
			wrong = append(wrong, s.check(limit.(map[string]any), x, fmt.Sprintf("%s[%d]", at, i))...)
		}
		return wrong
	case "format":
		ok = !isText || formatted(limit.(string), text)
	case "pattern":
		ok = !isText || regexp.MustCompile(limit.(string)).MatchString(text)
	case "minimum", "maximum":
		ok = bounded(keyword, limit, value)
	case "maxLength":
		ok = !isText || utf8.RuneCountInString(text) <= whole(limit)
	case "minItems":
		ok = !isList || len(list) >= whole(limit)
	case "maxItems":
		ok = !isList || len(list) <= whole(limit)
	case "minProperties":
		ok = !isObject || len(object) >= whole(limit)
	default:
		return []string{fmt.Sprintf("%s: the keyword %s is not checked by this test", at, keyword)}
	}
	if ok {
		return nil
	}
	return []string{fmt.Sprintf("%s is %v, which is against %s: %v", at, value, keyword, limit)}
}

func (s schemas) oneOf(choices []any, value any, at string) []string {
	var wrong []string
	fits := 0
	for _, c := range choices {
		found := s.check(c.(map[string]any), value, at)
		if len(found) == 0 {
			fits++
		}
		wrong = append(wrong, found...)
	}
	if fits == 1 {
		return nil
	}
	return append(wrong, fmt.Sprintf("%s fits %d of %d schemas", at, fits, len(choices)))
}

// typed tells whether the value is of the type, or of one of the types.
func typed(limit, value any) bool {
	if list, several := limit.([]any); several {
		return slices.ContainsFunc(list, func(one any) bool { return typed(one, value) })
	}
	number, isNumber := value.(json.Number)
	switch limit {
	case "null":
		return value == nil
	case "number":
		return isNumber
	case "integer":
		return isNumber && !strings.ContainsAny(number.String(), ".eE")
	}
	names := map[reflect.Kind]string{reflect.Bool: "boolean", reflect.Map: "object", reflect.Slice: "array", reflect.String: "string"}
	return value != nil && !isNumber && names[reflect.TypeOf(value).Kind()] == limit
}

func formatted(format, text string) bool {
	switch format {
	case "date-time":
		_, err := time.Parse(time.RFC3339Nano, text)
		return err == nil
	case "ipv4":
		a, err := netip.ParseAddr(text)
		return err == nil && a.Is4()
	case "ipv6":
		a, err := netip.ParseAddr(text)
		return err == nil && a.Is6()
	case "uri":
		u, err := url.Parse(text)
		return err == nil && u.IsAbs() && u.Host != ""
	}
	return false
}

func bounded(keyword string, limit, value any) bool {
	number, ok := value.(json.Number)
	if !ok {
		return true
	}
	x, err := number.Float64()
	bound, boundErr := limit.(json.Number).Float64()
	return err == nil && boundErr == nil && (keyword == "minimum" && x >= bound || keyword == "maximum" && x <= bound)
}

func whole(limit any) int {
	n, err := limit.(json.Number).Int64()
	if err != nil {
		return -1
	}
	return int(n)
}
