package codec_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// stream is how ffmpeg encodes a test picture, with a key frame every 15 frames.
type stream struct {
	kind    codec.Kind
	encoder []string
	ext     string
	units   func([]byte) [][]byte
	pion    func() rtp.Payloader
}

var streams = []stream{
	{codec.VP8, []string{"libvpx", "-deadline", "realtime"}, "ivf", ivfFrames, func() rtp.Payloader {
		return &codecs.VP8Payloader{EnablePictureID: true}
	}},
	{
		codec.VP9,
		[]string{"libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"},
		"ivf",
		ivfFrames, func() rtp.Payloader { return &codecs.VP9Payloader{} },
	},
	{
		codec.H264,
		[]string{"libx264", "-preset", "ultrafast", "-bf", "0", "-bsf:v", "h264_metadata=aud=insert"},
		"h264",
		accessUnits, func() rtp.Payloader { return &codecs.H264Payloader{} },
	},
	{codec.AV1, []string{"libaom-av1", "-cpu-used", "8", "-usage", "realtime"}, "ivf", ivfFrames, func() rtp.Payloader {
		return &codecs.AV1Payloader{}
	}},
}

// ffmpeg encodes 45 frames of a picture of 98 by 66, which is no multiple of a block.
func (s stream) ffmpeg(t *testing.T, output ...string) {
	t.Helper()
	args := []string{"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=98x66:rate=15:duration=3", "-pix_fmt", "yuv420p", "-c:v"}
	args = append(append(append(args, s.encoder...), "-g", "15", "-keyint_min", "15"), output...)
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
}

// keyframes counts them with ffprobe.
func keyframes(t *testing.T, file string) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_entries", "packet=flags", "-of", "csv=p=0", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(out), "K")
}

// ivfFrames cuts an IVF file: a header of 32 bytes, then frames with 12 bytes before each.
func ivfFrames(file []byte) (frames [][]byte) {
	for b := file[32:]; len(b) > 12; {
		end := 12 + int(binary.LittleEndian.Uint32(b))
		frames = append(frames, b[12:end])
		b = b[end:]
	}
	return frames
}

// accessUnits cuts an H.264 byte stream at its delimiters.
func accessUnits(file []byte) (units [][]byte) {
	for unit := range bytes.SplitSeq(file, []byte{0, 0, 0, 1, 9}) {
		if len(unit) > 0 {
			units = append(units, unit[1:]) // without the kind of picture
		}
	}
	return units
}

// count is what was read of a stream. Frames are told by their timestamps.
type count struct {
	begun, ended, key map[uint32]bool
	size              codec.Size
}

func newCount() *count {
	return &count{begun: map[uint32]bool{}, ended: map[uint32]bool{}, key: map[uint32]bool{}}
}

func (c *count) read(t *testing.T, k codec.Kind, payload []byte, marker bool, timestamp uint32) {
	t.Helper()
	f, err := codec.Parse(k, payload, marker, nil)
	if err != nil {
		t.Fatalf("% x: %v", payload[:min(16, len(payload))], err)
	}
	c.note(f, timestamp)
}

func (c *count) note(f codec.Frame, timestamp uint32) {
	if f.Begin {
		c.begun[timestamp] = true
	}
	if f.End {
		c.ended[timestamp] = true
	}
	if f.Keyframe {
		c.key[timestamp] = true
	}
	if f.Width != 0 {
		c.size = f.Size
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (c *count) check(t *testing.T, frames, keyframes int) {
	t.Helper()
	if len(c.begun) != frames || len(c.ended) != frames || len(c.key) != keyframes {
		t.Errorf("%d begun, %d ended, %d key frames; want %d, %d key frames", len(c.begun), len(c.ended), len(c.key), frames, keyframes)
	}
	if c.size != (codec.Size{Width: 98, Height: 66}) {
		t.Errorf("size %+v", c.size)
	}
}

// Streams that ffmpeg encodes and pion packs are read as ffprobe reads them.
func TestRealStreams(t *testing.T) {
	for _, s := range streams {
		t.Run(s.kind.String(), func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "video."+s.ext)
			s.ffmpeg(t, file)
			units, c, payloader := s.units(readFile(t, file)), newCount(), s.pion()
			for i, unit := range units {
				payloads := payloader.Payload(200, unit)
				for j, payload := range payloads {
					c.read(t, s.kind, payload, j == len(payloads)-1, uint32(i)) //nolint:gosec // few
					comparePion(t, s.kind, payload)
				}
			}
			c.check(t, 45, keyframes(t, file))
		})
	}
}

// comparePion checks the counters against what another reader of the same payload says.
func comparePion(t *testing.T, k codec.Kind, payload []byte) {
	t.Helper()
	f, _ := codec.Parse(k, payload, false, nil)
	switch k {
	case codec.VP8:
		var p codecs.VP8Packet
		if _, err := p.Unmarshal(payload); err != nil || p.PictureID != f.PictureID || p.TL0PICIDX != f.TL0 || p.TID != f.Temporal {
			t.Errorf("%+v, %v; here %+v", p, err, f)
		}
	case codec.VP9:
		var p codecs.VP9Packet
		if _, err := p.Unmarshal(payload); err != nil || p.PictureID != f.PictureID || p.TL0PICIDX != f.TL0 || p.B != f.Begin || p.E != f.End ||
			p.TID != f.Temporal || p.SID != f.Spatial {
			t.Errorf("%+v, %v; here %+v", p, err, f)
		}
	}
}

// What ffmpeg packs itself is read as well. It does not write AV1 as RTP in all versions, so that is pion's above. The socket is one of
// this machine, on which nothing is lost however slow the reader is.
func TestRealRTP(t *testing.T) {
	for _, s := range streams[:3] {
		t.Run(s.kind.String(), func(t *testing.T) {
			t.Parallel()
			addr := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "rtp"), Net: "unixgram"}
			conn, err := net.ListenUnixgram(addr.Net, addr)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			done := make(chan *count)
			go func() { done <- receive(t, conn, s.kind) }()
			s.ffmpeg(t, "-strict", "experimental", "-packetsize", "300", "-f", "rtp", "-type", "datagram", "unix:"+addr.Name)
			if _, err := conn.WriteTo(nil, addr); err != nil {
				t.Fatal(err)
			}
			(<-done).check(t, 45, 3) // one key frame a second
		})
	}
}

// receive reads what comes until an empty datagram; it may be called from another goroutine.
func receive(t *testing.T, conn *net.UnixConn, k codec.Kind) *count {
	c, buf := newCount(), make([]byte, 2000)
	for {
		n, _, err := conn.ReadFromUnix(buf)
		if err != nil || n == 0 {
			return c
		}
		var p rtp.Packet
		if buf[1] >= 192 && buf[1] <= 223 || p.Unmarshal(buf[:n]) != nil { // RTCP (RFC 5761 section 4)
			continue
		}
		f, err := codec.Parse(k, p.Payload, p.Marker, nil)
		if err != nil {
			t.Errorf("%d: %v", p.SequenceNumber, err)
			continue
		}
		c.note(f, p.Timestamp)
	}
}
