//go:build acme

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const acmeName = "calls.school.example"

// The authority's own certificate is one for all that ask it: a process reads once whom it trusts.
func TestAuthority(t *testing.T) {
	cert, key := certificate(t)
	t.Setenv("SSL_CERT_FILE", cert)
	t.Run("kept over a restart", func(t *testing.T) { certificateIsKept(t, cert, key) })
	t.Run("one for several servers", func(t *testing.T) { severalServersHaveOneCertificate(t, cert, key) })
}

// A server without a certificate gets one from a real ACME server (pebble, beside a DNS server that says that every name is this
// machine), keeps it over a restart, and serves pages with it.
func certificateIsKept(t *testing.T, cert, key string) {
	directory, port := authority(t, cert, key)
	data := filledData(t)
	addr := "127.0.0.1:" + port
	args := []string{"--data", data, "--addr", addr, "--acme-domain", acmeName, "--acme-directory", directory, "--acme-email", adminEmail}
	stop := serving(t, append([]string{"--media-addr", addr}, args...)) // the authority looks at a port that media shares
	first := shown(t, addr)
	stop()
	serving(t, args)
	if again := shown(t, addr); again != first {
		t.Errorf("a restart asked for another certificate: %s, was %s", again, first)
	}
}

// Of two servers on one database, one asks for a certificate, and the other answers when the authority looks: a balancer may have
// sent it there. Both have that certificate then.
func severalServersHaveOneCertificate(t *testing.T, cert, key string) {
	directory, port := authority(t, cert, key)
	asks, looked := vacant(t), "127.0.0.1:"+port
	d := newDeployment(t)
	for node, addr := range map[string]string{"asks": asks, "looked-at": looked} {
		serving(t, append([]string{
			"--data", t.TempDir(), "--node", node, "--addr", addr, "--acme-domain", acmeName, "--acme-directory", directory,
		}, d.args...))
	}
	first := shown(t, asks)
	if other := shown(t, looked); other != first {
		t.Errorf("the other has another certificate: %s, and not %s", other, first)
	}
}

// serving runs a server until it is stopped, or the test ends.
func serving(t *testing.T, args []string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, log, ended := newOutput(), newOutput(), make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"--media-addr", "127.0.0.1:0", "--log-level", "debug"}, args...), noEnv, out, log)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(log)
		}
	})
	t.Cleanup(stop)
	if out.match(announced, nil) == nil {
		t.Fatalf("it does not start: %s", log)
	}
	return stop
}

// shown is the number of the certificate that a server shows.
func shown(t *testing.T, addr string) string {
	t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", addr, &tls.Config{ServerName: acmeName, InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	leaf := conn.ConnectionState().PeerCertificates[0]
	if err := leaf.VerifyHostname(acmeName); err != nil || !strings.Contains(leaf.Issuer.CommonName, "Pebble") {
		t.Fatalf("the certificate is of %s: %v", leaf.Issuer, err)
	}
	return leaf.SerialNumber.String()
}

// authority starts pebble and its DNS server, and returns its directory and the port at which it looks at who asks.
func authority(t *testing.T, cert, key string) (directory, port string) {
	t.Helper()
	programs := os.Getenv("PAUSEPOINT_TEST_ACME") // which make test-acme has built
	dns, listen, management, web := vacant(t), vacant(t), vacant(t), vacant(t)
	_, port, _ = net.SplitHostPort(vacant(t))
	background(t, filepath.Join(programs, "pebble-challtestsrv"), "-dnsserver", dns, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-management", web,
		"-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": management, "certificate": cert, "privateKey": key,
		"httpPort": 1, "tlsPort": json.Number(port), "ocspResponderURL": "", "externalAccountBindingRequired": false,
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pebble.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	background(t, filepath.Join(programs, "pebble"), "-config", file, "-dnsserver", dns)
	listened(t, listen)
	return fmt.Sprintf("https://%s/dir", listen), port
}
