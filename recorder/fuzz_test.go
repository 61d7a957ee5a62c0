package recorder

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"
)

// fuzzed reads items from bytes: 16 of a head, then the payload.
func fuzzed(b []byte, begin time.Time) []Item {
	var out []Item
	at := begin
	for len(b) >= 16 && len(out) < 100 {
		at = at.Add(time.Duration(b[0]) * time.Millisecond)
		item := Item{Arrival: at, Epoch: uint32(b[1] >> 6), Dropped: uint64(b[1] & 1)}
		n := min(int(b[3]), len(b)-16)
		if b[1]&2 != 0 {
			item.Report = &SenderReport{NTP: binary.BigEndian.Uint64(b[4:]), RTP: binary.BigEndian.Uint32(b[12:])}
		} else {
			item.Packet = &rtp.Packet{Header: rtp.Header{
				SequenceNumber: binary.BigEndian.Uint16(b[4:]), Timestamp: binary.BigEndian.Uint32(b[6:]), Marker: b[1]&4 != 0,
			}, Payload: b[16 : 16+n]}
		}
		out = append(out, item)
		b = b[16+n:]
	}
	return out
}

// hex of a packet for the corpus: an item's head and payload.
func seedItem(after, flags byte, seq uint16, stamp uint32, payload []byte) []byte {
	b := []byte{after, flags, 0, byte(len(payload))}
	b = binary.BigEndian.AppendUint16(b, seq)
	b = binary.BigEndian.AppendUint32(b, stamp)
	b = append(b, make([]byte, 6)...)
	return append(b, payload...)
}

// FuzzWriter lets any packets and reports arrive: nothing panics, and what is stored keeps the rules of segments.
func FuzzWriter(f *testing.F) {
	key := []byte{0x10, 0x30, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00, 1, 2, 3}
	delta := []byte{0x10, 0x31, 0x00, 0x00, 1, 2, 3}
	var video, audio []byte
	for i := range 20 {
		p := delta
		if i%5 == 0 {
			p = key
		}
		video = append(video, seedItem(33, 4, uint16(i), uint32(i*3000), p)...)
		audio = append(audio, seedItem(20, 0, uint16(i*2), uint32(i*960), []byte{0xfc, 1})...)
	}
	f.Add(video, true)
	f.Add(audio, false)
	f.Add(append(seedItem(0, 2, 1, 2, nil), audio...), false)
	f.Fuzz(func(t *testing.T, b []byte, isPicture bool) {
		r, index := newRecorder(t, Config{})
		info := audioInfo("m")
		if isPicture {
			info = videoInfo("m")
		}
		run := newRun(r, "s", 0)
		w := newWriter(r, run, newFeed(info), &senderClock{})
		for _, item := range fuzzed(b, run.ref) {
			w.take(item)
			w.tick(run.at(item.Arrival))
		}
		w.finish()
		closed(t, r)
		for _, s := range index.all() {
			got, file, err := r.Open(t.Context(), "s", s.ID)
			if err != nil {
				t.Fatal(err)
			}
			var all bytes.Buffer
			if _, err := all.ReadFrom(file); err != nil {
				t.Fatal(err)
			}
			file.Close()
			blocks := blocksOf(all.Bytes())
			if got.Bytes != int64(all.Len()) || len(blocks) == 0 || !blocks[0].key || got.End <= got.Start || got.Start < 0 {
				t.Fatalf("segment %+v with %d blocks", got, len(blocks))
			}
		}
	})
}

// FuzzRepairWebM repairs any bytes: nothing panics, and a second repair changes nothing.
func FuzzRepairWebM(f *testing.F) {
	header, err := webmHeader(opusTrack(2), 0)
	if err != nil {
		f.Fatal(err)
	}
	var c cluster
	c.add(0, frame{key: true, data: []byte{0xfc, 1}, duration: 20})
	c.add(20, frame{key: true, data: []byte{0xfc, 2}, duration: 20})
	b, err := c.marshal()
	if err != nil {
		f.Fatal(err)
	}
	file := append(header, b...)
	f.Add(file)
	f.Add(file[:len(file)-1])
	f.Add(append(bytes.Clone(file), b...))
	c.add(40, frame{data: []byte{0xfc, 3}, duration: 20})
	c.until(900)
	if b, err = c.marshal(); err != nil {
		f.Fatal(err)
	}
	f.Add(append(bytes.Clone(file), b...))
	f.Fuzz(func(t *testing.T, b []byte) {
		once, end := repairWebM(b)
		twice, again := repairWebM(once)
		if end < 0 || end > math.MaxInt64/2 {
			t.Fatalf("the end is %d", end)
		}
		if len(once) <= len(b) && end > 0 && (!bytes.Equal(once, twice) || again != end) {
			t.Fatalf("% x becomes % x and then % x; ends %d and %d", b, once, twice, end, again)
		}
	})
}

// FuzzReadCSV reads any bytes: what is read stays the same when it is written and read again.
func FuzzReadCSV(f *testing.F) {
	var b bytes.Buffer
	if err := WriteCSV(&b, NewExport(journal(), everything())); err != nil {
		f.Fatal(err)
	}
	f.Add(b.String())
	f.Fuzz(func(t *testing.T, s string) {
		notes, err := readCSV(bytes.NewBufferString(s))
		if err != nil {
			return
		}
		notes = rewritten(t, notes)
		if diff := cmp.Diff(notes, rewritten(t, notes)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func rewritten(t *testing.T, notes []ExportNote) []ExportNote {
	t.Helper()
	var b bytes.Buffer
	if err := WriteCSV(&b, Export{Notes: notes}); err != nil {
		t.Fatal(err)
	}
	out, err := readCSV(&b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
