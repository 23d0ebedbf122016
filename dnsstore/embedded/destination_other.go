//go:build !linux

package embedded

import "net"

// reportDestination does nothing here: on a machine with several addresses,
// bind to one of them.
func reportDestination(*net.UDPConn) {}
