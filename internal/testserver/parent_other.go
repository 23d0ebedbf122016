//go:build !linux

package testserver

import "syscall"

func endWithParent() *syscall.SysProcAttr { return nil }
