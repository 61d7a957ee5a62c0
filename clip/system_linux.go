package clip

import (
	"os/exec"

	"golang.org/x/sys/unix"
)

// dieWithParent ends the child when the server is killed, so that a preparation never runs twice.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
}

// freeBytes returns how much room an ordinary process has left below dir.
func freeBytes(dir string) (int64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	return int64(min(fs.Bavail, 1<<40)) * fs.Bsize, nil
}
