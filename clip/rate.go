package clip

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// rate is a constant frame rate, Num/Den frames a second.
type rate struct{ num, den int64 }

func (r rate) hz() float64    { return float64(r.num) / float64(r.den) }
func (r rate) String() string { return fmt.Sprintf("%d/%d", r.num, r.den) }

// timescale is the MP4 time scale in which every frame lasts a whole number of ticks.
func (r rate) timescale() int64 {
	if r.den == 1 {
		return r.num * 1000
	}
	return r.num
}

// keyInterval is the number of frames of at most one second.
func (r rate) keyInterval() int64 { return r.num / r.den }

// rates that are made. The slow ones are for cameras and screen recorders that are no faster.
var rates = []rate{
	{10, 1},
	{12, 1},
	{25, 2},
	{15, 1},
	{20, 1},
	{24000, 1001},
	{24, 1},
	{25, 1},
	{30000, 1001},
	{30, 1},
}

// frameTimes gathers the presentation times of a stream's frames in the order in which they are stored.
type frameTimes struct {
	count       int
	first, last float64 // s
	sample      []float64
}

const sampledFrames = 6000 // enough to tell a rate and whether it is constant

var errTooLong = errors.New("longer than is allowed")

// read parses lines of "pts,dts,flags", times in seconds.
func (f *frameTimes) read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ",")
		if len(fields) < 3 || strings.Contains(fields[2], "D") {
			continue // outside of the edit list: never shown
		}
		t, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			t, err = strconv.ParseFloat(fields[1], 64) // AVI knows decoding times only
		}
		if err != nil || math.IsNaN(t) || math.IsInf(t, 0) {
			continue
		}
		f.add(t)
		if f.last-f.first > maxDuration.Seconds() {
			return errTooLong
		}
	}
	return lines.Err()
}

func (f *frameTimes) add(t float64) {
	if f.count == 0 {
		f.first, f.last = t, t
	}
	f.count++
	f.first, f.last = min(f.first, t), max(f.last, t)
	if len(f.sample) < sampledFrames {
		f.sample = append(f.sample, t)
	}
}

// deltas returns the sorted distances of the sampled frames.
func (f *frameTimes) deltas() []float64 {
	times := slices.Sorted(slices.Values(f.sample))
	if len(f.sample) == sampledFrames {
		times = times[:sampledFrames-64] // later ones may be still to come among reordered frames
	}
	var ds []float64
	for i := 1; i < len(times); i++ {
		if d := times[i] - times[i-1]; d > 0 {
			ds = append(ds, d)
		}
	}
	slices.Sort(ds)
	return ds
}

// duration is that from the first frame to the end of the last, in seconds.
func (f *frameTimes) duration() float64 {
	ds := f.deltas()
	if len(ds) == 0 {
		return 0
	}
	return f.last - f.first + ds[len(ds)/2]
}

// rate chooses the constant rate for the stream: its own if it is steady, 30 or 25 if it is not.
func (f *frameTimes) rate() rate {
	ds := f.deltas()
	if len(ds) == 0 || f.last <= f.first {
		return rate{30, 1}
	}
	mean := float64(f.count-1) / (f.last - f.first)
	median := 1 / ds[len(ds)/2]
	if !steady(ds) || math.Abs(mean-median) > 0.1*median {
		if r := nearest(median); r == (rate{25, 1}) {
			return r
		}
		return rate{30, 1}
	}
	return nearest(mean)
}

// steady reports whether nearly all distances are alike; containers round to a millisecond.
func steady(ds []float64) bool {
	median := ds[len(ds)/2]
	off := 0
	for _, d := range ds {
		if math.Abs(d-median) > 0.1*median+0.0011 {
			off++
		}
	}
	return off*50 <= len(ds)
}

// nearest returns the rate that shows hz frames a second best: the rate itself, half of it, a third and so on
// for fast cameras, or the slowest one that is fast enough.
func nearest(hz float64) rate {
	fast := hz
	for k := 2.0; fast > 30.2; k++ {
		fast = hz / k
	}
	best := rates[0]
	for _, r := range rates {
		if math.Abs(r.hz()-fast) < math.Abs(best.hz()-fast) {
			best = r
		}
	}
	return best
}
