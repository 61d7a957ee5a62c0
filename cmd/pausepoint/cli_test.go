package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// runWith runs to the end and returns what was printed.
func runWith(t *testing.T, env map[string]string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, errs := newOutput(), newOutput()
	err = run(ctx, args, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, out, errs)
	return out.String(), errs.String(), err
}

// Every flag is explained, with its default and its environment variable.
func TestHelp(t *testing.T) {
	help, _, err := runWith(t, nil, "--help")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/help.txt")
	if err != nil {
		t.Fatal(err)
	}
	if help != string(golden) {
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "help.txt"), []byte(help), 0o600); err != nil {
			t.Log(err)
		}
		t.Errorf("the help has changed; look at it, then keep it with: go run ./cmd/pausepoint --help | cat > cmd/pausepoint/testdata/help.txt\n%s", help)
	}
	for _, command := range []string{"doctor", "forget-node", "loadtest"} {
		of, _, err := runWith(t, nil, command, "--help")
		if err != nil {
			t.Fatal(err)
		}
		help += of
	}
	var f flags
	parser, err := kong.New(&f, kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range append([]*kong.Node{parser.Model.Node}, parser.Model.Children...) {
		for _, flag := range node.Flags {
			if flag.Name == "help" {
				continue
			}
			if !strings.Contains(help, flag.Name) || !strings.Contains(help, "($"+envName(flag.Name)+")") {
				t.Errorf("--%s and %s are not explained", flag.Name, envName(flag.Name))
			}
		}
	}
}

// A wrong value is refused at the start, with a sentence that names the flag and says what would be right.
func TestWrongValues(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("no folder, no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	cert, key := certificate(t)
	free := []string{"--data", filepath.Join(dir, "data"), "--addr", "127.0.0.1:0", "--media-addr", "127.0.0.1:0"}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--addr", "here"}, `--addr .*such as 127\.0\.0\.1:8080`},
		{[]string{"--addr", ":70000"}, `--addr .*from 0 to 65535`},
		{[]string{"--addr", "example.org:80"}, `--addr .*IP address`},
		{[]string{"--media-addr", "localhost:7882"}, `--media-addr .*IP address`},
		{[]string{"--tls-cert", file}, `--tls-key`},
		{[]string{"--tls-key", file}, `--tls-cert`},
		{[]string{"--tls-cert", file + ".pem", "--tls-key", file}, `--tls-cert .*no such file`},
		{[]string{"--tls-cert", filepath.Dir(file), "--tls-key", file}, `--tls-cert .*folder`},
		{[]string{"--tls-cert", file, "--tls-key", filepath.Dir(file)}, `--tls-key .*folder`},
		{[]string{"--tls-cert", file, "--tls-key", file}, `--tls-cert and --tls-key .*PEM`},
		{[]string{"--acme-domain", "calls"}, `--acme-domain .*such as calls\.example\.org`},
		{[]string{"--acme-domain", "192.0.2.1"}, `--acme-domain .*such as calls\.example\.org`},
		{[]string{"--acme-domain", "*.example.org"}, `--acme-domain .*such as calls\.example\.org`},
		{[]string{"--acme-email", "ana@school.example"}, `--acme-email .*--acme-domain`},
		{[]string{"--acme-domain", "calls.example.org", "--acme-directory", "http://here"}, `--acme-directory .*https`},
		{[]string{"--acme-domain", "calls.example.org", "--tls-cert", file, "--tls-key", file}, `--acme-domain .*--tls-cert`},
		{[]string{"--public-ip", "example.org"}, `--public-ip .*such as 203\.0\.113\.7`},
		{[]string{"--public-url", "calls.example.org"}, `--public-url .*https://calls\.example\.org`},
		{[]string{"--public-url", "https://calls.example.org/path"}, `--public-url .*without a path`},
		{[]string{"--turn-addr", "3478"}, `--turn-addr .*host and a port`},
		{[]string{"--turn-tls-addr", ":5349"}, `--turn-tls-addr .*--tls-cert`},
		{[]string{"--turn-addr", "0.0.0.0:8080"}, `--turn-addr .*port of its own.*--turn-tls-addr`},
		{[]string{"--turn-addr", ":7882"}, `--turn-addr .*port of its own.*--turn-tls-addr`},
		{[]string{"--acme-domain", "calls.example.org", "--turn-tls-addr", ":7882"}, `--turn-tls-addr .*with pages and media`},
		{[]string{"--acme-domain", "calls.example.org", "--turn-addr", ":3478", "--turn-tls-addr", ":3478"}, `--turn-tls-addr .*one of its own`},
		{[]string{"--turn-peer", "10.0.0.1"}, `--turn-peer .*10\.1\.2\.0/24`},
		{[]string{"--metrics-addr", "9090"}, `--metrics-addr .*host and a port`},
		{[]string{"--otlp", "127.0.0.1:4318"}, `--otlp .*such as http://127\.0\.0\.1:4318`},
		{[]string{"--redis", "redis://:hidden@here"}, `--redis .*--database`},
		{[]string{"doctor", "--redis", "redis://here"}, `--redis .*--database`},
		{[]string{"--max-connections", "0"}, `--max-connections .*from 1 up`},
		{[]string{"--max-connections-per-address=-1"}, `--max-connections-per-address .*from 1 up`},
		{[]string{"--log-level", "loud"}, `--log-level .*debug, info, warn or error`},
		{[]string{"--log-format", "xml"}, `--log-format .*text or json`},
		{[]string{"--database", "mysql://here/x"}, `--database .*such as postgres://`},
		{[]string{"--database", "postgres://user:hidden@here"}, `--database .*such as postgres://`},
		{[]string{"--database", "postgres://user:hidden@here:x/y"}, `--database .*such as postgres://`},
		{[]string{"--blobs", "bucket"}, `--blobs .*such as s3://`},
		{[]string{"--blobs", "s3://key:hidden@bucket"}, `--blobs .*AWS_SECRET_ACCESS_KEY`},
		{[]string{"--blobs", "s3://bucket?endpoint=here"}, `--blobs .*endpoint=https://`},
		{[]string{"--blobs", "s3://bucket?password=hidden"}, `--blobs .*such as s3://`},
		{append(free, "--database", "postgres://user:hidden@127.0.0.1:1/x"), `--database.*pausepoint doctor`},
		{[]string{"--colour"}, `--colour.*--help`},
		{append(free, "--data", file), `--data .*choose a folder`},
		{append(free, "--data", ""), `--data .*folder`},
		{append(free, "--addr", taken.Addr().String()), `--addr .*in use.*another port`},
		{append(free, "--media-addr", taken.Addr().String()), `--media-addr .*in use.*another port`},
		{append(free, "--turn-addr", taken.Addr().String()), `--turn-addr .*in use.*another port`},
		{append(free, "--turn-tls-addr", taken.Addr().String(), "--tls-cert", cert, "--tls-key", key), `--turn-tls-addr .*in use.*another port`},
		{append(free, "--metrics-addr", taken.Addr().String()), `--metrics-addr .*in use.*another port`},
		{append(free, "--addr", "192.0.2.1:0"), `--addr .*no address of this machine`},
		{append(free, "--ffmpeg", file+"/ffmpeg"), `ffmpeg.*apt install ffmpeg.*--ffmpeg`},
		{[]string{"doctor", "--ffmpeg", file + "/ffmpeg", "--data", dir, "--addr", "127.0.0.1:0", "--media-addr", "127.0.0.1:0"}, `see above`},
	} {
		_, stderr, err := runWith(t, nil, c.args...)
		if err == nil || !regexp.MustCompile(c.says).MatchString(stderr) {
			t.Errorf("%v: %v\n%s\nwant %s", c.args, err, stderr, c.says)
		}
		if strings.Contains(stderr, "hidden") {
			t.Errorf("%v tells the password: %s", c.args, stderr)
		}
	}
	if _, stderr, err := runWith(t, map[string]string{"PAUSEPOINT_LOG_LEVEL": "loud"}); err == nil || !strings.Contains(stderr, "PAUSEPOINT_LOG_LEVEL") {
		t.Errorf("environment: %v %s", err, stderr)
	}
}

func TestDoctor(t *testing.T) {
	free := []string{"doctor", "--data", t.TempDir(), "--addr", "127.0.0.1:0", "--media-addr", "127.0.0.1:0"}
	stdout, _, err := runWith(t, nil, free...)
	if err != nil || strings.Count(stdout, "ok  ") < 5 || strings.Contains(stdout, "missing") {
		t.Errorf("%v\n%s", err, stdout)
	}
	stdout, _, err = runWith(t, nil, append(free, "--ffmpeg", "no-such-ffmpeg")...)
	if !errors.Is(err, errUnwell) || !strings.Contains(stdout, "apt install ffmpeg") {
		t.Errorf("%v\n%s", err, stdout)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hidden")
	away := append(free, "--database", "postgres://user:hidden@127.0.0.1:1/x", "--blobs", "s3://bucket?endpoint=http://127.0.0.1:1",
		"--redis", "redis://:hidden@127.0.0.1:1")
	stdout, _, err = runWith(t, map[string]string{}, away...)
	if !errors.Is(err, errUnwell) || !strings.Contains(stdout, "--database") || !strings.Contains(stdout, "--blobs") ||
		!strings.Contains(stdout, "--redis") || strings.Contains(stdout, "hidden") {
		t.Errorf("%v\n%s", err, stdout)
	}
}

// Two servers never write to one folder.
func TestOneServerPerFolder(t *testing.T) {
	s := start(t, t.TempDir())
	_, stderr, err := runWith(t, nil, "--addr", "127.0.0.1:0", "--media-addr", "127.0.0.1:0", "--data", s.data)
	if err == nil || !strings.Contains(stderr, "in use by another Pausepoint") {
		t.Errorf("%v: %s", err, stderr)
	}
}

// With a certificate pages are served over HTTPS, and the cookie never leaves it.
func TestTLS(t *testing.T) {
	cert, key := certificate(t)
	s := start(t, filledData(t), "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatalf("announced: %s", s.stdout)
	}
	b := newBrowser(t, s)
	res, text := b.do("POST", "/api/signin", map[string]string{"email": adminEmail, "password": adminPassword})
	if res.StatusCode != 200 || len(res.Cookies()) != 1 {
		t.Fatalf("%d %s", res.StatusCode, text)
	}
	if c := res.Cookies()[0]; !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie: %+v", c)
	}
}

func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

var insecure = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // a test's own certificate

// What is announced fits how the server is reached.
func TestAnnounce(t *testing.T) {
	for _, c := range []struct {
		l      listen
		public string
		says   []string
		not    []string
	}{
		{listen{Addr: "127.0.0.1:8080"}, "", []string{"http://127.0.0.1:8080  on this computer"}, []string{"other computers", "secure"}},
		{listen{Addr: ":8080"}, "https://calls.example.org", []string{"https://calls.example.org  for everybody", "https://calls.example.org/setup#T"}, []string{"--tls-cert"}},
		{listen{Addr: "0.0.0.0:8080", TLSCert: "x"}, "", []string{"https://localhost:8080/setup#T"}, []string{"--tls-cert"}},
		{listen{Addr: "203.0.113.7:8080"}, "", []string{"http://203.0.113.7:8080", "camera and microphone"}, nil},
	} {
		out := newOutput()
		announce(out, c.l, &net.TCPAddr{Port: 8080}, c.public, "T")
		for _, text := range c.says {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%+v does not say %q:\n%s", c.l, text, out)
			}
		}
		for _, text := range c.not {
			if strings.Contains(out.String(), text) {
				t.Errorf("%+v says %q:\n%s", c.l, text, out)
			}
		}
	}
}
