//go:build linux

package load_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/bench/load"
	"github.com/pausepoint/pausepoint/bench/server"
)

// measuring is long enough for a few packets, on a machine that is not too busy.
func measuring(d time.Duration) load.Timing {
	return load.Timing{Stagger: time.Millisecond, Warm: 100 * time.Millisecond, Measure: d, Drain: d, Patience: 30 * time.Second}
}

const short, long = 400 * time.Millisecond, 10 * time.Second

// serve runs a server for the test and returns where it listens.
func serve(t *testing.T, kind string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, kind, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// phases notes what a probe is told.
type phases struct{ strings.Builder }

func (p *phases) Before() { p.WriteString("before ") }
func (p *phases) Begin()  { p.WriteString("begin ") }
func (p *phases) End()    { p.WriteString("end") }

// play measures for longer and longer until everybody got video, and what was lost again: how soon that is is a matter of the machine.
func play(t *testing.T, kind string, s load.Scenario) *load.Result {
	t.Helper()
	for d := short; d < long; d *= 2 {
		if res := playFor(t, d, kind, s); res.Missing == 0 && (s.Loss == 0 || res.Recovered > 0) {
			return res
		}
	}
	t.Fatal("somebody got no video, or nothing that was lost")
	return nil
}

func playFor(t *testing.T, d time.Duration, kind string, s load.Scenario) *load.Result {
	t.Helper()
	l, err := load.New(serve(t, kind), server.Plain(kind))
	if err != nil {
		t.Fatal(err)
	}
	var p phases
	res, err := l.Run(t.Context(), s, measuring(d), &p)
	if err != nil {
		t.Fatal(err)
	}
	if p.String() != "before begin end" {
		t.Errorf("the probe was told %q", p.String())
	}
	if res.Latency.Count() != res.Delivered || res.Garbled != 0 || res.Profile == "" {
		t.Errorf("%d delivered, %d garbled, SRTP %q", res.Delivered, res.Garbled, res.Profile)
	}
	// How much comes in time is a matter of the machine, and of what the server makes of it. Of simulcast some moments come twice: a
	// server may begin a layer with a key frame that is older than the newest picture of the layer before.
	if !server.Plain(kind) && !s.Simulcast && res.Delivered > res.Expected {
		t.Errorf("%d packets came of %d", res.Delivered, res.Expected)
	}
	return res
}

func TestEveryServerPlaysALesson(t *testing.T) {
	for _, kind := range server.Kinds() {
		t.Run(kind, func(t *testing.T) {
			res := play(t, kind, load.Scenario{Rooms: 1, Members: 4, Talkers: 1, Alone: 1})
			if res.Participants != 4 || res.Subscribers != 3 || len(res.FirstVideo) != 3 || len(res.AloneVideo) != 1 || res.AloneVideo[0] == 0 {
				t.Errorf("%+v", res)
			}
		})
	}
}

func TestEverySFUPlaysRooms(t *testing.T) {
	for _, kind := range []string{"pausepoint", "pion"} {
		t.Run(kind, func(t *testing.T) {
			res := play(t, kind, load.Scenario{Rooms: 2, Members: 2, Talkers: 2, Listen: true})
			if res.Subscribers != 4 || len(res.FirstVideo) != 2 {
				t.Errorf("%+v", res)
			}
		})
	}
}

func TestEverySFUForwardsSimulcast(t *testing.T) {
	for _, kind := range []string{"pausepoint", "pion"} {
		t.Run(kind, func(t *testing.T) {
			res := play(t, kind, load.Scenario{Rooms: 1, Members: 3, Talkers: 1, Simulcast: true})
			if kind == "pion" && res.Top != 1 {
				t.Errorf("%v of the video was of the best layer", res.Top)
			}
		})
	}
}

func TestLostPacketsAreAskedForAndSentAgain(t *testing.T) {
	for _, kind := range []string{"pausepoint", "pion"} {
		t.Run(kind, func(t *testing.T) {
			res := play(t, kind, load.Scenario{Rooms: 1, Members: 4, Talkers: 1, Loss: 0.2})
			if res.Nacks == 0 {
				t.Errorf("%d packets came after no request", res.Recovered)
			}
		})
	}
}

func TestARefusalIsAnErrorAtOnce(t *testing.T) {
	l, err := load.New(serve(t, "floor-gso"), false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Run(t.Context(), load.Scenario{Rooms: 1, Members: 2, Talkers: 1}, measuring(short), &phases{})
	if err == nil || !strings.Contains(err.Error(), "join with an address and keys") {
		t.Errorf("the error is %v", err)
	}
}

func TestAnUnknownServerIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err = server.Serve(t.Context(), "nothing", l); err == nil {
		t.Error("there is a server called nothing")
	}
}
