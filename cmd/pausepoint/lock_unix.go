//go:build unix

package main

import (
	"os"
	"syscall"
)

// lock takes the file for this process until it is closed, also by the process's death.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
