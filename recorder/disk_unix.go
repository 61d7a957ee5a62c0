//go:build linux || darwin

package recorder

import "syscall"

// freeSpace asks the system (statfs(2)) for the bytes that an unprivileged process may still write.
func freeSpace(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}
