// Package stats is the arithmetic of the benchmark: percentiles, loss, medians. It is pure.
package stats

import (
	"math"
	"math/bits"
	"slices"
	"time"
)

// Histogram counts durations in steps of at most 1/64 of their value, from 1 µs on. The zero value is empty.
type Histogram struct {
	counts [64 * 32]uint32
	total  uint64
}

// bucket is the index for µs: exact below 64, then 64 steps in each doubling.
func bucket(us uint64) int {
	if us < 64 {
		return int(us) //nolint:gosec // below 64
	}
	shift := bits.Len64(us) - 7
	return min(shift*64+int(us>>shift), 64*32-1) //nolint:gosec // below 128
}

// value is the middle of a bucket in µs.
func value(bucket int) float64 {
	if bucket < 128 {
		return float64(bucket)
	}
	shift := bucket/64 - 1
	low := float64(uint64(bucket-shift*64) << shift) //nolint:gosec // positive
	return low + float64(uint64(1)<<shift)/2         //nolint:gosec // positive
}

// Add counts d; a negative one counts as 0.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucket(uint64(max(d, 0)/time.Microsecond))]++ //nolint:gosec // not negative
	h.total++
}

// Merge adds what o has counted.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
}

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.total }

// Percentile returns the duration that a fraction p, 0 to 1, of all does not exceed; 0 if there are none.
func (h *Histogram) Percentile(p float64) time.Duration {
	rank := uint64(math.Ceil(p * float64(h.total)))
	var seen uint64
	for i, n := range h.counts {
		seen += uint64(n)
		if n != 0 && seen >= rank {
			return time.Duration(value(i) * float64(time.Microsecond))
		}
	}
	return 0
}

// Percentile returns the value that a fraction p of values does not exceed (nearest rank); NaN if there are none.
func Percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Median is the middle of values, or the mean of the middle two; NaN if there are none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// PairedRatio is the median of a[i]/b[i]: what was measured in the same round is compared, since the machine's speed drifts.
// Rounds in which either is missing (NaN) are left out.
func PairedRatio(a, b []float64) float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		if !math.IsNaN(a[i]) && !math.IsNaN(b[i]) && b[i] != 0 {
			ratios = append(ratios, a[i]/b[i])
		}
	}
	return Median(ratios)
}

// Received tells new packets of a stream from repeated ones, and finds gaps (RFC 3550 appendix A.1). The zero value is ready.
type Received struct {
	begun   bool
	base    int64 // extended sequence number of the first packet
	highest int64
	seen    [window / 64]uint64 // of the newest, by extended sequence number
	unique  uint64
}

const window = 2048 // packets that may be late or retransmitted

// Note takes a sequence number. fresh is false for one that came before, or is too old to know. gap is how many packets before
// it are missing since the highest one.
func (r *Received) Note(seq uint16) (fresh bool, gap int) {
	if !r.begun {
		r.begun = true
		r.base = int64(seq) + 1<<16
		r.highest = r.base
		r.set(r.base)
		return true, 0
	}
	n := r.highest + int64(int16(seq-uint16(r.highest))) //nolint:gosec // the signed distance modulo 2^16
	if n <= r.highest {
		if r.highest-n >= window || r.has(n) {
			return false, 0
		}
		r.set(n)
		return true, 0
	}
	for i := max(r.highest+1, n-window+1); i < n; i++ {
		r.clear(i)
	}
	gap = int(n - r.highest - 1)
	r.highest = n
	r.set(n)
	return true, gap
}

// Has reports whether the packet has come.
func (r *Received) Has(seq uint16) bool {
	n := r.highest + int64(int16(seq-uint16(r.highest))) //nolint:gosec // the signed distance modulo 2^16
	return r.begun && n <= r.highest && (r.highest-n >= window || r.has(n))
}

// Highest is the extended highest sequence number of RFC 3550 section 6.4.1.
func (r *Received) Highest() uint32 { return uint32(r.highest - 1<<16) } //nolint:gosec // modulo 2^32

// Expected is how many packets should have come, Unique how many did.
func (r *Received) Expected() uint64 {
	if !r.begun {
		return 0
	}
	return uint64(max(r.highest-r.base, 0)) + 1 //nolint:gosec // not negative
}

// Unique is how many different packets came.
func (r *Received) Unique() uint64 { return r.unique }

func (r *Received) slot(n int64) (word int, bit uint64) {
	i := n & (window - 1)
	return int(i / 64), 1 << (i % 64)
}

func (r *Received) set(n int64) {
	word, bit := r.slot(n)
	r.seen[word] |= bit
	r.unique++
}

func (r *Received) clear(n int64) {
	word, bit := r.slot(n)
	r.seen[word] &^= bit
}

func (r *Received) has(n int64) bool {
	word, bit := r.slot(n)
	return r.seen[word]&bit != 0
}

// Loss is the fraction of expected that was not delivered, 0 if nothing was expected or more came than that.
func Loss(delivered, expected uint64) float64 {
	if expected == 0 || delivered >= expected {
		return 0
	}
	return 1 - float64(delivered)/float64(expected)
}
