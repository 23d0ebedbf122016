package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/scanner"
	"unicode"

	"github.com/availabilitygroup/ag/availability"
)

// tsigKey is a key as BIND writes it:
//
//	key "ag-key" {
//		algorithm hmac-sha256;
//		secret "bWFueSBvY3RldHM=";
//	};
type tsigKey struct {
	name, algorithm string
	secret          availability.Secret
}

// parseKeyFile reads a file with one key. Its errors quote nothing of it.
func parseKeyFile(text string) (tsigKey, error) {
	words, err := keyWords(text)
	if err != nil {
		return tsigKey{}, err
	}
	found := map[string]string{}
	for i, word := range words[:max(0, len(words)-1)] {
		if word != "key" && word != "algorithm" && word != "secret" {
			continue
		}
		if found[word] != "" {
			return tsigKey{}, fmt.Errorf("%s is there twice: one key, as tsig-keygen writes it, is wanted", word)
		}
		found[word] = words[i+1]
	}
	for _, word := range []string{"key", "algorithm", "secret"} {
		if found[word] == "" {
			return tsigKey{}, fmt.Errorf("no %s: one key, as tsig-keygen writes it, is wanted", word)
		}
	}
	return tsigKey{name: found["key"], algorithm: found["algorithm"], secret: availability.NewSecret(found["secret"])}, nil
}

// keyWords splits the text at blanks and punctuation. Quotes are taken off.
func keyWords(text string) ([]string, error) {
	var s scanner.Scanner
	s.Init(strings.NewReader(text))
	s.Mode = scanner.ScanIdents | scanner.ScanStrings | scanner.ScanComments | scanner.SkipComments
	s.IsIdentRune = func(r rune, i int) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || i > 0 && strings.ContainsRune("-.+/=", r)
	}
	bad := 0
	s.Error = func(*scanner.Scanner, string) { bad++ }
	var words []string
	for kind := s.Scan(); kind != scanner.EOF; kind = s.Scan() {
		word := s.TokenText()
		if kind == scanner.String {
			unquoted, err := strconv.Unquote(word)
			if err != nil {
				return nil, errors.New("a quoted text has no end, or a backslash")
			}
			word = unquoted
		}
		words = append(words, word)
	}
	if bad > 0 {
		return nil, errors.New("is no key file")
	}
	return words, nil
}
