//go:build acme

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const acmeName = "calls.school.example"

// A server without a certificate gets one from a real ACME server (pebble, beside a DNS server that says that every name is this
// machine), keeps it over a restart, and serves pages with it.
func TestCertificateFromAnAuthority(t *testing.T) {
	cert, key := certificate(t)
	t.Setenv("SSL_CERT_FILE", cert) // the authority's own, which is asked over HTTPS
	directory, port := authority(t, cert, key)
	data := filledData(t)
	args := []string{"--addr", "127.0.0.1:" + port, "--acme-domain", acmeName, "--acme-directory", directory, "--acme-email", adminEmail}
	first := served(t, data, args)
	if again := served(t, data, args); again != first {
		t.Errorf("a restart asked for another certificate: %s, was %s", again, first)
	}
}

// served runs a server until it has shown its certificate, and returns that one's number.
func served(t *testing.T, data string, args []string) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, log, ended := newOutput(), newOutput(), make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"--media-addr", "127.0.0.1:0", "--data", data, "--log-level", "debug"}, args...), noEnv, out, log)
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	if out.match(announced, nil) == nil {
		t.Fatalf("it does not start: %s", log)
	}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", args[1], &tls.Config{ServerName: acmeName, InsecureSkipVerify: true})
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
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
	dns, listen, management, web := vacant(t), vacant(t), vacant(t), vacant(t)
	_, port, _ = net.SplitHostPort(vacant(t))
	background(t, "pebble-challtestsrv", "-dnsserver", dns, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-management", web,
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
	background(t, "pebble", "-config", file, "-dnsserver", dns)
	for deadline := time.Now().Add(patience); ; <-time.After(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", listen)
		if err == nil {
			_ = conn.Close()
			return fmt.Sprintf("https://%s/dir", listen), port
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// background runs a program of those that make test-acme has built, until the test ends.
func background(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(os.Getenv("PAUSEPOINT_TEST_ACME"), name), args...)
	said := newOutput()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", name, said)
		}
	})
}

// vacant is an address that is free now, over TCP.
func vacant(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}
