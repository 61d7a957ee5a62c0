package bwe

import (
	"encoding/binary"
	"errors"
	"time"
)

// ErrFeedback is given for a packet that is no well-formed transport-wide feedback.
var ErrFeedback = errors.New("bwe: malformed transport-wide feedback")

const (
	feedbackHeader = 20
	maxStatuses    = 4096 // packets that one report may cover; browsers report some hundred at most
	deltaTick      = 250 * time.Microsecond
	referenceTick  = 64 * time.Millisecond
)

// Symbols of a packet status chunk (section 3.1.1).
const (
	notReceived = 0
	smallDelta  = 1
	largeDelta  = 2
)

// status is what a report says of one packet. arrival is on the receiver's clock, whose zero is unknown.
type status struct {
	seq      uint16
	received bool
	arrival  time.Duration
}

// report reads a transport-wide feedback packet, RTCP header included, without allocating (section 3.1).
type report struct {
	base      uint16
	count     int
	reference time.Duration
	chunks    []byte // chunks, then deltas
}

func parseReport(raw []byte) (report, error) {
	if len(raw) < feedbackHeader || raw[0]>>6 != 2 || raw[0]&0x1f != 15 || raw[1] != 205 {
		return report{}, ErrFeedback
	}
	size := 4 * (int(binary.BigEndian.Uint16(raw[2:])) + 1)
	if size > len(raw) || size < feedbackHeader {
		return report{}, ErrFeedback
	}
	r := report{base: binary.BigEndian.Uint16(raw[12:]), count: int(binary.BigEndian.Uint16(raw[14:])), chunks: raw[feedbackHeader:size]}
	if r.count == 0 || r.count > maxStatuses {
		return report{}, ErrFeedback
	}
	// 24 bits, signed; it wraps after 12 days.
	reference := int32(binary.BigEndian.Uint32(raw[16:])&0xffffff00) >> 8 //nolint:gosec // sign extension is meant
	r.reference = time.Duration(reference) * referenceTick
	return r, nil
}

// each calls visit for every packet of the report in order of number. Nothing is visited of a report that is cut short.
func (r report) each(visit func(status)) error {
	deltas, err := r.deltas()
	if err != nil {
		return err
	}
	at, seq := r.reference, r.base
	r.symbols(func(symbol byte) {
		s := status{seq: seq, received: symbol != notReceived}
		switch symbol {
		case smallDelta:
			at += time.Duration(deltas[0]) * deltaTick
			deltas = deltas[1:]
		case largeDelta:
			at += time.Duration(int16(binary.BigEndian.Uint16(deltas))) * deltaTick //nolint:gosec // signed by definition
			deltas = deltas[2:]
		}
		s.arrival = at
		seq++
		visit(s)
	})
	return nil
}

// deltas finds where the deltas begin, and checks that they are all there.
func (r report) deltas() ([]byte, error) {
	need, bad := 0, false
	used := r.symbols(func(symbol byte) {
		switch symbol {
		case smallDelta:
			need++
		case largeDelta:
			need += 2
		case notReceived:
		default:
			bad = true
		}
	})
	if used < 0 || bad || len(r.chunks)-used < need {
		return nil, ErrFeedback
	}
	return r.chunks[used:], nil
}

// symbols calls visit for each packet's status and returns how many bytes the chunks take, or -1 if there are too few.
func (r report) symbols(visit func(byte)) int {
	left, at := r.count, 0
	for left > 0 {
		if at+2 > len(r.chunks) {
			return -1
		}
		chunk := binary.BigEndian.Uint16(r.chunks[at:])
		at += 2
		left -= visitChunk(chunk, left, visit)
	}
	return at
}

// visitChunk reads a run-length chunk (section 3.1.3) or a status vector chunk (section 3.1.4) of up to left packets.
func visitChunk(chunk uint16, left int, visit func(byte)) int {
	n, bits := int(chunk&0x1fff), 0
	switch {
	case chunk&0x8000 == 0:
	case chunk&0x4000 == 0:
		n, bits = 14, 1
	default:
		n, bits = 7, 2
	}
	if n > left {
		n = left
	}
	for i := range n {
		symbol := byte(chunk>>13) & 3
		if bits != 0 {
			symbol = byte(chunk>>(14-bits*(i+1))) & (1<<bits - 1)
		}
		visit(symbol)
	}
	if n == 0 {
		return left // an empty run: the report says nothing of the rest
	}
	return n
}
