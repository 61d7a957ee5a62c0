package storetest

import "syscall"

// endWithParent makes a server end when the test that started it is killed.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
