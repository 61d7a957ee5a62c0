package main

import (
	"errors"
	"os"
	"time"

	"github.com/pausepoint/pausepoint/bench/machine"
)

// gauge reads the clocks of a server and of this process, and the server's memory.
type gauge struct {
	pid         int
	began       time.Time
	length      time.Duration
	server, own time.Duration // CPU, user and system: when it began, then from begin to end
	err         error
}

func (g *gauge) begin() { g.server, g.own, g.began = g.cpu(g.pid), g.cpu(os.Getpid()), time.Now() }

func (g *gauge) end() {
	g.server, g.own, g.length = g.cpu(g.pid)-g.server, g.cpu(os.Getpid())-g.own, time.Since(g.began)
}

func (g *gauge) cpu(pid int) time.Duration {
	d, err := machine.CPUTime(pid)
	g.err = errors.Join(g.err, err)
	return d
}

// resident is the server's memory in bytes.
func (g *gauge) resident() int64 {
	n, err := machine.Resident(g.pid)
	g.err = errors.Join(g.err, err)
	return n
}
