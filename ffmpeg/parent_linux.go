package ffmpeg

import (
	"os/exec"

	"golang.org/x/sys/unix"
)

// dieWithParent ends the child when the server is killed, so that nothing is made twice.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
}
