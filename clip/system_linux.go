package clip

import "golang.org/x/sys/unix"

// freeBytes returns how much room an ordinary process has left below dir.
func freeBytes(dir string) (int64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return int64(min(fs.Bavail, 1<<40)) * fs.Bsize, nil
}
