//go:build !unix

package testserver

import (
	"errors"
	"os"
)

func signalEnd(p *os.Process) error    { return p.Kill() }
func signalStop(*os.Process) error     { return errors.ErrUnsupported }
func signalContinue(*os.Process) error { return nil }
