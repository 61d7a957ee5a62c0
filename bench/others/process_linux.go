package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pausepoint/pausepoint/bench/machine"
)

const (
	readyWithin = 5 * time.Minute // a busy machine takes that long for a clip
	stopWithin  = 30 * time.Second
	look        = 50 * time.Millisecond // how often it is looked whether something is so
)

// process is a server that runs. What it writes goes into a file: nobody's core is busy with it.
type process struct {
	cmd *exec.Cmd
	log string
}

// launch starts a program on the servers' core, with nothing set that is meant for a server of this machine.
func launch(folder, program string, args ...string) (*process, error) {
	core, _, err := machine.Cores()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(program, args...), log: filepath.Join(folder, "log")} //nolint:gosec // what is to be measured
	file, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // the process has it
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = folder, file, file
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PAUSEPOINT_") && !strings.HasPrefix(v, "LIVEKIT_") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	if err = machine.Start(core, p.cmd); err != nil {
		return nil, fmt.Errorf("%s does not start: %w", program, err)
	}
	return p, nil
}

// answers waits until the server takes connections.
func (p *process) answers(ctx context.Context, address string) error {
	return p.until(ctx, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// until waits until something of the server is so.
func (p *process) until(ctx context.Context, so func() bool) error {
	for deadline := time.Now().Add(readyWithin); !so(); time.Sleep(look) {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case syscall.Kill(p.cmd.Process.Pid, 0) != nil || time.Now().After(deadline):
			return fmt.Errorf("%s is not ready: %s", filepath.Base(p.cmd.Path), p.said())
		}
	}
	return nil
}

// said is the end of what the server has written.
func (p *process) said() string {
	const enough = 2000
	b, _ := os.ReadFile(p.log)
	return string(b[max(len(b)-enough, 0):])
}

// stop ends the server; one that does not end by itself is killed.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return errors.Join(err, p.cmd.Wait())
	}
	timer := time.AfterFunc(stopWithin, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil // it was told to
	}
	return err
}

// freePort finds a port of TCP and UDP that nobody has.
func freePort(host string) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close() //nolint:forcetypeassert // of TCP
}
