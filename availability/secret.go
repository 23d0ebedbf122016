package availability

import "github.com/availabilitygroup/ag/dnsstore"

// Secret is a text that no verb of package fmt, no encoder and no logger
// prints; see [dnsstore.Secret].
type Secret = dnsstore.Secret

// NewSecret returns text as a secret. An empty text gives the zero Secret.
func NewSecret(text string) Secret { return dnsstore.NewSecret(text) }
