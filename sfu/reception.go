package sfu

import (
	"time"

	"github.com/pion/rtcp"
)

// reception is what a receiver reports of one stream (RFC 3550 section 6.4.1 and appendix A). It is pure.
type reception struct {
	started       bool
	base          int64 // unwrapped
	highest       int64
	received      int64
	expectedPrior int64
	receivedPrior int64
	jitter        float64 // ticks
	transit       int64
	hasTransit    bool
	lastReport    uint32 // middle bits of the newest sender report's NTP time
	reportAt      time.Time
}

// packet notes one packet, as it was sent the first time.
func (r *reception) packet(seq uint16, timestamp, clock uint32, now time.Time) {
	v := int64(seq)
	if r.started {
		v = r.highest + int64(int16(seq-uint16(r.highest&0xffff))) //nolint:gosec // signed modulo 2^16
	} else {
		r.started, r.base, r.highest = true, v, v
	}
	r.received++
	if v < r.highest {
		return
	}
	r.highest = v
	arrival := now.UnixMicro() / 100 * int64(clock) / 10_000
	transit := arrival - int64(timestamp)
	if r.hasTransit {
		d := float64(int32(transit - r.transit)) //nolint:gosec // modulo 2^32
		r.jitter += (max(d, -d) - r.jitter) / 16
	}
	r.transit, r.hasTransit = transit, true
}

func (r *reception) senderReport(ntp uint64, now time.Time) {
	r.lastReport, r.reportAt = uint32(ntp>>16), now //nolint:gosec // the middle bits
}

// report makes the block for a receiver report, and tells how many packets it is about and which fraction was lost.
func (r *reception) report(ssrc uint32, now time.Time) (block rtcp.ReceptionReport, expected int64, lost float64) {
	all := r.highest - r.base + 1
	expected = all - r.expectedPrior
	missed := max(expected-(r.received-r.receivedPrior), 0)
	r.expectedPrior, r.receivedPrior = all, r.received
	if expected > 0 {
		lost = float64(missed) / float64(expected)
	}
	block = rtcp.ReceptionReport{
		SSRC: ssrc, FractionLost: uint8(min(lost*256, 255)),
		TotalLost:          uint32(min(max(all-r.received, 0), 1<<23-1)),  //nolint:gosec // 24 bits
		LastSequenceNumber: uint32(r.highest & 0xffffffff),                //nolint:gosec // masked
		Jitter:             uint32(min(max(r.jitter, 0), float64(1<<31))), //nolint:gosec // bounded
	}
	if !r.reportAt.IsZero() {
		block.LastSenderReport = r.lastReport
		block.Delay = uint32(now.Sub(r.reportAt).Milliseconds() * 65536 / 1000) //nolint:gosec // modulo 2^32
	}
	return block, expected, lost
}
