package sfu

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// voice is a source of sound: packets of 20 ms that name themselves by number, each with the ones before it.
type voice struct {
	first   uint16
	at      map[int]uint32 // when the packets are played
	repeats int
}

const redType = 63

func newVoice(first uint16, count, repeats int) *voice {
	v := &voice{first: first, at: make(map[int]uint32), repeats: repeats}
	for i := range count {
		v.at[i] = uint32(i) * 960 //nolint:gosec // small
	}
	return v
}

// pause leaves out a silence before packet i.
func (v *voice) pause(i int, ticks uint32) *voice {
	for n := range v.at {
		if n >= i {
			v.at[n] += ticks
		}
	}
	return v
}

func opusNumber(i int) []byte { return binary.BigEndian.AppendUint16([]byte{0x78}, uint16(i)) } //nolint:gosec // small

// packet is the RTP packet i.
func (v *voice) packet(i int) []byte {
	var earlier []codec.REDBlock
	for n := max(i-v.repeats, 0); n < i; n++ {
		earlier = append(earlier, codec.REDBlock{Offset: v.at[i] - v.at[n], Payload: opusNumber(n)})
	}
	return redPacket(v.first+uint16(i), v.at[i], earlier, opusNumber(i)) //nolint:gosec // small
}

func redPacket(seq uint16, at uint32, earlier []codec.REDBlock, primary []byte) []byte {
	b := raw(seq, at, codec.AppendRED(nil, 96, earlier, primary))
	b[1] = redType
	return b
}

func redCodec() negotiate.Codec {
	return negotiate.Codec{MimeType: negotiate.RED, ClockRate: 48000, Channels: 2, PayloadType: redType, Parameters: "96/96"}
}

// soundLine is a publication of redundant sound with one subscriber.
func soundLine() (*line, *downTrack, *written) { return newLineOf(SourceAudio, false, redCodec()) }

// heard are the numbers of the packets sent, in order; it fails if one is not what it should be.
func (v *voice) heard(t *testing.T, out *written) []int {
	t.Helper()
	var all []int
	seen := make(map[uint16]bool)
	for i, h := range out.headers {
		n := int(h.SequenceNumber - v.first)
		if seen[h.SequenceNumber] {
			t.Errorf("%d is sent twice", n)
		}
		seen[h.SequenceNumber] = true
		payload := out.payloads[i]
		if h.PayloadType == redType {
			blocks, err := codec.REDBlocks(nil, payload)
			must(t, err)
			payload = blocks[len(blocks)-1].Payload
			for _, b := range blocks[:len(blocks)-1] {
				of := int(binary.BigEndian.Uint16(b.Payload[1:]))
				if v.at[n]-v.at[of] != b.Offset || b.PayloadType != 96 {
					t.Errorf("%d repeats %d with %+v", n, of, b)
				}
			}
		}
		if !bytes.Equal(payload, opusNumber(n)) || h.Timestamp != v.at[n] {
			t.Errorf("%d carries % x, to be played at %d", n, payload, h.Timestamp)
		}
		all = append(all, n)
	}
	return all
}

func TestMissingSoundIsMadeOfWhatIsRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		voice *voice
		came  []int
		want  string
	}{
		"none lost":                        {newVoice(10, 9, 1), []int{0, 1, 2}, "[0 1 2]"},
		"one lost":                         {newVoice(10, 9, 1), []int{0, 2, 3}, "[0 1 2 3]"},
		"numbers wrap":                     {newVoice(65534, 9, 1), []int{0, 2, 4, 5}, "[0 1 2 3 4 5]"},
		"timestamps wrap":                  {newVoice(10, 9, 1).pause(0, 1<<32-960), []int{0, 2, 3}, "[0 1 2 3]"},
		"two lost":                         {newVoice(10, 9, 1), []int{0, 3, 4}, "[0 2 3 4]"},
		"two lost, two repeated":           {newVoice(10, 9, 2), []int{0, 3, 4}, "[0 1 2 3 4]"},
		"the first":                        {newVoice(10, 9, 1), []int{1, 2}, "[1 2]"},
		"late":                             {newVoice(10, 9, 1), []int{0, 2, 1, 3}, "[0 1 2 3]"},
		"late, and of use":                 {newVoice(10, 9, 1), []int{0, 3, 2, 4}, "[0 2 3 1 4]"},
		"late, what was not made":          {newVoice(10, 9, 1), []int{0, 3, 1, 4}, "[0 2 3 1 4]"},
		"twice":                            {newVoice(10, 9, 1), []int{0, 2, 2, 1, 1, 3}, "[0 1 2 3]"},
		"a silence before what was lost":   {newVoice(10, 9, 1).pause(2, 9600), []int{0, 1, 3}, "[0 1 2 3]"},
		"a silence after it":               {newVoice(10, 9, 1).pause(3, 9600), []int{0, 1, 3}, "[0 1 2 3]"},
		"a silence, and two lost":          {newVoice(10, 9, 1).pause(3, 9600), []int{0, 3, 4}, "[0 3 4]"},
		"a silence before, and two lost":   {newVoice(10, 9, 1).pause(2, 9600), []int{0, 3, 4}, "[0 2 3 4]"},
		"a silence within, two repeated":   {newVoice(10, 9, 2).pause(2, 9600), []int{0, 3, 4}, "[0 1 2 3 4]"},
		"a silence too long for an offset": {newVoice(10, 9, 1).pause(2, 19200), []int{0, 2, 3}, "[0 2 3]"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, taken := range []bool{true, false} {
				p, d, out := soundLine()
				if taken {
					d.to.red = redType
				}
				track := p.Attach(100)
				for _, i := range c.came {
					p.receive(c.voice.packet(i), time.Now())
				}
				if got := fmt.Sprint(c.voice.heard(t, out)); got != c.want {
					t.Errorf("sent %s, want %s", got, c.want)
				}
				for range out.headers {
					item, err := track.Next(t.Context())
					must(t, err)
					if n := int(item.Packet.SequenceNumber - c.voice.first); !bytes.Equal(item.Packet.Payload, opusNumber(n)) {
						t.Errorf("a recorder gets % x of packet %d", item.Packet.Payload, n)
					}
				}
			}
		})
	}
}

// A block that may be another packet than the one that is missing is not taken for it.
func TestWhatIsRepeatedButNotMissing(t *testing.T) {
	block := func(n int, offset uint32) []codec.REDBlock {
		return []codec.REDBlock{{PayloadType: 96, Offset: offset, Payload: opusNumber(n)}}
	}
	for name, last := range map[string][]byte{
		"one that came":         redPacket(2, 1920, block(0, 1920), opusNumber(2)),
		"before one that came":  redPacket(2, 1920, block(9, 2880), opusNumber(2)),
		"the packet itself":     redPacket(2, 1920, block(9, 0), opusNumber(2)),
		"of no length":          redPacket(2, 1920, []codec.REDBlock{{Offset: 960}}, opusNumber(2)),
		"with one between them": redPacket(3, 2880, block(1, 1920), opusNumber(3)),
	} {
		p, _, out := soundLine()
		p.receive(redPacket(0, 0, nil, opusNumber(0)), time.Now())
		p.receive(last, time.Now())
		if len(out.headers) != 2 {
			t.Errorf("%s: sent %s", name, out.seqs())
		}
	}
}

func TestAJumpIsNotMended(t *testing.T) {
	before, after := newVoice(10, 9, 1), newVoice(40_000, 9, 1)
	p, d, out := soundLine()
	d.to.red = redType
	for i := range 3 {
		p.receive(before.packet(i), time.Now())
	}
	for i := range 4 {
		p.receive(after.packet(i+1), time.Now()) // the first is not believed
	}
	if got := out.seqs(); got != "[10 11 12 13 14 15]" {
		t.Errorf("sent %s", got)
	}
	if blocks, err := codec.REDBlocks(nil, out.payloads[3]); err != nil || len(blocks) != 1 {
		t.Errorf("what comes after the jump repeats what was before: %d blocks, %v", len(blocks), err)
	}
}

func TestAnotherSSRCIsNotMended(t *testing.T) {
	v := newVoice(10, 20, 1)
	p, d, out := soundLine()
	d.to.red = redType
	receive := func(i int, ssrc uint32) {
		b := v.packet(i)
		b[0] |= 0x10 // an extension: the section that the SSRC belongs to (RFC 8285, RFC 9143)
		b = slices.Concat(b[:12], []byte{0xbe, 0xde, 0, 1, 0x10, '0', 0, 0}, b[12:])
		binary.BigEndian.PutUint32(b[8:], ssrc)
		p.receive(b, time.Now())
	}
	receive(0, 7)
	receive(1, 7)
	receive(3, 9)
	receive(5, 9)
	if got := out.seqs(); got != "[10 11 12 13 14]" {
		t.Errorf("sent %s", got)
	}
	if blocks, err := codec.REDBlocks(nil, out.payloads[2]); err != nil || len(blocks) != 1 {
		t.Errorf("the other source repeats the first one's: %d blocks, %v", len(blocks), err)
	}
}

// What was made of a later packet and comes late was not lost: the publisher must not be told so.
func TestLateSoundIsNotReportedLost(t *testing.T) {
	v := newVoice(10, 100, 1)
	p, _, out := soundLine()
	now := time.Now()
	p.receive(v.packet(0), now)
	for i := 1; i < 99; i += 2 {
		p.receive(v.packet(i+1), now)
		p.receive(v.packet(i), now)
		p.receive(v.packet(i), now)
	}
	l := p.layers[0]
	if block, expected, lost := l.reception.report(7, now); lost != 0 || expected != 99 || block.TotalLost != 0 {
		t.Errorf("%v of %d lost, %d in all", lost, expected, block.TotalLost)
	}
	if got := len(v.heard(t, out)); got != 99 {
		t.Errorf("%d packets sent", got)
	}
	if n := l.stats.repaired.Load(); n != 49 {
		t.Errorf("%d made, want 49", n)
	}
}

// Whatever is lost, late or doubled: no number goes out twice or carries anything else, and nothing that was repeated in time is missing.
func TestSoundInAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		repeats := 1 + random.IntN(2)
		v := newVoice(65500, 200, repeats)
		for i := range 200 {
			if random.IntN(20) == 0 {
				v.pause(i, 960*uint32(random.IntN(15))) //nolint:gosec // small
			}
		}
		var came []int
		for i := range 200 {
			if i == 0 || random.IntN(10) != 0 {
				came = append(came, i)
			}
		}
		for i := 1; i+1 < len(came); i++ {
			if random.IntN(4) == 0 {
				came[i], came[i+1] = came[i+1], came[i]
			}
		}
		p, d, out := soundLine()
		d.to.red = uint8(random.IntN(2) * redType) //nolint:gosec // small
		for _, i := range came {
			p.receive(v.packet(i), time.Now())
		}
		heard := v.heard(t, out)
		for _, i := range came {
			if !slices.Contains(heard, i) {
				t.Errorf("seed %d: %d came, and was not sent", seed, i)
			}
			if slices.Index(came, i) < slices.Index(came, i+2) && !slices.Contains(heard, i+1) {
				t.Errorf("seed %d: %d is missing between two that came", seed, i+1)
			}
		}
		if t.Failed() {
			return
		}
	}
}

func TestRedundancyTowardsASubscriber(t *testing.T) {
	for _, c := range []struct {
		taken   bool
		repeats int
		kind    uint8
		blocks  []int // how many the packets carry
	}{
		{false, 2, 96, nil},
		{true, 0, 96, nil},
		{true, 1, redType, []int{1, 2, 2, 2}},
		{true, 2, redType, []int{1, 2, 3, 3}},
	} {
		v := newVoice(10, 9, 0)
		p, d, out := soundLine()
		if c.taken {
			d.to.red = redType
		}
		d.egress.repeats = c.repeats
		for i := range 4 {
			p.receive(v.packet(i), time.Now())
		}
		if got := fmt.Sprint(v.heard(t, out)); got != "[0 1 2 3]" {
			t.Errorf("%+v: sent %s", c, got)
		}
		for i, h := range out.headers {
			if h.PayloadType != c.kind {
				t.Errorf("%+v: type %d", c, h.PayloadType)
			}
			if blocks, _ := codec.REDBlocks(nil, out.payloads[i]); c.blocks != nil && len(blocks) != c.blocks[i] {
				t.Errorf("%+v: packet %d has %d blocks", c, i, len(blocks))
			}
		}
	}
}

func TestSoundThatIsPlainIsRepeatedToo(t *testing.T) {
	p, d, out := newLine(false, false)
	d.to.red = redType
	for i := range uint16(3) {
		p.receive(raw(i, uint32(i)*960, opusNumber(int(i))), time.Now())
	}
	blocks, err := codec.REDBlocks(nil, out.payloads[2])
	if err != nil || len(blocks) != 2 || !bytes.Equal(blocks[0].Payload, opusNumber(1)) {
		t.Errorf("%d blocks, %v", len(blocks), err)
	}
}

func TestRedundancyThatDoesNotFit(t *testing.T) {
	block := func(n int) codec.REDBlock { return codec.REDBlock{Payload: make([]byte, n)} }
	for _, c := range []struct{ older, old, primary, want int }{
		{100, 100, 100, 2},
		{1000, 600, 700, 1},
		{1000, 1000, 500, 0},
		{10, 10, maxPayload, 0},
	} {
		p := packet{earlier: []codec.REDBlock{block(c.older), block(c.old)}, payload: make([]byte, c.primary)}
		if got := repeated(&p, 2); len(got) != c.want {
			t.Errorf("%+v: %d blocks", c, len(got))
		}
	}
}

func TestHowMuchIsRepeated(t *testing.T) {
	for _, c := range []struct {
		lossy           bool
		estimate, sound int
		want            int
	}{
		{false, 1_000_000, 48_000, 1},
		{true, 1_000_000, 48_000, 2},
		{true, 200_000, 48_000, 1},
		{true, 95_000, 48_000, 0},
		{false, 1_000_000, 500_000, 0},
		{false, 1_000_000, 0, 1},
	} {
		if got := repeats(c.lossy, c.estimate, c.sound); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestMoreIsRepeatedForAWhileAfterLosses(t *testing.T) {
	_, d, _ := soundLine()
	now, e := time.Now(), d.egress
	for _, c := range []struct {
		after time.Duration
		loss  float64
		want  int
	}{{0, 0, 1}, {time.Second, 0.05, 2}, {2 * time.Second, 0, 2}, {10 * time.Second, 0.02, 2}, {12 * time.Second, 0, 1}} {
		e.estimator.ReceiverReport(c.loss, 0, now.Add(c.after))
		e.protect(0, 48_000, now.Add(c.after))
		if e.repeats != c.want {
			t.Errorf("after %v: %d", c.after, e.repeats)
		}
	}
}

func TestRedundancyThatCannotBeRead(t *testing.T) {
	p, _, out := soundLine()
	cut := redPacket(2, 1920, []codec.REDBlock{{Offset: 960, Payload: opusNumber(1)}}, nil)
	p.receive(cut[:len(cut)-1], time.Now())
	if len(out.headers) != 0 || p.Counts().Malformed != 1 {
		t.Errorf("redundancy that is cut short: %+v", p.Counts())
	}
	if c := p.Codec().MimeType; c != "audio/opus" {
		t.Errorf("redundant sound is %s", c)
	}
}

func TestForwardingSoundDoesNotAllocate(t *testing.T) {
	p, d, _ := soundLine()
	p.layers[0].limiter.perSecond = 1 << 30
	d.to.red, d.egress.repeats, d.egress.out = redType, maxRepeats, sink{}
	v := newVoice(0, 1<<15, 1)
	var packets [][]byte
	for i := range 1 << 15 {
		if i%3 != 1 { // what is missing is made
			packets = append(packets, v.packet(i))
		}
	}
	now, next := time.Now(), 0
	send := func() {
		p.receive(packets[next], now)
		next++
	}
	for range 1000 {
		send()
	}
	if n := testing.AllocsPerRun(1000, send); n != 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}

// FuzzMend gives the server any redundancy.
func FuzzMend(f *testing.F) {
	f.Add(newVoice(1, 3, 2).packet(2)[12:], uint16(3), uint32(1920))
	f.Fuzz(func(t *testing.T, payload []byte, seq uint16, at uint32) {
		p, d, out := soundLine()
		d.to.red = redType
		now := time.Now()
		p.receive(redPacket(0, 0, nil, opusNumber(0)), now)
		p.receive(redPacket(5, 4800, nil, opusNumber(5)), now)
		b := raw(seq, at, payload)
		b[1] = redType
		p.receive(b, now)
		seen := make(map[uint16]bool)
		for _, h := range out.headers {
			if seen[h.SequenceNumber] {
				t.Fatalf("%d is sent twice", h.SequenceNumber)
			}
			seen[h.SequenceNumber] = true
		}
	})
}

// What is made counts as if it had come: a few bytes that stand for many packets get nobody more than a publisher may send.
func TestMendingIsNoAmplifier(t *testing.T) {
	v := newVoice(10, 8000, 15)
	p, _, out := soundLine()
	now := time.Now()
	limit := p.layers[0].limiter.perSecond / 10
	for i := 0; i < 8000; i += 16 {
		p.receive(v.packet(i), now)
	}
	if got := len(out.headers); got > limit || got > (maxMade+1)*8000/16 {
		t.Errorf("%d packets sent of %d that came, %d are allowed", got, 8000/16, limit)
	}
	if p.counts.excess.Load() == 0 {
		t.Error("nothing was refused")
	}
}

func TestABlockOfAnotherKindIsNotSound(t *testing.T) {
	p, _, out := soundLine()
	now := time.Now()
	p.receive(redPacket(10, 0, nil, opusNumber(0)), now)
	comfort := redPacket(12, 1920, []codec.REDBlock{{Offset: 960, Payload: opusNumber(1)}}, opusNumber(2))
	comfort[12] = 0x80 | 13 // comfort noise (RFC 3389)
	p.receive(comfort, now)
	if got := out.seqs(); got != "[10 12]" {
		t.Errorf("sent %s", got)
	}
}

// What comes very late does not take a newer packet's place among those that are repeated.
func TestLateSoundIsNotKeptOverNewer(t *testing.T) {
	var r soundRing
	put := func(seq uint16) { r.put(&packet{seq: seq, payload: opusNumber(int(seq))}) }
	put(soundsKept + 3)
	put(3)
	if r.get(soundsKept+3, 0) == nil || r.get(3, 0) != nil {
		t.Error("the older one is kept")
	}
	put(2*soundsKept + 3)
	if r.get(2*soundsKept+3, 0) == nil {
		t.Error("the newest one is not kept")
	}
}
