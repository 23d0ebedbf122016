//go:build !unix

package main

import "os/exec"

// ownGroup does nothing where there are no process groups: the command is
// killed when it is to end.
func ownGroup(*exec.Cmd) {}

func killGroup(*exec.Cmd) {}
