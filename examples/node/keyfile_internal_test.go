package main

import (
	"strings"
	"testing"
)

func TestParseKeyFile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"tsig-keygen": "key \"ag-key\" {\n\talgorithm hmac-sha256;\n\tsecret \"" + secret + "\";\n};\n",
		"not quoted":  "key ag-key { algorithm hmac-sha256; secret " + secret + "; };",
		"comments":    "// ours\nkey \"ag-key\" { /* ours */ algorithm hmac-sha256; // strong\n secret \"" + secret + "\"; };",
		"other order": "key \"ag-key\" { secret \"" + secret + "\"; algorithm \"hmac-sha256\"; };",
	} {
		got, err := parseKeyFile(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.name != "ag-key" || got.algorithm != "hmac-sha256" || got.secret.Reveal() != secret {
			t.Errorf("%s: key = %s %s, and the secret is right: %t", name, got.name, got.algorithm, got.secret.Reveal() == secret)
		}
	}
}

func TestParseKeyFile_Mistakes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"empty":        {"", "no key"},
		"no secret":    {`key "a" { algorithm hmac-sha256; };`, "no secret"},
		"two keys":     {`key "a" { algorithm x; secret "s"; }; key "b" { algorithm x; secret "s"; };`, "key is there twice"},
		"not ended":    {`key "a" { algorithm hmac-sha256; secret "` + secret + `; };`, "a quoted text"},
		"only a word":  {"secret", "no key"},
		"base64 alone": {secret, "no key"},
	} {
		_, err := parseKeyFile(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error = %v, want %q in it", name, err, tt.want)
		}
	}
}

// Whatever is in the file, the error quotes nothing of it, and a key is whole.
func FuzzParseKeyFile(f *testing.F) {
	f.Add("key \"ag-key\" {\n\talgorithm hmac-sha256;\n\tsecret \"" + secret + "\";\n};\n")
	f.Add("key a { secret \"\\x00\"; algorithm b; } /*")
	f.Add("secret secret key key algorithm algorithm")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := parseKeyFile(text)
		if err == nil && (k.name == "" || k.algorithm == "" || k.secret.IsZero()) {
			t.Errorf("a part is missing: %q %q", k.name, k.algorithm)
		}
		if again, other := parseKeyFile(text); (err == nil) != (other == nil) || again.name != k.name {
			t.Error("read twice, it differs")
		}
	})
}
