package main

import "golang.org/x/sys/unix"

// freeBytes returns how much room an ordinary process has left below dir.
func freeBytes(dir string) (int64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return int64(min(fs.Bavail, 1<<40)) * fs.Bsize, nil
}

// clockKept reports whether the kernel is told the time by somebody who knows it (adjtimex(2)).
func clockKept() (bool, error) {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return false, err
	}
	return t.Status&unix.STA_UNSYNC == 0, nil
}
