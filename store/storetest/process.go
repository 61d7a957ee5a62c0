package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
	"time"
)

// process is a server that a test has started.
type process struct {
	cmd   *exec.Cmd
	said  *bytes.Buffer // by the server; read once it has ended
	ended chan struct{} // closed when it has
}

func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, said: &bytes.Buffer{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.said, p.said
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // how it ended does not matter: that it did is an error wherever it is used
	}()
	return p, nil
}

// await tries until the server answers.
func (p *process) await(try func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return fmt.Errorf("%s has ended: %s", p.cmd.Path, p.said)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s does not answer: %w", p.cmd.Path, err), p.end(syscall.SIGKILL))
		}
	}
}

// end sends the server's first process a signal that ends it, and waits for that.
func (p *process) end(signal syscall.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end %s: %w", p.cmd.Path, err)
	}
	<-p.ended
	return nil
}

// unprivileged is a user that root can be instead.
func unprivileged() (uid, gid uint32, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, lookup := user.Lookup(name)
		if lookup != nil {
			err = errors.Join(err, lookup)
			continue
		}
		id, idErr := strconv.ParseUint(u.Uid, 10, 32)
		group, groupErr := strconv.ParseUint(u.Gid, 10, 32)
		return uint32(id), uint32(group), errors.Join(idErr, groupErr)
	}
	return 0, 0, fmt.Errorf("find a user that is not root: %w", err)
}
