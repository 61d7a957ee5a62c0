package media

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Engine is what all peers of a process share: a certificate, a clock and the period over which is measured.
type Engine struct {
	id     *identity
	host   netip.Addr
	near   netip.Addr
	period period

	mu    sync.Mutex
	links map[*link]struct{}
}

// New makes an engine whose sockets are bound to host, an IPv4 address; 0.0.0.0 reaches every server. Of the addresses of a server that
// has several, near is preferred.
func New(host, near netip.Addr) (*Engine, error) {
	id, err := newIdentity()
	return &Engine{id: id, host: host, near: near, links: make(map[*link]struct{})}, err
}

// Measure counts from now on what is sent within d.
func (e *Engine) Measure(d time.Duration) {
	now := time.Now()
	e.period.until.Store(now.Add(d).UnixNano())
	e.period.from.Store(now.UnixNano())
}

// Run is the engine's clock, until ctx ends.
func (e *Engine) Run(ctx context.Context) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		e.mu.Lock()
		links := make([]*link, 0, len(e.links))
		for k := range e.links {
			links = append(links, k)
		}
		e.mu.Unlock()
		now := time.Now()
		for _, k := range links {
			k.tick(now)
		}
	}
}

// link opens a connection that the clock ticks.
func (e *Engine) link(ctx context.Context, m media) (*link, error) {
	k, err := newLink(ctx, e.id, e.host, m)
	if err != nil {
		return nil, err
	}
	k.near = e.near
	e.mu.Lock()
	defer e.mu.Unlock()
	e.links[k] = struct{}{}
	return k, nil
}

func (e *Engine) forget(k *link) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.links, k)
}

func newIdentity() (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "load"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	hex := make([]string, len(sum))
	for i, b := range sum {
		hex[i] = fmt.Sprintf("%02X", b)
	}
	return &identity{
		cert:        tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		fingerprint: "sha-256 " + strings.Join(hex, ":"),
	}, nil
}
