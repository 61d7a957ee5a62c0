package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
)

// Redis is a Redis server of a test's own, which keeps nothing on disk. Its methods are called from one goroutine.
type Redis struct {
	dir    string
	addr   string
	server *process
}

// StartRedis starts a server. The caller stops it.
func StartRedis() (*Redis, error) {
	dir, err := os.MkdirTemp("", "pausepoint-redis-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for Redis: %w", err)
	}
	r := &Redis{dir: dir}
	if r.addr, err = freeAddr(); err == nil {
		err = r.Start()
	}
	if err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

// Addr is where the server listens, host:port. It stays the same after Kill and Start.
func (r *Redis) Addr() string { return r.addr }

// URL is what --redis takes.
func (r *Redis) URL() string { return "redis://" + r.addr }

// Start starts the server, the first time or after Kill, and waits until it answers. It knows nothing then.
func (r *Redis) Start() error {
	host, port, err := net.SplitHostPort(r.addr)
	if err != nil {
		return fmt.Errorf("address of Redis: %w", err)
	}
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return fmt.Errorf("redis is missing: make need-test installs it: %w", err)
	}
	cmd := exec.Command(program, "--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", r.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	endWithParent(cmd.SysProcAttr)
	if r.server, err = launch(cmd); err != nil {
		return err
	}
	return r.server.await(r.ping)
}

func (r *Redis) ping(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", r.addr)
	if err != nil {
		return fmt.Errorf("reach Redis: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return fmt.Errorf("ask Redis: %w", err)
	}
	answer := make([]byte, len("+PONG\r\n"))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return fmt.Errorf("hear Redis: %w", err)
	}
	return nil
}

// Kill ends the server as a crash would.
func (r *Redis) Kill() error { return r.server.end(syscall.SIGKILL) }

// Stop ends the server and removes what it kept.
func (r *Redis) Stop() error {
	var err error
	if r.server != nil {
		err = r.server.end(syscall.SIGKILL)
	}
	return errors.Join(err, os.RemoveAll(r.dir))
}
