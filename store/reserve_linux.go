package store

import (
	"fmt"
	"os"
	"syscall"
)

// allocate makes a file take room on the disk (fallocate(2)), if its file system can.
func allocate(f *os.File, size int64) error {
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		return fmt.Errorf("keep room on the disk: %w", err)
	}
	return nil
}

// roomOf is how many bytes may still be written to a file's disk (fstatfs(2)).
func roomOf(f *os.File) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &s); err != nil {
		return 0, fmt.Errorf("see how much room is on the disk: %w", err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}
