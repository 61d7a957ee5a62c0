package media

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/pausepoint/pausepoint/load/shape"
	"github.com/pausepoint/pausepoint/load/stats"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

const (
	reportInterval   = time.Second
	feedbackInterval = 100 * time.Millisecond // Chromium's, unless there is little bandwidth
	nackInterval     = 60 * time.Millisecond
	nackAttempts     = 10 // Chromium's
	pliInterval      = 300 * time.Millisecond
	maxNack          = 250 // packets missing at once, beyond which a key frame is the only help
)

// receiver is the subscribe side of a participant. The link's mu guards it.
type receiver struct {
	link  *link
	meter *meter
	loss  float64
	rng   *rand.Rand

	streams  map[uint32]*inbound
	rtx      map[uint32]uint32 // retransmission SSRC to the primary one
	codecs   map[uint8]*codec
	kinds    map[uint8]string
	twccID   uint8
	recorder *twcc.Recorder
	ssrc     uint32 // of the receiver's own reports
	header   rtp.Header
	plain    []byte
	reported time.Time
	fedBack  time.Time
}

// inbound is one stream that a participant receives.
type inbound struct {
	ssrc     uint32
	video    bool
	nack     bool
	clock    uint32
	received stats.Received
	missing  map[uint16]*missing
	keyed    bool // a key frame has come
	asked    time.Time
	lateness int64 // of the last packet, in ticks
	jitter   float64
	reported struct{ expected, unique uint64 }
	report   uint32 // middle bits of the last sender report's time
	reportAt int64
}

type missing struct {
	asked    time.Time
	attempts int
}

func newReceiver(m *meter, loss float64, seed uint64) *receiver {
	now := time.Now()
	rng := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // which packets are lost
	spread := func(d time.Duration) time.Time { return now.Add(-time.Duration(rng.Int64N(int64(d)))) }
	ssrc := rng.Uint32()
	return &receiver{
		meter: m, loss: loss, rng: rng, ssrc: ssrc, recorder: twcc.NewRecorder(ssrc),
		streams: make(map[uint32]*inbound), rtx: make(map[uint32]uint32),
		codecs: make(map[uint8]*codec), kinds: make(map[uint8]string),
		plain: make([]byte, 0, mtu), reported: spread(reportInterval), fedBack: spread(feedbackInterval),
	}
}

// negotiated takes over what an offer says.
func (r *receiver) negotiated(d *description) {
	for _, s := range d.sections {
		for _, pt := range s.chosen() {
			r.codecs[pt], r.kinds[pt] = s.codecs[pt], s.kind
		}
		for repair, primary := range s.rtx {
			r.rtx[repair] = primary
		}
		if id, ok := s.exts[uriTWCC]; ok {
			r.twccID = id
		}
	}
}

func (r *receiver) connected() {}

// rtp takes a packet from the network. A fraction of them is lost on the way.
func (r *receiver) rtp(raw []byte, at int64) {
	if r.loss != 0 && r.rng.Float64() < r.loss {
		return
	}
	plain, err := r.link.in.DecryptRTP(r.plain[:0], raw, &r.header)
	if err != nil {
		r.meter.undecryptable.Add(1)
		return
	}
	r.plain = plain
	h := &r.header
	if r.twccID != 0 && h.Extension {
		if b := h.GetExtension(r.twccID); len(b) == 2 {
			r.recorder.Record(h.SSRC, binary.BigEndian.Uint16(b), at/1000)
		}
	}
	payload := plain[headerSize(plain):]
	if h.Padding && len(payload) > 0 {
		payload = payload[:max(len(payload)-int(payload[len(payload)-1]), 0)]
	}
	r.sort(h, payload, at)
}

// headerSize is the length of an RTP header with its extensions, of a packet that was decrypted and so is long enough.
func headerSize(b []byte) int {
	n := 12 + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 {
		n += 4 + 4*int(binary.BigEndian.Uint16(b[n+2:]))
	}
	return n
}

// sort gives a packet to its stream, and puts retransmitted ones back (RFC 4588 section 4).
func (r *receiver) sort(h *rtp.Header, payload []byte, at int64) {
	if primary, ok := r.rtx[h.SSRC]; ok {
		if s := r.streams[primary]; s != nil && len(payload) > 2 {
			r.deliver(s, binary.BigEndian.Uint16(payload), h.Timestamp, payload[2:], at)
		}
		return
	}
	s := r.streams[h.SSRC]
	if s == nil {
		c := r.codecs[h.PayloadType]
		if c == nil || c.name == "RTX" {
			return
		}
		s = &inbound{
			ssrc: h.SSRC, video: r.kinds[h.PayloadType] == "video", nack: c.has("nack"), clock: 48000,
			missing: make(map[uint16]*missing),
		}
		if s.video {
			s.clock = 90000
		}
		r.streams[h.SSRC] = s
	}
	r.deliver(s, h.SequenceNumber, h.Timestamp, payload, at)
}

func (r *receiver) deliver(s *inbound, seq uint16, timestamp uint32, payload []byte, at int64) {
	fresh, gap := s.received.Note(seq)
	if !fresh {
		return
	}
	s.measure(timestamp, at)
	if s.missing[seq] != nil {
		delete(s.missing, seq)
		r.meter.recovered.Add(1)
	}
	if gap > 0 && s.nack {
		r.miss(s, seq, gap, at)
	}
	stamp, ok := shape.ReadStamp(payload)
	if !ok {
		return
	}
	key := s.video && shape.IsKeyframe(payload)
	s.keyed = s.keyed || key
	if s.video && !s.keyed {
		r.askKeyframe(s, time.Unix(0, at))
	}
	r.meter.delivered(stamp, at, s.video, key)
}

// measure is the jitter of RFC 3550 section 6.4.1.
func (s *inbound) measure(timestamp uint32, at int64) {
	lateness := at/1000*int64(s.clock)/1e6 - int64(timestamp)
	d := int32(lateness - s.lateness) //nolint:gosec // modulo 2^32, as the timestamp is
	if s.lateness != 0 {
		s.jitter += (float64(max(d, -d)) - s.jitter) / 16
	}
	s.lateness = lateness
}

// miss asks for the packets before seq.
func (r *receiver) miss(s *inbound, seq uint16, gap int, at int64) {
	now := time.Unix(0, at)
	if gap+len(s.missing) > maxNack {
		clear(s.missing)
		r.askKeyframe(s, now)
		return
	}
	var seqs []uint16
	for i := gap; i > 0; i-- {
		n := seq - uint16(i) //nolint:gosec // at most maxNack
		s.missing[n] = &missing{asked: now, attempts: 1}
		seqs = append(seqs, n)
	}
	r.nack(s, seqs)
}

func (r *receiver) nack(s *inbound, seqs []uint16) {
	r.meter.nacks.Add(1)
	r.link.sendRTCP(&rtcp.TransportLayerNack{
		SenderSSRC: r.ssrc, MediaSSRC: s.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs),
	})
}

func (r *receiver) askKeyframe(s *inbound, now time.Time) {
	if now.Sub(s.asked) < pliInterval {
		return
	}
	s.asked = now
	r.meter.plis.Add(1)
	r.link.sendRTCP(&rtcp.PictureLossIndication{SenderSSRC: r.ssrc, MediaSSRC: s.ssrc})
}

func (r *receiver) rtcp(packets []rtcp.Packet, at int64) {
	for _, p := range packets {
		if sr, ok := p.(*rtcp.SenderReport); ok {
			if s := r.streams[sr.SSRC]; s != nil {
				s.report, s.reportAt = uint32(sr.NTPTime>>16), at //nolint:gosec // the middle bits
			}
		}
	}
}

func (r *receiver) tick(now time.Time) {
	for _, s := range r.streams {
		if len(s.missing) != 0 {
			r.repeat(s, now)
		}
	}
	if r.twccID != 0 && now.Sub(r.fedBack) >= feedbackInterval {
		r.fedBack = now
		if packets := r.recorder.BuildFeedbackPacket(); len(packets) != 0 {
			r.link.sendRTCP(packets...)
		}
	}
	if now.Sub(r.reported) >= reportInterval && len(r.streams) != 0 {
		r.reported = now
		r.report(now)
	}
}

// repeat asks again for what is missing, and for a key frame when asking did not help.
func (r *receiver) repeat(s *inbound, now time.Time) {
	var seqs []uint16
	for n, m := range s.missing {
		switch {
		case now.Sub(m.asked) < nackInterval:
		case m.attempts >= nackAttempts:
			delete(s.missing, n)
			if s.video {
				r.askKeyframe(s, now)
			}
		default:
			m.asked = now
			m.attempts++
			seqs = append(seqs, n)
		}
	}
	if len(seqs) != 0 {
		r.nack(s, seqs)
	}
}

// report sends a reception report on all streams (RFC 3550 section 6.4.2).
func (r *receiver) report(now time.Time) {
	rr := &rtcp.ReceiverReport{SSRC: r.ssrc}
	for _, s := range r.streams {
		if len(rr.Reports) < 31 {
			rr.Reports = append(rr.Reports, s.reception(now))
		}
	}
	cname := rtcp.NewCNAMESourceDescription(r.ssrc, "bench")
	r.link.sendRTCP(rr, cname)
}

func (s *inbound) reception(now time.Time) rtcp.ReceptionReport {
	expected, unique := s.received.Expected(), s.received.Unique()
	lost := stats.Loss(unique-s.reported.unique, expected-s.reported.expected)
	s.reported.expected, s.reported.unique = expected, unique
	block := rtcp.ReceptionReport{
		SSRC: s.ssrc, FractionLost: uint8(min(lost*256, 255)), TotalLost: uint32(max(int64(expected)-int64(unique), 0)), //nolint:gosec // small
		LastSequenceNumber: s.received.Highest(), Jitter: uint32(s.jitter), LastSenderReport: s.report,
	}
	if s.report != 0 {
		block.Delay = uint32((now.UnixNano() - s.reportAt) * 65536 / int64(time.Second)) //nolint:gosec // seconds
	}
	return block
}
