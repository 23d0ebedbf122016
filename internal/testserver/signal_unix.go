//go:build unix

package testserver

import (
	"os"
	"syscall"
)

func signalEnd(p *os.Process) error      { return p.Signal(syscall.SIGTERM) }
func signalStop(p *os.Process) error     { return p.Signal(syscall.SIGSTOP) }
func signalContinue(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
