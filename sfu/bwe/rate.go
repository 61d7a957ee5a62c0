package bwe

import "time"

// meterSlots of meterSlot each are the window in which delivery is measured.
const (
	meterSlots = 10
	meterSlot  = 50 * time.Millisecond
)

// rateMeter measures bit/s over a sliding window of up to half a second.
type rateMeter struct {
	bytes  [meterSlots]int
	sum    int
	newest int64 // slot number
	first  int64
	begun  bool
}

func (m *rateMeter) add(bytes int, at time.Duration) {
	m.advance(at)
	m.bytes[m.newest%meterSlots] += bytes
	m.sum += bytes
}

func (m *rateMeter) advance(at time.Duration) {
	slot := int64(at / meterSlot)
	if !m.begun {
		m.begun, m.newest, m.first = true, slot, slot
		return
	}
	if slot-m.newest >= meterSlots {
		*m = rateMeter{begun: true, newest: slot, first: slot}
		return
	}
	for m.newest < slot {
		m.newest++
		i := m.newest % meterSlots
		m.sum -= m.bytes[i]
		m.bytes[i] = 0
	}
}

// rate is 0 while there is too little to say.
func (m *rateMeter) rate(at time.Duration) int {
	if !m.begun {
		return 0
	}
	m.advance(at)
	slots := min(m.newest-m.first+1, meterSlots)
	if slots < 3 {
		return 0
	}
	// The newest slot is not yet full.
	span := time.Duration(slots-1)*meterSlot + max(at%meterSlot, time.Millisecond)
	return int(int64(m.sum) * 8 * int64(time.Second) / int64(span))
}
