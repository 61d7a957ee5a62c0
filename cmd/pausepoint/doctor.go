package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"time"
)

// errUnwell says that doctor found something; what, it has printed.
var errUnwell = errors.New("something is missing; see above for what to do")

// finding is one thing that was looked at.
type finding struct {
	what string
	err  error
}

// doctor looks at what the server needs and prints a sentence about each.
func doctor(ctx context.Context, f flags, out io.Writer) error {
	findings := []finding{
		{"Clips can be prepared with ffmpeg.", checkFFmpeg(ctx, f.Common.FFmpeg)},
		{"The data folder can be written to.", checkData(f.Common.Data)},
		{"The port for pages is free.", checkPort("tcp", "addr", f.Doctor.Addr)},
		{"The port for media is free (UDP).", checkPort("udp", "media-addr", f.Doctor.MediaAddr)},
		{"The port for media is free (TCP).", checkPort("tcp", "media-addr", f.Doctor.MediaAddr)},
	}
	var bad error
	for _, found := range findings {
		if found.err == nil {
			_, _ = fmt.Fprintf(out, "ok       %s\n", found.what)
			continue
		}
		bad = errUnwell
		_, _ = fmt.Fprintf(out, "missing  %v.\n", found.err)
	}
	if !f.Doctor.secure() {
		_, _ = fmt.Fprintln(out, "note     Without --tls-cert and --tls-key, camera and microphone work on this computer alone, or behind a proxy with HTTPS.")
	}
	return bad
}

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
