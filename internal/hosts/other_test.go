//go:build !linux

package hosts_test

import "testing"

func TestHosts_Scenarios(t *testing.T) {
	t.Skip("NOT TESTED on hosts: needs Linux")
}
