// Package storetest starts the real servers that tests need: PostgreSQL, Redis, and one that speaks S3. They listen on a
// Unix socket or on the loopback address only, keep everything in a temporary folder, and end with the test.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// startWithin is how long a server may take to start on a machine that has much else to do.
const startWithin = 3 * time.Minute

// Postgres is a PostgreSQL cluster of a test's own. Its methods are called from one goroutine, but for NewDatabase.
type Postgres struct {
	dir    string // data and socket
	bin    string
	as     *syscall.Credential // nil for who runs the test
	server *process
	count  atomic.Int64
}

// StartPostgres makes a cluster and starts it. It does not sync: it survives the death of its processes, not of the
// machine. The caller stops it.
func StartPostgres() (*Postgres, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pausepoint-pg-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	p := &Postgres{dir: dir, bin: bin}
	if err := errors.Join(p.disguise(), p.initialise(), p.Start()); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.Join(errors.New("PostgreSQL is missing: make need-test installs it"), err)
	}
	return filepath.Dir(slices.Max(found)), nil
}

// disguise chooses another user for root, as whom PostgreSQL refuses to run, and gives them the folder.
func (p *Postgres) disguise() error {
	if os.Getuid() != 0 {
		return nil
	}
	uid, gid, err := unprivileged()
	if err != nil {
		return err
	}
	p.as = &syscall.Credential{Uid: uid, Gid: gid, NoSetGroups: true}
	return os.Chown(p.dir, int(uid), int(gid))
}

func (p *Postgres) initialise() error {
	cmd := exec.Command(filepath.Join(p.bin, "initdb"), "--no-sync", "--auth=trust", "--username=pausepoint",
		"--encoding=UTF8", "--locale=C.UTF-8", "--pgdata="+p.data())
	p.prepare(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make a PostgreSQL cluster: %w: %s", err, out)
	}
	return nil
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *Postgres) prepare(cmd *exec.Cmd) {
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as, Setpgid: true}
	endWithParent(cmd.SysProcAttr)
}

// Start starts the server, the first time or after Kill, and waits until it answers.
func (p *Postgres) Start() error {
	cmd := exec.Command(filepath.Join(p.bin, "postgres"), "-D", p.data(), "-k", p.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200",
		"-c", "shared_buffers=32MB", "-c", "autovacuum=off")
	p.prepare(cmd)
	var err error
	if p.server, err = launch(cmd); err != nil {
		return err
	}
	return p.server.await(func(ctx context.Context) error { return Run(ctx, p.url("postgres"), "SELECT 1") })
}

// Kill ends the server as a crash would: all its processes at once, nothing written, nobody told.
func (p *Postgres) Kill() error { return p.server.end(syscall.SIGQUIT) }

// Stop ends the server and removes what it kept.
func (p *Postgres) Stop() error {
	var err error
	if p.server != nil {
		err = p.server.end(syscall.SIGQUIT)
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}

// NewDatabase makes an empty database and returns its URL.
func (p *Postgres) NewDatabase(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test%d", p.count.Add(1))
	return p.url(name), Run(ctx, p.url("postgres"), "CREATE DATABASE "+name)
}

func (p *Postgres) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("pausepoint"), Path: "/" + database}
	u.RawQuery = url.Values{"host": {p.dir}}.Encode()
	return u.String()
}

// Run runs SQL in the database of a URL, behind the back of who else uses it.
func Run(ctx context.Context, database, query string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return fmt.Errorf("reach PostgreSQL: %w", err)
	}
	_, err = conn.Exec(ctx, query)
	return errors.Join(err, conn.Close(ctx))
}
