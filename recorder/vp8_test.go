package recorder

import (
	"bytes"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// inOrder packetises VP8 frames.
func inOrder(frames []sample) []arrived {
	payloader := codecs.VP8Payloader{EnablePictureID: true}
	var out []arrived
	for i, f := range frames {
		parts := payloader.Payload(500, f.data)
		for k, part := range parts {
			out = append(out, arrived{Packet: &rtp.Packet{Header: rtp.Header{
				SequenceNumber: uint16(len(out)), Timestamp: uint32(i * 3000), Marker: k == len(parts)-1,
			}, Payload: part}})
		}
	}
	return out
}

func assemble(packets []arrived) (a *vp8Assembler, out []frame) {
	a = newVP8Assembler()
	for _, p := range packets {
		out = append(out, a.push(p)...)
	}
	return a, out
}

func TestFramesAreAssembled(t *testing.T) {
	src := encoded(t).video[:30]
	for name, change := range map[string]func(*arrived){
		"as sent":         func(*arrived) {},
		"without markers": func(p *arrived) { p.Marker = false },
	} {
		packets := inOrder(src)
		for i := range packets {
			change(&packets[i])
		}
		_, got := assemble(append(packets, inOrder(src[:1])...))
		for i, f := range got[:30] {
			if !bytes.Equal(f.data, src[i].data) || f.rtp != uint32(i*3000) || f.key != (i == 0) {
				t.Errorf("%s: frame %d differs", name, i)
			}
		}
		if got[0].width != 320 || got[0].height != 240 {
			t.Errorf("%s: the size is %dx%d", name, got[0].width, got[0].height)
		}
	}
}

func TestAfterALossFramesWaitForAKeyFrame(t *testing.T) {
	src := encoded(t).video[:150] // key frames at 0 and 120
	packets := inOrder(src)
	for i := range packets {
		if packets[i].Timestamp == 20*3000 { // the 21st frame loses its first packet
			packets = append(packets[:i:i], packets[i+1:]...)
			packets[i].lost = true
			break
		}
	}
	_, got := assemble(packets)
	if len(got) != 20+30 || got[20].rtp != 120*3000 || !got[20].key {
		t.Errorf("%d frames came out; the first after the loss is from %d", len(got), got[20].rtp/3000)
	}
}

func TestMissingPaddingIsNoLoss(t *testing.T) {
	packets := inOrder(encoded(t).video[:10])
	for i := range packets {
		if i > 0 && packets[i-1].Marker {
			packets[i].lost = true // padding between frames has numbers too
		}
	}
	if _, got := assemble(packets); len(got) != 10 {
		t.Errorf("%d of 10 frames came out", len(got))
	}
	packets[len(packets)-1].lost = true
	for i := range packets {
		packets[i].Payload[0] &^= 0x80 // no picture id: then nobody can know
		packets[i].Payload = append([]byte{packets[i].Payload[0]}, packets[i].Payload[4:]...)
	}
	if a, got := assemble(packets); len(got) != 1 || !a.needsKey {
		t.Errorf("without picture ids, %d frames came out", len(got))
	}
}

func TestPaddingTellsWhatWasMissing(t *testing.T) {
	padding := arrived{Packet: &rtp.Packet{}}
	lost := arrived{Packet: &rtp.Packet{}, lost: true}
	src := inOrder(encoded(t).video[:10])
	var quiet, torn []arrived
	for i, p := range src {
		quiet = append(quiet, p)
		if p.Marker {
			quiet = append(quiet, padding, lost, padding) // more padding is missing: the next frame follows this one
		}
		if i != 1 { // a part of the key frame
			torn = append(torn, p)
		} else {
			torn = append(torn, lost, padding)
		}
	}
	if _, got := assemble(quiet); len(got) != 10 {
		t.Errorf("%d of 10 frames came out among padding", len(got))
	}
	if _, got := assemble(torn); len(got) != 0 {
		t.Errorf("%d frames came out although the first lacks a part", len(got))
	}
}

func TestBrokenFramesDoNotPass(t *testing.T) {
	key := encoded(t).video[0].data
	for name, b := range map[string][]byte{
		"empty": nil, "two bytes": key[:2], "cut in the header": key[:9], "cut in the first partition": key[:40],
		"no start code": append(append([]byte{}, key[:3]...), bytes.Repeat([]byte{7}, 2000)...),
		"no size":       append(append(append([]byte{}, key[:6]...), 0, 0, 0, 0), key[10:]...),
	} {
		if _, ok := parseVP8Header(b); ok {
			t.Errorf("%s: taken for a frame", name)
		}
	}
	if h, ok := parseVP8Header(key); !ok || !h.key {
		t.Error("a key frame is not taken")
	}
}
