//go:build !linux

package e2e_test

import "testing"

func TestGroup(t *testing.T) {
	t.Skip("NOT TESTED end to end: needs Linux")
}
