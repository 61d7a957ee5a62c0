package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pausepoint/pausepoint/bench/server"
)

// serveFlag makes the command a server in a process of its own, so that what it uses can be told from what the clients use.
const serveFlag = "-serve-on-fd-3"

// burnFlag makes the command a process that eats a processor, until its standard input ends.
const burnFlag = "-burn"

// dead is how many goroutines there are at the same time before each measurement. The runtime keeps what it has allocated for the most
// that there ever were, and for the channels that the newest waited for; otherwise that would look like a leak.
const dead = 4000

// state is what a server must not gather.
type state struct {
	Goroutines int
	Heap       uint64 // bytes that are alive
	Dead       uint64 // bytes of them that the runtime keeps for dead goroutines
}

// own is what is not the runtime's.
func (s state) own() uint64 { return s.Heap - s.Dead }

// process is this command as a server. One goroutine uses it.
type process struct {
	cmd  *exec.Cmd
	addr string
	ask  *json.Encoder
	says *json.Decoder
}

// measurement is asked for on the server's standard input, and answered with a measured on its standard output.
type measurement struct{ Profile string } // where profiles go, without their ending; empty for none

// measured is a state, or what went wrong.
type measured struct {
	State state
	Error string
}

// startServer runs this command as a server, which says where its memory is if precise.
func startServer(ctx context.Context, precise bool) (*process, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	defer l.Close() //nolint:errcheck // the child has its own
	f, err := l.File()
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // the child has its own
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, serveFlag) //nolint:gosec // itself
	cmd.ExtraFiles, cmd.Stderr = []*os.File{f}, os.Stderr
	if precise {
		cmd.Env = append(os.Environ(), "GODEBUG=memprofilerate=256")
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &process{cmd: cmd, addr: l.Addr().String(), ask: json.NewEncoder(in), says: json.NewDecoder(out)}, cmd.Start()
}

// measure waits until nothing goes on in the server any more.
func (p *process) measure(profile string) (state, error) {
	var m measured
	if err := p.ask.Encode(measurement{Profile: profile}); err != nil {
		return state{}, fmt.Errorf("ask the server to measure: %w", err)
	}
	if err := p.says.Decode(&m); err != nil {
		return state{}, fmt.Errorf("read what the server measured: %w", err)
	}
	if m.Error != "" {
		return state{}, errors.New("the server cannot measure: " + m.Error)
	}
	return m.State, nil
}

func (p *process) stop() error {
	return errors.Join(p.cmd.Process.Signal(os.Interrupt), p.cmd.Wait())
}

// serve answers on the listener that the parent has opened.
func serve(ctx context.Context) error {
	l, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	go answer(os.Stdin, os.Stdout)
	return server.Serve(ctx, "pausepoint", l)
}

// answer measures whenever it is asked to, until whoever asks is gone.
func answer(in io.Reader, out io.Writer) {
	asked, says := json.NewDecoder(in), json.NewEncoder(out)
	var kept uint64
	for first := true; ; first = false {
		var m measurement
		if err := asked.Decode(&m); err != nil {
			return
		}
		before := settle()
		bury(dead)
		s := settle()
		if first {
			kept = max(s.Heap, before.Heap) - before.Heap
		}
		s.Dead = kept
		told := measured{State: s}
		if m.Profile != "" {
			if err := profile(m.Profile); err != nil {
				told.Error = err.Error()
			}
		}
		if err := says.Encode(told); err != nil {
			return
		}
	}
}

// bury has n goroutines that wait at the same time, and end.
func bury(n int) {
	var all sync.WaitGroup
	end := make(chan struct{})
	for range n {
		all.Go(func() { <-end })
	}
	close(end)
	all.Wait()
}

// settle waits until nothing goes on any more, and measures.
func settle() state {
	var s state
	quiet := 0
	for quiet < 10 { // nothing ended for a second, or it is not going to
		n := runtime.NumGoroutine()
		if n == s.Goroutines {
			quiet++
		} else {
			s.Goroutines, quiet = n, 0
		}
		time.Sleep(100 * time.Millisecond)
	}
	for range 4 { // finalizers, and pools in two steps
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	s.Heap = stats.HeapAlloc
	return s
}

func profile(path string) error {
	for _, kind := range []string{"heap", "goroutine"} {
		f, err := os.Create(path + "." + kind)
		if err != nil {
			return err
		}
		if err = errors.Join(pprof.Lookup(kind).WriteTo(f, 0), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// startBusy starts n processes that eat CPU, as others on the machine would.
func startBusy(ctx context.Context, n int) (stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var ends []io.Closer
	var all []*exec.Cmd
	stop = func() error {
		var errs []error
		for i, cmd := range all {
			errs = append(errs, ends[i].Close(), cmd.Wait())
		}
		return errors.Join(errs...)
	}
	for range n {
		cmd := exec.CommandContext(ctx, self, burnFlag) //nolint:gosec // itself
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, errors.Join(err, stop())
		}
		if err = cmd.Start(); err != nil {
			return nil, errors.Join(err, stop())
		}
		ends, all = append(ends, in), append(all, cmd)
	}
	return stop, nil
}

// burn eats a processor until the standard input ends, with the process that started this one if need be.
func burn() {
	var end atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		end.Store(true)
	}()
	for x := 1.0; !end.Load(); {
		for i := range 100_000 {
			x = x*1.0000001 + float64(i&1)
		}
	}
}
