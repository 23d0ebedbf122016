package embedded_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// No verb shows the key of a server, not even one that fits no part of it and
// makes package fmt look behind pointers.
func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	c := testConfig()
	s := newServer(t, c)
	octets, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	numbers := strings.Trim(fmt.Sprintf("%d", octets), "[]")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%g", "%U"} {
		for _, text := range []string{fmt.Sprintf(verb, s), fmt.Sprintf(verb, c), fmt.Sprintf(verb, c.Keys[0])} {
			for _, part := range []string{secret[:10], string(octets[:6]), fmt.Sprintf("%x", octets[:6]), numbers[:16]} {
				if strings.Contains(text, part) {
					t.Errorf("%s shows the secret: %s", verb, text)
				}
			}
		}
	}
}
