package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Cores says which core the server gets and which the generator; they are the same if there is one only.
func Cores() (srv, gen int, err error) {
	if n, _ := fmt.Sscan(os.Getenv(pinned), &srv, &gen); n == 2 {
		return srv, gen, nil
	}
	var set unix.CPUSet
	if err = unix.SchedGetaffinity(0, &set); err != nil {
		return 0, 0, fmt.Errorf("the cores of this machine are not known: %w", err)
	}
	var have []int
	for i := 0; len(have) < min(set.Count(), 2); i++ {
		if set.IsSet(i) {
			have = append(have, i)
		}
	}
	return have[0], have[len(have)-1], nil
}

// pinned is the environment variable that says that this process is where it should be, and which the cores are.
const pinned = "BENCH_CORES"

// PinSelf moves this process to the generator's core, ahead of what else wants to run there, by starting itself anew: threads that
// exist already would stay as they are. Servers inherit the priority.
func PinSelf() error {
	if os.Getenv(pinned) != "" {
		return nil
	}
	srv, gen, err := Cores()
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err = pinThread(gen); err != nil {
		return err
	}
	// Only root may; without it the machine has to be quiet.
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}, 0)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, append(os.Environ(), fmt.Sprintf("%s=%d %d", pinned, srv, gen))) //nolint:gosec // itself
}

func pinThread(core int) error {
	var set unix.CPUSet
	set.Set(core)
	return unix.SchedSetaffinity(0, &set)
}

// Start starts a process on a core: it inherits the affinity of the thread that starts it.
func Start(core int, cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	if err := pinThread(core); err != nil {
		return err
	}
	return errors.Join(cmd.Start(), unix.SchedSetaffinity(0, &before))
}

// Tail keeps the beginning of what a server complains of.
type Tail struct{ strings.Builder }

// Write never fails.
func (t *Tail) Write(p []byte) (int, error) {
	if t.Len() < 4096 {
		_, _ = t.Builder.Write(p)
	}
	return len(p), nil
}

// CPUTime is how long a process has run in user and kernel mode. The clock of a process's CPU time counts nanoseconds, /proc only
// hundredths of a second.
func CPUTime(pid int) (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err != nil { //nolint:gosec // clock_getcpuclockid(3)
		return 0, err
	}
	return time.Duration(ts.Nano()), nil
}

// Resident is the memory that a process uses, in bytes.
func Resident(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0, errors.New("/proc/PID/statm cannot be read")
	}
	pages, err := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// Machine is what the figures depend on.
type Machine struct {
	Processor  string `json:"processor"`
	Cores      int    `json:"cores"`
	Apart      bool   `json:"apart"`    // server and generator have a core each
	Realtime   bool   `json:"realtime"` // both run ahead of every other process
	Kernel     string `json:"kernel"`
	Go         string `json:"go"`
	Began      string `json:"began"`
	LoadBefore string `json:"load_before"` // average number of processes that want to run
	LoadAfter  string `json:"load_after"`
}

// Describe says what there is now. LoadAfter is for the end.
func Describe() Machine {
	m := Machine{Go: runtime.Version(), Began: time.Now().UTC().Format(time.RFC3339), LoadBefore: LoadAverage()}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "model name":
			m.Processor = strings.TrimSpace(value)
		case "processor":
			m.Cores++
		}
	}
	srv, gen, err := Cores()
	m.Apart = err == nil && srv != gen
	if a, err := unix.SchedGetAttr(0, 0); err == nil {
		m.Realtime = a.Policy == unix.SCHED_RR
	}
	return m
}

// LoadAverage is the average number of processes that want to run, over 1, 5 and 15 minutes.
func LoadAverage() string {
	b, _ := os.ReadFile("/proc/loadavg")
	f := strings.Fields(string(b))
	return strings.Join(f[:min(len(f), 3)], " ")
}

// Conditions says in sentences what to know before reading figures that were taken.
func (m Machine) Conditions() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d cores, Linux %s, %s. Load average before %s, after %s.\n", m.Processor, m.Cores, m.Kernel, m.Go, m.LoadBefore, m.LoadAfter)
	if !m.Apart {
		b.WriteString("Server and generator share one core: latency means little.\n")
	}
	if !m.Realtime {
		b.WriteString("Other processes ran beside the two: latency and times to first video mean little.\n")
	}
	return b.String()
}
