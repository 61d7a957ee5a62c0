package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
)

// crowdPlan is one room full of people, all of whom send three layers and receive everybody. The server is a process of its own.
type crowdPlan struct {
	Members  int
	For      time.Duration
	Patience time.Duration
}

func (p crowdPlan) run(ctx context.Context) (*row, error) {
	server, err := startServer(ctx, false)
	if err != nil {
		return nil, err
	}
	r := &row{scenario: "crowd"}
	err = p.fill(ctx, r, server.addr, server.cmd.Process.Pid)
	return r, errors.Join(err, server.stop())
}

func (p crowdPlan) fill(ctx context.Context, r *row, addr string, pid int) (err error) {
	m, err := newMaker()
	if err != nil {
		return err
	}
	clients, ids, lines := make([]*client, p.Members), make([]string, p.Members), make([]*line, p.Members)
	for i := range clients {
		ids[i] = fmt.Sprintf("m%d", i)
		if clients[i], err = m.client(ids[i], webrtc.NetworkTypeUDP4); err != nil {
			return err
		}
	}
	errs := make([]error, p.Members)
	defer func() {
		each(p.Members, func(i int) {
			errs[i] = errors.Join(clients[i].failure(), clients[i].close())
			if lines[i] != nil {
				lines[i].close()
			}
		})
		err = errors.Join(append(errs, err)...)
	}()
	began := time.Now()
	each(p.Members, func(i int) {
		if lines[i], errs[i] = clients[i].dial(addr, "crowd"); errs[i] == nil {
			errs[i] = clients[i].publish(true)
		}
	})
	if err = errors.Join(errs...); err != nil {
		return err
	}
	miss := ""
	clients[0].await(p.Patience, func() bool {
		miss = missing(began, clients, ids)
		return miss == ""
	})
	if miss != "" {
		r.fail("after %v: %s", p.Patience, miss)
	}
	r.figure("%d people, %d cameras and voices, all there after %v", p.Members, p.Members*(p.Members-1)*2, time.Since(began).Round(time.Millisecond))
	return p.measure(ctx, r, clients, ids, pid)
}

// measure counts for a while.
func (p crowdPlan) measure(ctx context.Context, r *row, clients []*client, ids []string, pid int) error {
	before, began, cpu := counts(clients), time.Now(), cpuTime(pid)
	select {
	case <-time.After(p.For):
	case <-ctx.Done():
		return ctx.Err()
	}
	took := time.Since(began)
	used := cpuTime(pid) - cpu
	if miss := missing(time.Now().Add(-5*time.Second), clients, ids); miss != "" {
		r.fail("in the last 5 s: %s", miss)
	}
	n := counts(clients).less(before)
	seconds := took.Seconds()
	r.figure("voices: %.0f packets/s received, %.3f %% lost", float64(n.voice)/seconds, n.lost(false))
	r.figure("cameras: %.0f packets/s received, %.3f %% lost after retransmission, %.0f kbit/s each", float64(n.camera)/seconds,
		n.lost(true), float64(n.octets)*8/1000/seconds/float64(len(clients)*(len(clients)-1)))
	r.figure("CPU of the server: %.1f %% of a processor, %.2f %% for each member, %.1f µs for each packet received",
		100*used.Seconds()/seconds, 100*used.Seconds()/seconds/float64(len(clients)), float64(used.Microseconds())/float64(n.voice+n.camera))
	return nil
}

// count is what a crowd has received.
type count struct{ voice, voiceExpected, camera, cameraExpected, octets int64 }

func counts(clients []*client) (n count) {
	for _, c := range clients {
		c.mu.Lock()
		for name, s := range c.heard {
			if strings.HasSuffix(name, "/camera") {
				n.camera += s.unique.Load()
				n.cameraExpected += s.expected.Load()
				n.octets += s.octets.Load()
			} else {
				n.voice += s.unique.Load()
				n.voiceExpected += s.expected.Load()
			}
		}
		c.mu.Unlock()
	}
	return n
}

func (n count) less(o count) count {
	return count{
		n.voice - o.voice, n.voiceExpected - o.voiceExpected, n.camera - o.camera, n.cameraExpected - o.cameraExpected,
		n.octets - o.octets,
	}
}

func (n count) lost(camera bool) float64 {
	if camera {
		return 100 * (1 - float64(n.camera)/float64(n.cameraExpected))
	}
	return 100 * (1 - float64(n.voice)/float64(n.voiceExpected))
}

// cpuTime is what a process has used; proc(5), in ticks of 10 ms.
func cpuTime(pid int) time.Duration {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
