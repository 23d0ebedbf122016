//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// ownGroup has a command and all that it starts interrupted together.
func ownGroup(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGINT) }
}

// killGroup ends what a command that has ended has left behind.
func killGroup(c *exec.Cmd) {
	if c.Process == nil {
		return // it was not started
	}
	_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // there may be nothing left
}
