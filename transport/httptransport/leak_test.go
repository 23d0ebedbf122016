package httptransport_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails if a goroutine of any test is left over.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
