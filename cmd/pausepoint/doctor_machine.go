package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"time"
)

// How much room a disk should have: below the first the recorder stops soon, below the second a lesson or two fill it.
const (
	leastRoom  = 2 << 30
	littleRoom = 20 << 30
)

// renewBefore is how long before its end a certificate should have been renewed.
const renewBefore = 14 * 24 * time.Hour

func checkFFmpeg(ctx context.Context, ffmpeg string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for _, program := range []string{ffmpeg, ffprobeBeside(ffmpeg)} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("the program %s is missing: install ffmpeg (on Debian: apt install ffmpeg), or name it with --ffmpeg (or %s)", program, envName("ffmpeg"))
		}
	}
	encoders, err := exec.CommandContext(ctx, ffmpeg, "-v", "error", "-encoders").Output()
	if err != nil {
		return fmt.Errorf("the program %s does not run: install ffmpeg again (on Debian: apt install --reinstall ffmpeg): %w", ffmpeg, err)
	}
	for _, need := range []string{"libx264", "aac"} {
		if !bytes.Contains(encoders, []byte(" "+need+" ")) {
			return fmt.Errorf("this ffmpeg cannot make %s: install one that can (on Debian: apt install ffmpeg), or name it with --ffmpeg (or %s)", need, envName("ffmpeg"))
		}
	}
	return nil
}

// checkData does not take the lock: a server may be running.
func checkData(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("--data %s cannot be made: choose a folder that this user may write to, with --data (or %s)", dir, envName("data"))
	}
	return checkWritable(dir)
}

func checkRoom(dir string, free func(dir string) (int64, error)) error {
	left, err := free(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return advice{"How much room the disk has is not known on this system: see that it has 20 GB or more"}
	case errors.Is(err, fs.ErrNotExist):
		return advice{"How much room there is is known once the data folder can be made"}
	case err != nil:
		return fmt.Errorf("the disk of --data %s does not say how much room it has: %w", dir, err)
	case left < leastRoom:
		return fmt.Errorf("the disk of --data %s has only %d MB left: make room, or choose a folder on another disk with --data (or %s)", dir, left>>20, envName("data"))
	case left < littleRoom:
		return advice{fmt.Sprintf("The disk of --data %s has %d GB left, which a few lessons and recordings fill: make room soon", dir, left>>30)}
	}
	return nil
}

func checkPort(network, flag, addr string) error {
	if network == "udp" {
		conn, err := net.ListenPacket("udp", addr)
		if err != nil {
			return explainListen(flag, addr, err)
		}
		return conn.Close()
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return explainListen(flag, addr, err)
	}
	return ln.Close()
}

// checkCertificate looks at what browsers will look at: dates, and the names by which they come.
func checkCertificate(d doctorFlags) error {
	if !d.secure() {
		return advice{"Without --acme-domain, or --tls-cert and --tls-key, camera and microphone work on this computer alone, or behind a proxy with HTTPS"}
	}
	if d.TLSCert == "" {
		return nil // the authority looks at the name, and dates are kept
	}
	pair, err := tls.LoadX509KeyPair(d.TLSCert, d.TLSKey)
	if err != nil {
		return fmt.Errorf("--tls-cert and --tls-key cannot be read: %w", err)
	}
	return checkLeaf(pair.Leaf, d, time.Now())
}

func checkLeaf(leaf *x509.Certificate, d doctorFlags, now time.Time) error {
	const day = "2 January 2006"
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("the certificate --tls-cert ended on %s: renew it", leaf.NotAfter.Format(day))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("the certificate --tls-cert begins on %s: set this machine's clock, or wait until then", leaf.NotBefore.Format(day))
	}
	if host := d.publicHost(); host != "" && leaf.VerifyHostname(host) != nil {
		return fmt.Errorf("the certificate --tls-cert is not for %s: get one for the name that people open, or give that name with --public-url (or %s)", host, envName("public-url"))
	}
	if host := d.turnFlags.host(d.listen, d.clusterFlags); host != "" && d.secureAddr(d.listen) != "" && leaf.VerifyHostname(host) != nil {
		return fmt.Errorf("the certificate --tls-cert is not for %s, where browsers are told to reach TURN over TLS: get one that is for this server's own name too, and give that name with --turn-host (or %s)", host, envName("turn-host"))
	}
	if left := leaf.NotAfter.Sub(now); left < renewBefore {
		return advice{fmt.Sprintf("The certificate --tls-cert ends in %d days, on %s: renew it", int(left.Hours()/24), leaf.NotAfter.Format(day))}
	}
	return nil
}
