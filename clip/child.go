package clip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// limits bound one child process. ffmpeg reads what strangers made: a file that asks for
// too much ends its own process and nothing else.
type limits struct {
	memory int64         // bytes of address space
	file   int64         // bytes of any one file that it writes
	time   time.Duration // on the clock
}

// underLimits sets the limits of sh before it becomes the program, so that there is no
// moment without them; nice lets calls that are going on go first.
const underLimits = `ulimit -v "$1" && ulimit -f "$2" && ulimit -c 0 && shift 2 && exec nice -n 5 "$@"`

// errTimeLimit is the cause when a child was ended for its time limit.
var errTimeLimit = errors.New("time limit reached")

// childError is a child that failed, with the end of what it said.
type childError struct {
	program string
	stderr  string
	err     error
}

func (e *childError) Error() string { return fmt.Sprintf("%s: %v: %s", e.program, e.err, e.stderr) }
func (e *childError) Unwrap() error { return e.err }

// diskFull reports whether the child failed for want of room, which says nothing about the file it read.
func (e *childError) diskFull() bool { return strings.Contains(e.stderr, "No space left on device") }

// tooLarge reports whether the child met a picture that it may not, or cannot, hold in memory.
func (e *childError) tooLarge() bool { return saysTooLarge(e.stderr) }

func saysTooLarge(stderr string) bool {
	return strings.Contains(stderr, "exceeds specified max pixel count") || strings.Contains(stderr, "Picture size")
}

// errLeftOut is the cause when a child went on without a picture that is too large.
var errLeftOut = errors.New("a picture was left out")

// run starts program in dir, hands its standard output to read, and waits for it. What read returns ends
// the child too. The child knows nothing of the server's environment, and dies with ctx.
func run(ctx context.Context, lim limits, dir, program string, args []string, read func(io.Reader) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lim.time, errTimeLimit)
	defer cancel()
	shell := append([]string{
		"-c", underLimits, "sh",
		strconv.FormatInt(lim.memory>>10, 10), strconv.FormatInt(lim.file>>9, 10), program,
	}, args...)
	cmd := exec.CommandContext(ctx, "/bin/sh", shell...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "HOME=" + dir}
	cmd.WaitDelay = 5 * time.Second
	dieWithParent(cmd)
	var said tail
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("pipe to %s: %w", program, err)
	}
	if err := cmd.Start(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return fmt.Errorf("start %s: %w", program, err)
	}
	readErr := read(out)
	if readErr != nil {
		cancel()
	}
	_, _ = io.Copy(io.Discard, out) // until the child closes it, as Wait demands
	err = cmd.Wait()
	if readErr != nil {
		return readErr
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err == nil && saysTooLarge(said.String()) { // ffmpeg takes it for damage, and would show something else instead
		err = errLeftOut
	}
	if err != nil {
		return &childError{program: program, stderr: said.String(), err: err}
	}
	return nil
}

// tail keeps the last few KiB that were written to it.
type tail struct{ buf bytes.Buffer }

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.buf.Write(p)
	if extra := t.buf.Len() - tailSize; extra > tailSize {
		t.buf.Next(extra)
	}
	return len(p), nil
}

func (t *tail) String() string {
	b := t.buf.Bytes()
	return strings.ToValidUTF8(string(b[max(0, len(b)-tailSize):]), "")
}
