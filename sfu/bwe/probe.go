package bwe

import "time"

const (
	probeInterval  = 2500 * time.Millisecond // after a probe that led nowhere, and more after each further one
	probeBackoff   = 1.4
	probeRarely    = 6 * time.Second
	probeAfterFall = 2 * time.Second
	probeTimeout   = time.Second
	probeFactor    = 2.0
	probeCautious  = 1.5 // after a probe that found less
	probeHeadroom  = 1.2 // above what is wanted: to hold it without a queue
	probeSatisfied = 1.05
	probeLength    = 15 * time.Millisecond
	probeLonger    = 3      // times a probe that led nowhere is followed by one of twice the length: jitter hides short ones
	probeLargest   = 20_000 // bytes of one that is longer
	probePackets   = 5      // the fewest that say something
	probePacket    = 1000   // bytes, the largest
	probeSmallest  = 200
	probeEnough    = 0.8 // of its packets must be reported
	maxGrowth      = 0.9 // below it, a rate was not reached
)

// Cluster is a probe to be sent: at least Bytes in at least Packets packets of about Packet bytes, paced at Rate bit/s.
type Cluster struct {
	ID      uint8
	Rate    int
	Bytes   int
	Packet  int
	Packets int
}

// probes follows one cluster at a time.
type probes struct {
	id            uint8
	rate, planned int
	live          bool
	began         time.Duration
	sentCount     int
	sentBytes     int
	left, delays  line // when the bytes were sent, and how long they took

	next     time.Duration // when the next may begin
	wait     time.Duration // after the next one that leads nowhere
	cautious bool
	failures int // since one that led to its rate
}

// Probe says whether to send a probe now. wanted is what would be sent if the link were fast enough, in bit/s.
func (e *Estimator) Probe(wanted int, at time.Time) (Cluster, bool) {
	now := e.since(at)
	p := &e.probes
	wanted = min(wanted, e.highest)
	if e.remb != 0 {
		wanted = min(wanted, e.remb)
	}
	if p.live && now-p.began > probeTimeout {
		p.failed(now)
	}
	satisfied := float64(e.target) >= probeSatisfied*float64(wanted)
	if p.live || satisfied || now < p.next || e.queue.queued > queueSlack {
		return Cluster{}, false
	}
	factor := probeFactor
	if p.cautious {
		factor = probeCautious
	}
	rate := int(min(factor*float64(e.target), probeHeadroom*float64(wanted)))
	return p.begin(rate, now), true
}

func (p *probes) begin(rate int, now time.Duration) Cluster {
	id := p.id + 1
	if id == 0 {
		id = 1
	}
	bytes := int(float64(rate) / 8 * probeLength.Seconds())
	bytes = max(bytes, min(bytes<<min(p.failures, probeLonger), probeLargest))
	packet := min(max(bytes/probePackets, probeSmallest), probePacket)
	bytes = max(bytes, probePackets*packet)
	*p = probes{id: id, rate: rate, planned: bytes, live: true, began: now, cautious: p.cautious, wait: p.wait, failures: p.failures}
	return Cluster{ID: id, Rate: rate, Bytes: bytes, Packet: packet, Packets: probePackets}
}

// carried is the probe that a packet counts for which is sent in between: it takes its part of the link.
func (p *probes) carried(now time.Duration) uint8 {
	if !p.live || p.sentCount == 0 || p.sentBytes >= p.planned && p.sentCount >= probePackets || now < p.left.at {
		return 0
	}
	return p.id
}

// sent takes a packet, and how many bytes were sent in all with it.
func (p *probes) sent(id uint8, size int, total uint32, now time.Duration) {
	if !p.live || id != p.id {
		return
	}
	p.sentCount++
	p.sentBytes += size
	p.left.add(total, now)
}

// arrived takes how long one took, which has an unknown constant in it.
func (p *probes) arrived(id uint8, total uint32, delay time.Duration) {
	if p.live && id == p.id {
		p.delays.add(total, delay)
	}
}

// result is the rate that a cluster has shown, once it is reported.
func (p *probes) result(now time.Duration) (int, bool) {
	whole := p.sentBytes >= p.planned && p.sentCount >= probePackets
	if !p.live || !whole || p.delays.n < probeEnough*float64(p.sentCount) {
		return 0, false
	}
	perByte, _ := p.left.perByte()
	grows, wrong := p.delays.perByte()
	sent, received := rateOf(perByte, p.rate), rateOf(perByte+grows+wrong, p.rate)
	rate := min(sent, received)
	if float64(received) < maxGrowth*float64(sent) {
		rate = int(0.95 * float64(received))
	}
	p.live = false
	if float64(rate) < maxGrowth*float64(p.rate) {
		p.failed(now)
	} else {
		p.cautious, p.next, p.wait, p.failures = false, now, 0, 0
	}
	return rate, true
}

func (p *probes) failed(now time.Duration) {
	p.wait = min(max(time.Duration(probeBackoff*float64(p.wait)), probeInterval), probeRarely)
	p.live, p.cautious, p.next = false, true, now+p.wait
	p.failures++
}

// fell puts the next probe off: the link has just shown what it does not hold.
func (p *probes) fell(now time.Duration) {
	if p.live {
		p.failed(now)
	}
	p.cautious = true
	p.next = max(p.next, now+probeAfterFall)
}

// rateOf is in bit/s what takes so many seconds for a byte; at most limit.
func rateOf(perByte float64, limit int) int {
	if perByte*float64(limit) <= 8 {
		return limit
	}
	return int(8 / perByte)
}
