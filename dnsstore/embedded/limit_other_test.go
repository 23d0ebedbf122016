//go:build !linux

package embedded_test

func limitFileSize() {}
