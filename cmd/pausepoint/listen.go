package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// checkAddr accepts ":8080", "127.0.0.1:8080", "[::1]:8080" and port 0, which takes a free one.
func checkAddr(flag, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return wrong(flag, addr, "give a host and a port such as 127.0.0.1:8080, or only a port such as :8080")
	}
	if n, err := strconv.ParseUint(port, 10, 32); err != nil || n > 65535 {
		return wrong(flag, addr, "the port is a number from 0 to 65535")
	}
	if host == "" || host == "localhost" && flag == "addr" {
		return nil
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return wrong(flag, addr, "the host is an IP address of this machine, or left out for all of them")
	}
	return nil
}

// sameAddr reports whether two addresses are one port of this machine. Port 0 is another one each time.
func sameAddr(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	return portA == portB && portA != "" && portA != "0" && plainHost(hostA) == plainHost(hostB)
}

// plainHost is the host of an address to listen at; empty for all.
func plainHost(host string) string {
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return host
	case ip.IsUnspecified():
		return ""
	}
	return ip.Unmap().String()
}

// onePort reports whether pages and media share a port.
func (l listen) onePort() bool { return sameAddr(l.Addr, l.MediaAddr) }

// checkTLS refuses half a pair, and a pair that cannot be read.
func (l listen) checkTLS() error {
	switch {
	case l.TLSCert == "" && l.TLSKey == "":
		return nil
	case l.TLSKey == "":
		return wrong("tls-cert", l.TLSCert, "a certificate needs its key too, give it with --tls-key")
	case l.TLSCert == "":
		return wrong("tls-key", l.TLSKey, "a key needs its certificate too, give it with --tls-cert")
	}
	for _, file := range [][2]string{{"tls-cert", l.TLSCert}, {"tls-key", l.TLSKey}} {
		flag, path := file[0], file[1]
		if err := checkFile(flag, path); err != nil {
			return err
		}
	}
	if _, err := tls.LoadX509KeyPair(l.TLSCert, l.TLSKey); err != nil {
		return fmt.Errorf("--tls-cert and --tls-key do not go together, or are not PEM files: %w", err)
	}
	return nil
}

// checkFile refuses what is no file that this user can read.
func checkFile(flag, path string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return wrong(flag, path, "it is a folder, give the path of the PEM file in it")
	}
	if err == nil {
		_, err = os.ReadFile(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return wrong(flag, path, "there is no such file, give the path of a PEM file")
	case errors.Is(err, fs.ErrPermission):
		return wrong(flag, path, "the file cannot be read, give the server's user the right to")
	case err != nil:
		return fmt.Errorf("--%s %q cannot be read: %w", flag, path, err)
	}
	return nil
}

func (l listen) secure() bool { return l.TLSCert != "" || len(l.ACMEDomain) > 0 }

// checkACME refuses names that no authority gives a certificate for.
func (l listen) checkACME() error {
	if l.TLSCert != "" && len(l.ACMEDomain) > 0 {
		return wrong("acme-domain", l.ACMEDomain[0], "there is a certificate in --tls-cert already, leave out one of them")
	}
	for _, name := range l.ACMEDomain {
		if _, err := netip.ParseAddr(name); err == nil || !domainName.MatchString(name) {
			return wrong("acme-domain", name, "give a whole name such as calls.example.org")
		}
	}
	if l.ACMEEmail != "" && len(l.ACMEDomain) == 0 {
		return wrong("acme-email", l.ACMEEmail, "it comes besides --acme-domain, give that too")
	}
	if u, err := url.Parse(l.ACMEDirectory); err != nil || u.Scheme != "https" || u.Host == "" {
		return wrong("acme-directory", l.ACMEDirectory, "give the https address of the authority's directory")
	}
	return nil
}

var domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$`)

// open listens for pages. A port that is taken is the usual reason why it cannot.
func (l listen) open() (net.Listener, error) {
	ln, err := net.Listen("tcp", l.Addr)
	if err != nil {
		return nil, explainListen("addr", l.Addr, err)
	}
	return ln, nil
}

func explainListen(flag, addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("--%s %s is in use by another program: stop that program, or choose another port with --%s (or %s)", flag, addr, flag, envName(flag))
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("--%s %s needs more rights than this user has: choose a port above 1023 with --%s (or %s)", flag, addr, flag, envName(flag))
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("--%s %s is no address of this machine: choose one that it has, or only a port, with --%s (or %s)", flag, addr, flag, envName(flag))
	}
	return fmt.Errorf("--%s %s cannot be listened on: %w", flag, addr, err)
}

// announce prints where the server can be opened, and what works there.
func announce(out io.Writer, l listen, bound net.Addr, public string, setup string) {
	scheme := "http"
	if l.secure() {
		scheme = "https"
	}
	port := 0
	if tcp, ok := bound.(*net.TCPAddr); ok {
		port = tcp.Port
	}
	local, others := reach(l.Addr)
	first := fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(local, strconv.Itoa(port)))
	var b strings.Builder
	b.WriteString("Pausepoint is ready.\n\n")
	if public != "" {
		fmt.Fprintf(&b, "  %s  for everybody\n", public)
	}
	fmt.Fprintf(&b, "  %s  on this computer\n", first)
	for _, host := range others {
		fmt.Fprintf(&b, "  %s://%s  from other computers in the network\n", scheme, net.JoinHostPort(host, strconv.Itoa(port)))
	}
	if len(others) > 0 && !l.secure() && !strings.HasPrefix(public, "https:") {
		b.WriteString("\nBrowsers give camera and microphone to secure pages only. Over plain http that is this computer alone:\n" +
			"for calls from other computers start with --tls-cert and --tls-key, or with --acme-domain, or put a proxy with HTTPS before it.\n")
	}
	if setup != "" {
		base := first
		if public != "" {
			base = public
		}
		fmt.Fprintf(&b, "\nNobody has an account yet. Make the first one here; the link works once:\n\n  %s/setup#%s\n", base, setup)
	}
	_, _ = io.WriteString(out, b.String()+"\n")
}

// reach tells by which hosts an address is reached: on this machine, and from others.
func reach(addr string) (local string, others []string) {
	host, _, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && ip.IsUnspecified():
		return "localhost", machineAddrs()
	case err != nil || ip.IsLoopback():
		return host, nil
	}
	return host, []string{host}
}

func machineAddrs() []string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []string
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		if ip := prefix.Addr().Unmap(); ip.Is4() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			out = append(out, ip.String())
		}
	}
	return out
}

func newLog(w io.Writer, c common) (*slog.Logger, error) {
	var level slog.Level
	switch c.LogLevel {
	case "debug":
		level = slog.LevelDebug
	case "info":
		level = slog.LevelInfo
	case "warn":
		level = slog.LevelWarn
	case "error":
		level = slog.LevelError
	default:
		return nil, wrong("log-level", c.LogLevel, "choose debug, info, warn or error")
	}
	options := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, wrong("log-format", c.LogFormat, "choose text or json")
}
