package rfc2136_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Nothing runs on after the last test: neither goroutine nor connection.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
