//go:build !linux

package storetest

import "syscall"

// endWithParent does nothing where a process cannot ask for it: a server then outlives a test that is killed.
func endWithParent(*syscall.SysProcAttr) {}
