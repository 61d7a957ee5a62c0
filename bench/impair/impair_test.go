package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

func TestLinkKeepsItsRateAndDropsWhatWouldWait(t *testing.T) {
	l := newLink(1)
	l.change(Conditions{RateKbps: 300, QueueMS: 200}, 0)
	for now := time.Duration(0); now < 10*time.Second; now += 5 * time.Millisecond { // 1.6 Mbit/s
		if at, ok := l.pass(1000-headers, now); ok && at-now > 200*time.Millisecond+30*time.Millisecond {
			t.Fatalf("a packet waits %v", at-now)
		}
	}
	if rate := float64(l.counts.Passed) * 8000 / 10; rate < 295_000 || rate > 310_000 {
		t.Errorf("%.0f bit/s passed, want 300000", rate)
	}
	if l.counts.Overflow == 0 || l.counts.Lost != 0 {
		t.Errorf("counts %+v", l.counts)
	}
}

func TestLinkLoses(t *testing.T) {
	l := newLink(2)
	l.change(Conditions{Loss: 0.05}, 0)
	for i := range 100_000 {
		l.pass(100, time.Duration(i)*time.Millisecond)
	}
	if lost := float64(l.counts.Lost) / 100_000; lost < 0.047 || lost > 0.053 {
		t.Errorf("%.3f lost, want 0.05", lost)
	}
}

func TestLinkLosesInBursts(t *testing.T) {
	l := newLink(3)
	l.change(Conditions{BurstMS: 200, BurstEveryMS: 4000}, 0)
	longest, run := 0, 0
	for i := range 100_000 {
		if _, ok := l.pass(100, time.Duration(i)*time.Millisecond); ok {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	if longest < 199 || longest > 201 {
		t.Errorf("the longest burst was %d ms, want 200", longest)
	}
	if part := float64(l.counts.Lost) / 100_000; part < 0.03 || part > 0.07 {
		t.Errorf("%.3f of the time in bursts, want about 0.048", part)
	}
}

func TestJitterReordersOnlyWhereAsked(t *testing.T) {
	for _, reorder := range []bool{false, true} {
		l := newLink(4)
		l.change(Conditions{DelayMS: 50, JitterMS: 50, Reorder: reorder}, 0)
		last, swapped := time.Duration(0), 0
		for i := range 1000 {
			now := time.Duration(i) * 5 * time.Millisecond
			at, _ := l.pass(100, now)
			if at < now+50*time.Millisecond {
				t.Fatalf("a packet took %v", at-now)
			}
			if at < last {
				swapped++
			}
			last = at
		}
		if (swapped > 0) != reorder {
			t.Errorf("reorder %v: %d packets were overtaken", reorder, swapped)
		}
	}
}

// TestProxy sends through the whole command.
func TestProxy(t *testing.T) {
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := server.ReadFromUDP(buf)
			if err != nil {
				return
			}
			_, _ = server.WriteToUDP(buf[:n], from)
		}
	}()
	orders, in := io.Pipe()
	out, answers := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run([]string{"-target", server.LocalAddr().String()}, orders, answers) }()
	lines := bufio.NewScanner(out)
	read := func(into any) {
		t.Helper()
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), into) != nil {
			t.Fatalf("unexpected answer %q", lines.Text())
		}
	}
	var at struct{ Port int }
	read(&at)
	client, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", at.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	var counts answer
	fmt.Fprintln(in, `{"up":{"delay":20},"down":{"delay":20}}`)
	read(&counts)
	began := time.Now()
	echo(t, client, "here")
	if took := time.Since(began); took < 40*time.Millisecond {
		t.Errorf("there and back took %v, want at least 40ms", took)
	}
	fmt.Fprintln(in, `{"up":{"loss":1}}`)
	read(&counts)
	for range 20 {
		if _, err = client.Write([]byte("lost")); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintln(in, `{"up":{}}`)
	read(&counts)
	echo(t, client, "back")
	fmt.Fprintln(in, `{}`)
	read(&counts)
	if counts.Up.Lost+counts.Up.Passed != 22 || counts.Down.Passed != counts.Up.Passed {
		t.Errorf("counts %+v", counts)
	}
	in.Close()
	if err = <-ended; err != nil {
		t.Error(err)
	}
}

func echo(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 100)
	for {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if string(buf[:n]) == text {
			return
		}
	}
}
