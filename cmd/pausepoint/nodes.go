package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/pausepoint/pausepoint/cluster"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/store"
)

// clusterFlags make one of many servers.
type clusterFlags struct {
	Redis  string `placeholder:"URL" help:"Redis by which several servers on one database find each other: redis://host:6379. Each runs some of the calls, and people may come to any of them. It needs --database."`
	Node   string `placeholder:"NAME" help:"Name of this server among several: unique, and the same after a restart. Without it one is made up and kept in the data folder."`
	Host   string `name:"node-host" placeholder:"HOST" help:"Name or address by which the other servers reach the pages of this one, in a network of their own. Those who only watch a call get sound and pictures from the server that they came to, then, which fetches them once; without it from the call's server. And while Redis is away, people come into their calls by whichever server they reach."`
	Region string `placeholder:"LABEL" help:"Where this server is, in a word. Calls are rather run in the region of who opens them."`
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

func (c clusterFlags) check(kept common) error {
	if c.Redis != "" && kept.Database == "" {
		return wrong("redis", "redis://…", "several servers share one PostgreSQL database, name it with --database")
	}
	if err := cluster.CheckURL(c.Redis); c.Redis != "" && err != nil {
		return fmt.Errorf("--redis is not possible: %w (or set %s)", err, envName("redis"))
	}
	if _, err := netip.ParseAddr(c.Host); err != nil && c.Host != "" && !plainName.MatchString(c.Host) {
		return wrong("node-host", c.Host, "give a name or an IP address, without a port")
	}
	for flag, value := range map[string]string{"node": c.Node, "region": c.Region, "node-host": c.Host} {
		if flag != "node-host" && value != "" && !plainName.MatchString(value) {
			return wrong(flag, value, "use letters, digits, dots, hyphens and underscores, up to a hundred")
		}
		if value != "" && c.Redis == "" {
			return wrong(flag, value, "it is for several servers, name their Redis with --redis")
		}
	}
	return nil
}

func checkRedis(ctx context.Context, address string) error {
	if err := cluster.Reach(ctx, address); err != nil {
		return fmt.Errorf("the Redis server cannot be used: look that it is there, that its address and password in --redis (or %s) are right, and that this user of it may use scripts, channels and keys that begin with pausepoint: %w", envName("redis"), err)
	}
	return nil
}

// openStore opens the store of the only server, or of one that is known to the others by then: its name is nobody else's.
func (h *house) openStore(ctx context.Context, f flags, pages net.Addr) (*store.Store, error) {
	if f.Serve.Redis == "" {
		return h.openStoreAs(ctx, f, "")
	}
	name, err := f.Serve.nodeName(f.Common.Data)
	if err != nil {
		return nil, err
	}
	node, err := cluster.New(cluster.Config{
		URL: f.Serve.Redis, Name: name, Region: f.Serve.Region, Pages: f.Serve.nodeURL(pages), Capacity: f.Serve.MaxConnections, Log: h.log,
	})
	if err != nil {
		return nil, err
	}
	if err := node.Join(ctx); err != nil {
		return nil, errors.Join(err, node.Close(ctx))
	}
	st, err := h.openStoreAs(ctx, f, name)
	if err != nil {
		return nil, errors.Join(err, node.Close(ctx))
	}
	h.node = node
	h.later(node.Close)
	key, err := st.Secret(ctx, "nodes")
	if err != nil {
		return nil, err
	}
	node.Trust(key)
	h.log.Info("one of several servers", slog.String("node", name), slog.String("region", f.Serve.Region))
	if err := checkShared(f.Common); err != nil {
		h.log.Warn("several servers without a bucket", slog.Any("err", err))
	}
	return st, nil
}

func (h *house) openStoreAs(ctx context.Context, f flags, node string) (*store.Store, error) {
	st, err := store.Open(ctx, f.Common.store(h.log, node))
	if err != nil {
		return nil, explainStore(f.Common, err)
	}
	h.later(func(context.Context) error { return st.Close() })
	return st, nil
}

// name is what this server is called among several; empty for the only one.
func (h *house) name() string {
	if h.node == nil {
		return ""
	}
	return h.node.Name()
}

// owned is a journal whose sessions are owned where they are placed, if there are several servers.
func (h *house) owned(journal room.Journal, st *store.Store) room.Journal {
	if h.node == nil {
		return journal
	}
	return h.node.Journal(journal, st)
}

// nodeURL is how the other servers reach this one's pages, which are served at an address; "" if they do not.
func (s serveFlags) nodeURL(bound net.Addr) string {
	tcp, ok := bound.(*net.TCPAddr)
	if s.Host == "" || !ok {
		return ""
	}
	scheme := "http"
	if s.secure() {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(s.Host, strconv.Itoa(tcp.Port))
}

func (c clusterFlags) nodeName(data string) (string, error) {
	if c.Node != "" {
		return c.Node, nil
	}
	return nameOf(data)
}

// nameOf is the name that is kept in a data folder, made at the first time.
func nameOf(data string) (string, error) {
	path := filepath.Join(data, "node")
	b, err := os.ReadFile(path)
	if name := strings.TrimSpace(string(b)); err == nil && plainName.MatchString(name) {
		return name, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the name of this server: %w", err)
	}
	host, _ := os.Hostname()
	if !plainName.MatchString(host) {
		host = "node"
	}
	name := fmt.Sprintf("%.60s-%s", host, strings.ToLower(rand.Text()[:8]))
	if err := os.WriteFile(path, []byte(name+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the name of this server: %w", err)
	}
	return name, nil
}

// drain hands the calls to other servers, if there are any.
func (h *house) drain(ctx context.Context) {
	if h.node == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, drainWithin)
	defer cancel()
	h.server.Drain()
	h.node.Drain(ctx)
}
