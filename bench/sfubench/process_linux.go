package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/bench/machine"
)

// child is a server under test.
type child struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	addr   string
	fetch  string // where others fetch from it, of an owner
	stderr *machine.Tail
}

// startChild runs the server pinned to its core.
func startChild(kind, profile string, more ...string) (*child, error) {
	srv, _, err := machine.Cores()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self, append([]string{"-serve", kind, "-profile", profile}, more...)...), stderr: &machine.Tail{}} //nolint:gosec // itself
	c.cmd.Stderr = c.stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err = machine.Start(srv, c.cmd); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the server %s does not start: %s", kind, c.stderr), c.stop())
	}
	c.addr, c.fetch, _ = strings.Cut(strings.TrimSpace(line), " ")
	return c, nil
}

// stop ends the server; one that does not end by itself is killed.
func (c *child) stop() error {
	_ = c.stdin.Close()
	timer := time.AfterFunc(10*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer timer.Stop()
	return c.cmd.Wait()
}
