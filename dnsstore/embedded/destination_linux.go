package embedded

import (
	"net"
	"syscall"
)

// reportDestination has the system tell which address each packet was sent to.
// One of the two calls fails for each socket, by its family; where both fail,
// answers leave from the address that the system chooses.
func reportDestination(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_RECVPKTINFO, 1)
	})
}
