package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/clip"
)

// huge is the side of a picture that would fill the memory of a computer.
const huge = 30_000

// encode runs ffmpeg, whose last argument is the name of what it makes, and returns what that is.
func encode(t *testing.T, args ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), args[len(args)-1])
	args = append([]string{"-v", "error", "-nostdin"}, args...)
	args[len(args)-1] = path
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %v: %v %s", args, err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// box is a chunk of a RIFF file.
func box(name string, parts ...[]byte) []byte {
	data := bytes.Join(parts, nil)
	out := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(data)))
	out = append(out, data...)
	return append(out, make([]byte, len(data)%2)...)
}

// avi is a video at 25 frames a second, of frames that are compressed as its four letters say. Its header claims a side; what the
// frames say of themselves is up to them.
func avi(codec string, side uint32, frames ...[]byte) []byte {
	words := func(values ...uint32) []byte {
		var b []byte
		for _, v := range values {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		return b
	}
	n := uint32(len(frames))
	main := box("avih", words(40_000, 0, 0, 0x10, n, 0, 1, 0, side, side, 0, 0, 0, 0))
	stream := box("strh", []byte("vids"+codec), words(0, 0, 0, 1, 25, 0, n, 0, 0, 0, 0, 0))
	format := box("strf", words(40, side, side, 24<<16|1), []byte(codec), words(0, 0, 0, 0, 0))
	movie := []byte("movi")
	for _, f := range frames {
		movie = append(movie, box("00dc", f)...)
	}
	header := box("LIST", []byte("hdrl"), main, box("LIST", []byte("strl"), stream, format))
	return box("RIFF", []byte("AVI "), header, box("LIST", movie))
}

// picture is a true PNG of black (RFC 2083), 140 KB that unfold to 900 million pixels if the side is huge.
func picture(t *testing.T, side int) []byte {
	t.Helper()
	header := binary.BigEndian.AppendUint32(nil, uint32(side))
	header = binary.BigEndian.AppendUint32(header, uint32(side))
	header = append(header, 1, 0, 0, 0, 0)        // one bit of grey for each pixel
	rows := zeros(t, int64(side)*int64(1+side/8)) // how a row is filtered, and its pixels
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", header), chunk("IDAT", rows), chunk("IEND", nil))
}

// chunk is a part of a PNG.
func chunk(name string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, name...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// zeros is a zlib stream (RFC 1950) that unfolds to so many zero bytes. What a megabyte of them compresses to is written as often as
// it takes: to compress them all takes a minute with the race detector.
func zeros(t *testing.T, n int64) []byte {
	t.Helper()
	const mega = 1 << 20
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	compress := func(n int64) []byte {
		b.Reset()
		if _, err := w.Write(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(b.Bytes())
	}
	out := slices.Concat([]byte{0x78, 0x01}, compress(n%mega), bytes.Repeat(compress(mega), int(n/mega)))
	b.Reset()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out = append(out, b.Bytes()...)
	return binary.BigEndian.AppendUint32(out, uint32(n%65521)<<16|1) // Adler-32 of zeros
}

// bits are written as H.264 has them (ITU-T H.264 section 9.1).
type bits struct {
	bytes []byte
	n     int
}

func (b *bits) put(value uint64, count int) {
	for i := count - 1; i >= 0; i-- {
		if b.n%8 == 0 {
			b.bytes = append(b.bytes, 0)
		}
		b.bytes[b.n/8] |= byte(value>>i&1) << (7 - b.n%8)
		b.n++
	}
}

// ue are numbers in Exp-Golomb codes.
func (b *bits) ue(values ...uint64) {
	for _, v := range values {
		size := 0
		for (v+1)>>size > 1 {
			size++
		}
		b.put(v+1, 2*size+1)
	}
}

// h264 is a key frame whose parameter set says how large it is, in macroblocks of 16 pixels; of the picture, only the beginning
// is there.
func h264(side uint64) []byte {
	var sps, pps, slice bits
	sps.put(0x67<<24|66<<16|0xc0<<8|62, 32) // baseline, level 6.2
	sps.ue(0, 0, 2, 1)                      // id, frame numbers, order of pictures, references
	sps.put(0, 1)
	sps.ue(side/16-1, side/16-1)
	sps.put(0b110_01, 5) // frames; no cropping, no VUI; end
	pps.put(0x68, 8)
	pps.ue(0, 0)
	pps.put(0, 2)
	pps.ue(0, 0, 0)
	pps.put(0, 3)
	pps.ue(0, 0, 0)
	pps.put(0b000_1, 4)
	slice.put(0x65, 8)
	slice.ue(0, 7, 0)
	slice.put(0, 4) // number of the frame
	slice.ue(0)
	slice.put(0, 2)
	slice.ue(0)
	for range 40 { // macroblocks: 16x16, predicted as grey, without a residual
		slice.ue(3, 0, 0)
		slice.put(1, 1)
	}
	slice.put(1, 1)
	const start = "\x00\x00\x00\x01"
	return bytes.Join([][]byte{nil, sps.bytes, pps.bytes, slice.bytes}, []byte(start))
}

// sizedJPEG makes a JPEG picture say that it has another side (SOF0, ITU-T T.81 section B.2.2).
func sizedJPEG(t *testing.T, jpeg []byte, side uint16) []byte {
	t.Helper()
	return sized(t, jpeg, bytes.Index(jpeg, []byte("\xff\xc0\x00\x11")), 5, side)
}

// sizedMP4 makes the header of an MP4 claim another side than its H.264 has (ISO/IEC 14496-12 section 12.1.3).
func sizedMP4(t *testing.T, mp4 []byte, side uint16) []byte {
	t.Helper()
	return sized(t, mp4, bytes.LastIndex(mp4, []byte("avc1")), 28, side)
}

// sized writes another side over the two that stand a few bytes behind a mark, whose place is negative if it was not found.
func sized(t *testing.T, file []byte, mark, behind int, side uint16) []byte {
	t.Helper()
	if mark < 0 {
		t.Fatal("nothing says how large the picture is")
	}
	out := bytes.Clone(file)
	binary.BigEndian.PutUint16(out[mark+behind:], side)
	binary.BigEndian.PutUint16(out[mark+behind+2:], side)
	return out
}

// footage is what people with bad intentions upload as lesson.mp4.
func footage(t *testing.T) map[string][]byte {
	t.Helper()
	good := encode(t, "-f", "lavfi", "-i", "testsrc2=d=2:s=320x180", "-c:v", "libx264", "-preset", "ultrafast", "good.mp4")
	jpeg := encode(t, "-f", "lavfi", "-i", "testsrc2=s=320x320", "-frames:v", "1", "-pix_fmt", "yuvj420p", "a.jpg")
	large := encode(t, "-f", "lavfi", "-i", "color=s=64x64:r=25", "-vf", "scale=12000:12000:flags=neighbor", "-frames:v", "1",
		"-pix_fmt", "gray", "-c:v", "mjpeg", "-strict", "-1", "large.jpg")
	bomb, dot := picture(t, huge), picture(t, 320)
	empty := make([]byte, 2000)
	secret := filepath.Join(t.TempDir(), "secret.mp4")
	if err := os.WriteFile(secret, good, 0o600); err != nil {
		t.Fatal(err)
	}
	playlist := "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://" + secret + "\n#EXT-X-ENDLIST\n"
	return map[string][]byte{
		"every frame a huge PNG":           avi("MPNG", huge, bomb, bomb, bomb),
		"a huge PNG behind a small header": avi("MPNG", 320, bomb, bomb, bomb),
		"one huge PNG among small ones":    avi("MPNG", 320, dot, dot, dot, bomb, dot, dot),
		"one huge frame":                   avi("MPNG", huge, bomb),
		"huge JPEGs":                       avi("MJPG", 320, sizedJPEG(t, jpeg, huge), sizedJPEG(t, jpeg, huge), sizedJPEG(t, jpeg, huge)),
		"one huge JPEG among small ones":   avi("MJPG", 320, jpeg, jpeg, sizedJPEG(t, jpeg, huge), jpeg, jpeg),
		"large JPEGs that are true":        avi("MJPG", 12_000, large, large, large),
		"one large JPEG among small ones":  avi("MJPG", 320, jpeg, jpeg, large, jpeg, jpeg),
		"huge H.264":                       avi("H264", 320, h264(huge), h264(huge), h264(huge), h264(huge)),
		"huge raw pictures":                avi("Y800", huge, empty, empty, empty),
		"huge FFV1":                        avi("FFV1", huge, empty, empty, empty),
		"MP4 with a huge header":           sizedMP4(t, good, huge),
		"HLS playlist":                     []byte(playlist),
		"playlist behind the box of a MP4": append([]byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42"), playlist...),
		"concat script":                    []byte("ffconcat version 1.0\nfile '" + secret + "'\nfile '/etc/passwd'\n"),
		"SVG":                              []byte(`<svg xmlns="http://www.w3.org/2000/svg"><image href="file://` + secret + `"/><script>alert(1)</script></svg>`),
		"DASH manifest":                    []byte(`<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><BaseURL>file://` + secret + `</BaseURL></Period></MPD>`),
		"page that is a MP4 further on":    append([]byte("<!DOCTYPE html><script>alert(1)</script>"), good...),
		"PDF that is a MP4 further on":     append([]byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), good...),
		"GIF that is a MP4 further on":     append([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), good...),
		"MP4 without its index":            bytes.Replace(good, []byte("moov"), []byte("moot"), 1),
		"boxes larger than the file":       append([]byte("\x00\x00\x00\x01mdat\x7f\xff\xff\xff\xff\xff\xff\xff"), good...),
	}
}

// send uploads a file whole and returns its clip.
func (b *browser) send(data []byte) string {
	b.t.Helper()
	id := b.upload(fmt.Sprint(len(data)))
	res, text := b.request("PATCH", "/api/uploads/"+id, bytes.NewReader(data), tus("0"))
	if res.StatusCode != http.StatusNoContent {
		b.t.Fatalf("PATCH: %d %s", res.StatusCode, text)
	}
	return id
}

// prepared waits until a clip is ready or refused.
func (b *browser) prepared(id string) (state, refusal string) {
	b.t.Helper()
	b.poll("/api/clips/"+id, func(_ int, text []byte) bool {
		var c struct{ State, Refusal string }
		if err := json.Unmarshal(text, &c); err != nil {
			b.t.Fatalf("%v: %s", err, text)
		}
		state, refusal = c.State, c.Refusal
		return state == "ready" || state == "refused"
	})
	return state, refusal
}

// tools puts ffmpeg and ffprobe into a folder, which note under what limits, and with what arguments, they were started.
func tools(t *testing.T) (ffmpeg, notes string) {
	t.Helper()
	dir := t.TempDir()
	notes = filepath.Join(dir, "notes")
	for _, name := range []string{"ffmpeg", "ffprobe"} {
		real, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		script := fmt.Sprintf("#!/bin/sh\necho \"$(ulimit -v) $(ulimit -f) $(ulimit -c) %s $*\" >>%s\nexec %s \"$@\"\n", name, notes, real)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "ffmpeg"), notes
}

// What is no video, or none that a computer can show, is refused with a sentence, by a program that is kept within limits; the
// next clip is prepared as ever.
func TestHostileFootage(t *testing.T) {
	t.Parallel() // nearly all of it is done by other processes
	ffmpeg, notes := tools(t)
	s := startFilled(t, "--ffmpeg", ffmpeg)
	for name, data := range footage(t) {
		t.Run(name, func(t *testing.T) {
			amara := signedIn(t, s)
			state, refusal := amara.prepared(amara.send(data))
			tooLarge := strings.Contains(name, "huge") || strings.Contains(name, "large ")
			if state != "refused" || tooLarge && !strings.Contains(refusal, "too large") || !strings.HasSuffix(refusal, ".") || strings.ContainsAny(refusal, "/\\[@") {
				t.Errorf("%s: %s", state, refusal)
			}
			t.Log(refusal)
		})
	}
	amara := signedIn(t, s)
	good := encode(t, "-f", "lavfi", "-i", "testsrc2=d=1:s=320x180", "-c:v", "libx264", "-preset", "ultrafast", "good.mp4")
	if state, refusal := amara.prepared(amara.send(good)); state != "ready" {
		t.Errorf("a lesson afterwards is %s: %s", state, refusal)
	}
	if logs := s.stderr.String(); strings.Contains(logs, "panic") || strings.Contains(logs, "level=ERROR") {
		t.Errorf("logged: %s", logs)
	}
	checkLimits(t, notes)
}

// checkLimits holds how the programs were started against what keeps a file from doing harm.
func checkLimits(t *testing.T, notes string) {
	t.Helper()
	data, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	uploads := 0
	for line := range strings.Lines(string(data)) {
		var memory, file, core int64
		if n, err := fmt.Sscan(line, &memory, &file, &core); n != 3 || memory > 4<<20 || file > 32<<20 || core != 0 {
			t.Errorf("limits of memory (KiB), files (512 B) and dumps: %v %s", err, line)
		}
		if !strings.Contains(line, "/uploads/") {
			continue
		}
		uploads++
		for _, want := range []string{" -f ", " -protocol_whitelist file,pipe ", " -codec_whitelist ", " -max_pixels 40000000 ", " -i file:/"} {
			if !strings.Contains(line, want) {
				t.Errorf("%q is not among %s", want, line)
			}
		}
	}
	if uploads == 0 {
		t.Errorf("nothing was started: %s", data)
	}
}

// Sizes that are not true are refused, or waited for.
func TestLyingSizes(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	for length, want := range map[string]int{
		"4294967297": 413, "99999999999999999999": 413, "-1": 400, "0x10": 400, "1e3": 400, "": 400, "0": 422,
	} {
		if res, text := amara.request("POST", "/api/uploads/", nil, map[string]string{"Tus-Resumable": "1.0.0", "Upload-Length": length}); res.StatusCode != want {
			t.Errorf("length %q: %d %s, want %d", length, res.StatusCode, text, want)
		}
	}
	id := amara.upload("10")
	path := "/api/uploads/" + id
	for name, body := range map[string]interface{ Read([]byte) (int, error) }{
		"a length": strings.NewReader("more than ten"), "no length": struct{ *strings.Reader }{strings.NewReader("more than ten")},
	} {
		if res, text := amara.request("PATCH", path, body, tus("0")); res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("more than was announced, with %s: %d %s", name, res.StatusCode, text)
		}
	}
	if res, text := amara.request("PATCH", path, strings.NewReader("four"), tus("0")); res.StatusCode != http.StatusNoContent {
		t.Fatalf("less than was announced: %d %s", res.StatusCode, text)
	}
	if res, text := amara.request("PATCH", path, strings.NewReader("more"), tus("2")); res.StatusCode != http.StatusConflict {
		t.Errorf("at another place: %d %s", res.StatusCode, text)
	}
	var c struct{ State string }
	amara.must(200, "GET", "/api/clips/"+id, nil, &c)
	if c.State != string(clip.Uploading) {
		t.Errorf("with the end missing the clip is %s", c.State)
	}
	amara.request("PATCH", path, strings.NewReader("sixsix"), tus("4"))
	if state, refusal := amara.prepared(id); state != "refused" {
		t.Errorf("ten letters are %s: %s", state, refusal)
	}
}

// The practice clip is drawn and prepared on the machine once, and is everybody's who has an account.
func TestPracticeClip(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	for who, b := range map[string]*browser{"the first account": amara, "another": secondAccount(t, amara)} {
		var list struct {
			Clips []struct {
				ID, State        string
				Mine, Practice   bool
				HasAudio         bool
				Frames, Duration int64
				Width, Height    int
			}
		}
		b.must(200, "GET", "/api/clips", nil, &list)
		if len(list.Clips) != 1 {
			t.Fatalf("%s sees %d clips", who, len(list.Clips))
		}
		c := list.Clips[0]
		if c.ID != clip.PracticeID || c.State != string(clip.Ready) || c.Mine || !c.Practice || !c.HasAudio ||
			c.Frames != 60*25 || c.Duration != 60_000_000 || c.Width != 1280 || c.Height != 720 {
			t.Errorf("%s sees %+v", who, c)
		}
	}
	var thumbs clip.Sprites
	amara.must(200, "GET", "/api/clips/"+clip.PracticeID+"/media/"+clip.Thumbs, nil, &thumbs)
	if want := (clip.Sprites{Interval: 1e6, Width: 160, Height: 90, Cols: 10, Rows: 10, Count: 60, Sheets: 1}); thumbs != want {
		t.Errorf("%s is %+v, want %+v", clip.Thumbs, thumbs, want)
	}
}
