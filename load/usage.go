package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a server's process has used so far.
type Usage struct {
	CPU    time.Duration // user and system
	Memory float64       // resident bytes
}

// Source reads a server's usage.
type Source func(ctx context.Context) (Usage, error)

// FromMetrics reads what a server of Pausepoint tells Prometheus at an address (host:port of its --metrics-addr).
func FromMetrics(address string) Source {
	client := &http.Client{Timeout: 10 * time.Second}
	return func(ctx context.Context) (Usage, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", nil)
		if err != nil {
			return Usage{}, err
		}
		res, err := client.Do(req)
		if err != nil {
			return Usage{}, fmt.Errorf("read the server's metrics: %w", err)
		}
		defer res.Body.Close() //nolint:errcheck // it has been read
		return parseMetrics(res.Body)
	}
}

// parseMetrics reads the exposition format of Prometheus, as far as it is needed: lines of a name and a value.
func parseMetrics(r io.Reader) (Usage, error) {
	values := make(map[string]float64)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			values[name] = n
		}
	}
	cpu, known := values["process_cpu_seconds_total"]
	if err := lines.Err(); err != nil || !known {
		return Usage{}, errors.Join(errors.New("the server's metrics say nothing of its process; is it the address of --metrics-addr?"), err)
	}
	return Usage{CPU: time.Duration(cpu * float64(time.Second)), Memory: values["process_resident_memory_bytes"]}, nil
}

// userHZ is the unit of times in /proc, in which Linux counts for programs on every machine.
const userHZ = 100

// FromProcess reads /proc of a process on this machine (proc(5)).
func FromProcess(pid int) Source {
	return func(context.Context) (Usage, error) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return Usage{}, fmt.Errorf("read what process %d uses, which only Linux tells: %w", pid, err)
		}
		return parseStat(string(stat), os.Getpagesize())
	}
}

// parseStat reads /proc/PID/stat. The program's name, in parentheses, may have anything in it.
func parseStat(stat string, page int) (Usage, error) {
	f := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	const user, system, resident = 14 - 3, 15 - 3, 24 - 3 // as numbered there, from the third on
	if len(f) <= resident {
		return Usage{}, errors.New("/proc/PID/stat cannot be read")
	}
	var n [3]float64
	for i, field := range []int{user, system, resident} {
		var err error
		if n[i], err = strconv.ParseFloat(f[field], 64); err != nil {
			return Usage{}, fmt.Errorf("/proc/PID/stat: %w", err)
		}
	}
	return Usage{CPU: time.Duration((n[0] + n[1]) / userHZ * float64(time.Second)), Memory: n[2] * float64(page)}, nil
}
