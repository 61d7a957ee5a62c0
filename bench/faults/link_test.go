package faults

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// What is sent while a link is cut arrives once it is mended, and not before.
func TestLink(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = echo.Close() })
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	l, err := NewLink("tcp", echo.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	old := dial(t, l)
	old.says(t, "before")
	l.Cut()
	late := dial(t, l)
	for _, c := range []*wire{old, late} {
		if _, err := fmt.Fprintln(c, "meanwhile"); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.lines.ReadString('\n'); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("over a link that is cut: %v", err)
		}
		if err := c.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	l.Mend()
	for _, c := range []*wire{old, late} {
		c.hears(t, "meanwhile")
		c.says(t, "after")
	}
	l.Cut()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := old.lines.ReadString('\n'); err == nil {
		t.Error("a closed link carries")
	}
}

// wire is a connection that is read by lines.
type wire struct {
	net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, l *Link) *wire {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &wire{c, bufio.NewReader(c)}
}

func (w *wire) says(t *testing.T, text string) {
	t.Helper()
	if _, err := fmt.Fprintln(w, text); err != nil {
		t.Fatal(err)
	}
	w.hears(t, text)
}

func (w *wire) hears(t *testing.T, text string) {
	t.Helper()
	if line, err := w.lines.ReadString('\n'); err != nil || line != text+"\n" {
		t.Fatalf("heard %q, %v", line, err)
	}
}
