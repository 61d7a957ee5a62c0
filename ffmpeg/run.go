// Package ffmpeg runs ffmpeg, and programs like it, as children with limits: they read what strangers made.
package ffmpeg

import (
	"bufio"
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

// Limits bound one child process. ffmpeg reads what strangers made: a file that asks for
// too much ends its own process and nothing else.
type Limits struct {
	Memory int64         // bytes of address space
	File   int64         // bytes of any one file that it writes
	Time   time.Duration // on the clock
}

// underLimits sets the limits of sh before it becomes the program, so that there is no
// moment without them; nice lets calls that are going on go first.
const underLimits = `ulimit -v "$1" && ulimit -f "$2" && ulimit -c 0 && shift 2 && exec nice -n 5 "$@"`

// ErrTimeLimit is the cause when a child was ended for its time limit.
var ErrTimeLimit = errors.New("time limit reached")

// Error is a child that failed, with the end of what it said.
type Error struct {
	Program string
	Stderr  string
	err     error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v: %s", e.Program, e.err, e.Stderr) }
func (e *Error) Unwrap() error { return e.err }

// DiskFull reports whether the child failed for want of room, which says nothing about the file it read.
func (e *Error) DiskFull() bool { return strings.Contains(e.Stderr, "No space left on device") }

// TooLarge reports whether the child met a picture that it may not, or cannot, hold in memory.
func (e *Error) TooLarge() bool { return saysTooLarge(e.Stderr) }

func saysTooLarge(stderr string) bool {
	return strings.Contains(stderr, "exceeds specified max pixel count") || strings.Contains(stderr, "Picture size")
}

// errLeftOut is the cause when a child went on without a picture that is too large.
var errLeftOut = errors.New("a picture was left out")

// Run starts program in dir, hands its standard output to read, and waits for it. What read returns ends
// the child too. The child knows nothing of the server's environment, and dies with ctx, or with the server.
func Run(ctx context.Context, lim Limits, dir, program string, args []string, read func(io.Reader) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lim.Time, ErrTimeLimit)
	defer cancel()
	shell := append([]string{
		"-c", underLimits, "sh",
		strconv.FormatInt(lim.Memory>>10, 10), strconv.FormatInt(lim.File>>9, 10), program,
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
		return &Error{Program: program, Stderr: said.String(), err: err}
	}
	return nil
}

// ReadProgress follows what ffmpeg says with "-progress pipe:1": how far it is, 0..1, of a duration in seconds.
func ReadProgress(r io.Reader, duration float64, progress func(float64)) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		value, ok := strings.CutPrefix(lines.Text(), "out_time_us=")
		if !ok {
			continue
		}
		if us, err := strconv.ParseInt(value, 10, 64); err == nil && duration > 0 {
			progress(min(1, max(0, float64(us)/1e6/duration)))
		}
	}
	return lines.Err()
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
