package testserver

import "syscall"

// endWithParent makes the child end when the test binary is killed, which
// runs no clean-up.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
