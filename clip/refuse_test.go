package clip

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/ffmpeg"
)

// hostile makes the files that are no clips, by name.
func hostile(t *testing.T) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.mp4")
	made := func(name string, args ...string) []byte {
		path := filepath.Join(dir, name)
		runFFmpeg(t, append(args, path)...)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	video := made("secret.mp4", "-f", "lavfi", "-i", "testsrc2=d=4:s=320x180", "-c:v", "libx264", "-preset", "ultrafast")
	quick := made("quick.mp4", "-i", secret, "-c", "copy", "-movflags", "+faststart")
	huge := made("huge.avi", "-f", "lavfi", "-i", "color=s=64x64:r=25:d=1", "-c:v", "rawvideo", "-pix_fmt", "gray")
	huge = setDimensions(huge, 30000)
	return map[string][]byte{
		"empty of sense":        []byte(strings.Repeat("Dear diary, ", 1000)),
		"HLS playlist":          []byte("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://" + secret + "\n#EXT-X-ENDLIST\n"),
		"concat script":         []byte("ffconcat version 1.0\nfile '" + secret + "'\n"),
		"SVG":                   []byte(`<svg xmlns="http://www.w3.org/2000/svg"><image href="file://` + secret + `"/></svg>`),
		"HTML after a box":      append([]byte("\x00\x00\x00\x20ftypisom\x00\x00\x00\x00isomiso2avc1mp41"), "<html><script>alert(1)</script>"...),
		"playlist after a box":  append([]byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00"), ("#EXTM3U\n#EXTINF:10,\nfile://" + secret + "\n")...),
		"DASH manifest":         []byte(`<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>`),
		"zip":                   append([]byte("PK\x03\x04"), make([]byte, 4000)...),
		"picture":               made("a.jpg", "-f", "lavfi", "-i", "testsrc2=s=320x180", "-frames:v", "1"),
		"HEIC picture":          append([]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), make([]byte, 4000)...),
		"one frame":             made("one.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180", "-frames:v", "1"),
		"huge in its frames":    hugeFrames(made("big.avi", "-f", "lavfi", "-i", "testsrc2=s=320x180:d=1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p")),
		"huge by its header":    huge,
		"only sound":            made("a.m4a", "-f", "lavfi", "-i", "sine=d=2"),
		"end cut off":           video[:len(video)*2/3],
		"middle and end gone":   quick[:len(quick)/3],
		"sizes that are untrue": append([]byte("\x00\x00\x00\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff"), video...),
		"noise in a transport stream": func() []byte {
			data := make([]byte, 188*100)
			for i := range data {
				data[i] = byte(i * i >> 3)
			}
			for i := 0; i < len(data); i += 188 {
				data[i] = 0x47
			}
			return data
		}(),
		"too slow to end": made("long.mp4", "-f", "lavfi", "-i", "color=s=16x16:r=1/60:d=18000", "-c:v", "libx264", "-preset", "ultrafast"),
	}
}

// setDimensions writes another width and height into the header of an AVI file.
func setDimensions(avi []byte, side uint32) []byte {
	at := strings.Index(string(avi), "strf") + 8 + 4
	for i := range 2 {
		for b := range 4 {
			avi[at+4*i+b] = byte(side >> (8 * b))
		}
	}
	return avi
}

// hugeFrames makes every JPEG picture say that it is 30000 by 30000 (SOF0, ITU-T T.81, B.2.2).
func hugeFrames(avi []byte) []byte {
	for i := range len(avi) - 9 {
		if avi[i] == 0xff && avi[i+1] == 0xc0 && avi[i+2] == 0 && avi[i+3] == 17 {
			copy(avi[i+5:], "\x75\x30\x75\x30")
		}
	}
	return avi
}

func TestWhatIsNoVideoIsRefusedWithASentence(t *testing.T) {
	for name, data := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			tl := testTools(t)
			path := filepath.Join(t.TempDir(), "lesson.mp4")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			src, err := tl.probe(t.Context(), path)
			if err == nil {
				_, err = tl.normalise(t.Context(), src, func(float64) {})
			}
			var e *Error
			if !errors.As(err, &e) || e.Code != "refused" || !strings.HasSuffix(e.Message, ".") {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(e.Message, "/") || strings.Contains(e.Message, "ffmpeg") {
				t.Errorf("the sentence is not for people: %s", e.Message)
			}
			t.Log(e.Message)
		})
	}
}

func TestRefusalReachesTheOwnerAndTheFileGoes(t *testing.T) {
	h := newHouse(t)
	path := filepath.Join(t.TempDir(), "lesson.mp4")
	if err := os.WriteFile(path, []byte("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := h.add(t, path)
	c := h.catalog.await(t, id, settled)
	if c.State != Refused || c.Refusal != notVideo || c.Title != "lesson" {
		t.Errorf("clip is %+v", c)
	}
	h.Close()
	if _, err := os.Stat(h.uploads.path(id)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the refused file is still there: %v", err)
	}
}

func TestFileOfASettledClipGoesAtTheNextStart(t *testing.T) {
	h := newHouse(t)
	path := filepath.Join(t.TempDir(), "lesson.mp4")
	if err := os.WriteFile(path, []byte("#EXTM3U"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := h.add(t, path)
	h.catalog.await(t, id, settled)
	h.Close()
	if err := os.WriteFile(h.uploads.path(id), []byte("killed before it was removed"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.open(t)
	if _, err := os.Stat(h.uploads.path(id)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}

// heldBlobs takes no file until it may, so that a preparation cannot be done before.
type heldBlobs struct {
	Blobs
	until <-chan struct{}
}

func (b heldBlobs) PutFile(ctx context.Context, key, path string) error {
	select {
	case <-b.until:
		return b.Blobs.PutFile(ctx, key, path)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// preparing adds a video of 4 s, and waits until its preparation has begun. It is not done before it may.
func (h *house) preparing(t *testing.T, name string, until <-chan struct{}) (id string) {
	t.Helper()
	h.Library.blobs = heldBlobs{h.blobs, until} // nothing is prepared yet
	id = h.addVideo(t, name)
	h.catalog.await(t, id, func(c Clip) bool { return c.State == Preparing })
	return id
}

// addVideo adds a video of 4 s.
func (h *house) addVideo(t *testing.T, name string) (id string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	runFFmpeg(t, "-f", "lavfi", "-i", "testsrc2=d=4:s=640x360", "-c:v", "libx264", "-preset", "ultrafast", path)
	return h.add(t, path)
}

func TestPreparationGoesOnAfterARestart(t *testing.T) {
	h := newHouse(t)
	id := h.preparing(t, "lesson_1.mp4", nil)
	h.Close()
	if c, _ := h.catalog.GetClip(t.Context(), id); c.State != Waiting || c.Attempts != 0 {
		t.Errorf("after an orderly stop the clip is %s with %d attempts", c.State, c.Attempts)
	}
	h.open(t)
	if c := h.catalog.await(t, id, settled); c.State != Ready || c.Frames != 100 || c.To != 4_000_000 || c.Title != "lesson 1" {
		t.Errorf("clip is %+v", c)
	}
}

func TestFileThatEndsTheServerIsTriedOnlyAFewTimes(t *testing.T) {
	h := newHouse(t)
	h.Close()
	id := "019aaaaa-0000-7000-8000-000000000001"
	if err := h.catalog.InsertClip(t.Context(), Clip{ID: id, Owner: "anna", Title: "x", State: Preparing, Attempts: maxAttempts}); err != nil {
		t.Fatal(err)
	}
	h.open(t)
	if c := h.catalog.await(t, id, settled); c.State != Refused || c.Refusal == "" {
		t.Errorf("clip is %+v", c)
	}
}

func TestClipDeletedWhileItIsPrepared(t *testing.T) {
	h := newHouse(t)
	deleted := make(chan struct{})
	first := h.preparing(t, "first.mp4", deleted)
	if err := h.Delete(t.Context(), "ben", first); !errors.Is(err, ErrNotFound) {
		t.Errorf("another deletes it: %v", err)
	}
	if err := h.Delete(t.Context(), "anna", first); err != nil {
		t.Fatal(err)
	}
	close(deleted)
	second := h.addVideo(t, "second.mp4")
	if c := h.catalog.await(t, second, settled); c.State != Ready {
		t.Errorf("the next clip is %+v", c)
	}
	h.Close()
	left, err := filepath.Glob(filepath.Join(string(h.blobs), "clips", "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != second {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestLimitsOfAChildHold(t *testing.T) {
	tl := testTools(t)
	lim := ffmpeg.Limits{Memory: 64 << 20, File: 1 << 20, Time: 1 << 40}
	err := ffmpeg.Run(t.Context(), lim, tl.dir, "/bin/sh", []string{"-c", `head -c 3000000 /dev/zero >big; ls -l big >&2; exit 3`}, drain)
	var child *ffmpeg.Error
	if !errors.As(err, &child) || strings.Contains(child.Stderr, " 3000000 ") {
		t.Errorf("a file grows beyond its limit: %v", err)
	}
	big := fmt.Sprintf("a=$(head -c %d /dev/zero | tr '\\0' a); exit 0", 200<<20)
	if err := ffmpeg.Run(t.Context(), lim, tl.dir, "/bin/sh", []string{"-c", big}, drain); !errors.As(err, &child) {
		t.Errorf("memory grows beyond its limit: %v", err)
	}
	lim.Time = 100_000_000
	if err := ffmpeg.Run(t.Context(), lim, tl.dir, "sleep", []string{"60"}, drain); !errors.Is(err, ffmpeg.ErrTimeLimit) {
		t.Errorf("time limit gives %v", err)
	}
}
