package recorder

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// leftOut counts the frames that a browser leaves out of a file: after a step of more than twice the last frame's duration it takes
// none before a key frame (Media Source Extensions, coded frame processing, step 6). A duration that the file does not tell is
// taken to be as short as they come, of 30 frames a second.
func leftOut(file []byte) (frames int) {
	var last, lasted int64 = -1, 0
	needsKey := true
	for _, b := range blocksOf(file) {
		if last >= 0 && b.at-last > 2*lasted {
			needsKey = true
		}
		if needsKey = needsKey && !b.key; needsKey {
			frames++
			continue
		}
		last, lasted = b.at, max(b.shown, 33)
	}
	return frames
}

// An encoder on a busy machine leaves frames out, and loses none.
func TestABrowserPlaysOnAfterAStutter(t *testing.T) {
	src := encoded(t).video[:120] // with one key frame
	for _, stutter := range []float64{0.1, 0.4, 0.7, 1.2, 1.6, 2.4, 2.9} {
		dir, samples := t.TempDir(), slices.Clone(src)
		for _, from := range []int{30, 45, 46, 90, 110} {
			samples = append(samples[:from], later(samples[from:], samples[from].at+stutter)...)
		}
		v, _ := packetised(videoInfo("m"), samples, calm)
		index, _ := record(t, dir, []TrackInfo{videoInfo("m")}, [][]timed{v}, 22)
		segments := index.all()
		if blocks := check(t, dir, segments); len(blocks) != 1 || len(blocks[0]) != len(samples) {
			t.Errorf("with stutters of %v s, %d segments are stored", stutter, len(blocks))
			continue
		}
		if n := leftOut(fileOf(t, dir, segments[0])); n > 0 {
			t.Errorf("with stutters of %v s, a browser leaves out %d of %d frames", stutter, n, len(samples))
		}
	}
}

// camera is an encoder that makes a key frame when it is asked for one, and 30 frames a second.
type camera struct {
	feed  *feed
	delay time.Duration // one way

	mu   sync.Mutex
	next int
	sent []float64 // when each frame was captured, s
}

func (c *camera) ask() {
	time.AfterFunc(c.delay, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.next = 0
	})
}

// film sends for a time; lost says which moments' packets never arrive.
func (c *camera) film(frames []sample, length float64, lost func(at float64) bool) {
	begin := time.Now()
	payloader := &codecs.VP8Payloader{EnablePictureID: true}
	var seq uint16
	for i := 0; float64(i)/30 < length; i++ {
		at := float64(i) / 30
		time.Sleep(time.Until(begin.Add(time.Duration(at * float64(time.Second)))))
		c.mu.Lock()
		data := frames[c.next].data
		c.next = (c.next + 1) % len(frames)
		c.sent = append(c.sent, at)
		c.mu.Unlock()
		parts := payloader.Payload(1200, data)
		for k, part := range parts {
			p := &rtp.Packet{Header: rtp.Header{
				Version: 2, SequenceNumber: seq, Timestamp: uint32(i * 3000), Marker: k == len(parts)-1,
			}, Payload: part}
			seq++
			if !lost(at) {
				time.AfterFunc(c.delay, func() { c.feed.items <- Item{Arrival: time.Now(), Packet: p} })
			}
		}
	}
}

func TestThePictureHealsAfterABurstOfLoss(t *testing.T) {
	dir, src := t.TempDir(), encoded(t)
	var index *memory
	synctest.Test(t, func(t *testing.T) {
		var r *Recorder
		r, index = newRecorder(t, Config{Dir: dir})
		f := newFeed(videoInfo("m"))
		c := &camera{feed: f, delay: 60 * time.Millisecond}
		f.asked = c.ask
		fatal(t, r.Start("s", hall{[]Track{f}}, sessionClock(0)))
		c.film(src.video[:120], 14, func(at float64) bool { return at > 5 && at < 5.3 || at > 9.1 && at < 9.12 })
		time.Sleep(time.Second)
		closed(t, r)
	})
	segments := index.all()
	last, worst := -1., 0.
	for i, blocks := range check(t, dir, segments) {
		for _, b := range blocks {
			at := float64(segments[i].Start+b.at) / 1000
			if last >= 0 {
				worst = max(worst, at-last)
			}
			last = at
		}
	}
	t.Logf("the longest gap has %.2f s", worst)
	if worst < 0.3 || worst > 1 || last < 13.9 {
		t.Errorf("the longest gap has %.2f s; the picture ends at %.2f s", worst, last)
	}
}

// When the network becomes faster, the picture is placed anew; until there is a key frame it goes on as it was.
func TestACorrectionOfTimeLosesNoFrame(t *testing.T) {
	dir, samples := t.TempDir(), encoded(t).video[:270]
	v, _ := packetised(videoInfo("m"), samples, sending{delay: 0.02})
	for i := range v {
		if samples[0].at+2.5 > v[i].at {
			v[i].at += 0.4
		}
	}
	slices.SortStableFunc(v, func(a, b timed) int { return int(1e6*a.at) - int(1e6*b.at) })
	index, stats := record(t, dir, []TrackInfo{videoInfo("m")}, [][]timed{v}, 12)
	segments := index.all()
	stored := frames(check(t, dir, segments))
	if len(segments) != 2 || stored != len(samples) {
		t.Errorf("%d of %d frames are stored, in %d segments", stored, len(samples), len(segments))
	}
	if stats.KeyFrameRequests < 2 {
		t.Error("no key frame was asked for")
	}
}

// What waits in the queue while the disk is slow is not missing.
func TestASlowDiskLosesNothing(t *testing.T) {
	dir, samples := t.TempDir(), encoded(t).video[:240]
	v, _ := packetised(videoInfo("m"), samples, sending{delay: 0.02, resent: 0.5, seed: 3})
	index := newMemory()
	index.slow = 5 * time.Second
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRecorder(t, Config{Dir: dir, Segments: index})
		f := newFeed(videoInfo("m"))
		fatal(t, r.Start("s", hall{[]Track{f}}, sessionClock(0)))
		play(f, time.Now(), v)
		time.Sleep(10 * time.Second)
		closed(t, r)
	})
	segments := index.all()
	stored := frames(check(t, dir, segments))
	if len(segments) != 1 || stored != len(samples) {
		t.Errorf("%d of %d frames are stored, in %d segments", stored, len(samples), len(segments))
	}
}

// frozen is a feed of a process that does not run for a while from a moment on: what arrives then is in the queue a moment after it
// runs again.
type frozen struct {
	*feed
	from    time.Time
	lasts   time.Duration
	thawed  bool
	arrives []Item // meanwhile
}

func (f *frozen) Next(ctx context.Context) (Item, error) {
	i, err := f.feed.Next(ctx)
	if err == nil || f.thawed || time.Now().Before(f.from) {
		return i, err
	}
	f.thawed = true
	time.Sleep(f.lasts)
	time.AfterFunc(time.Millisecond, func() {
		for _, late := range f.arrives {
			f.items <- late
		}
	})
	return i, err
}

// What arrives while the process does not run is not missing, though it is read only afterwards.
func TestAProcessThatDoesNotRunLosesNothing(t *testing.T) {
	dir, samples := t.TempDir(), encoded(t).video[:240]
	v, _ := packetised(videoInfo("m"), samples, sending{delay: 0.02})
	missing := slices.IndexFunc(v, func(i timed) bool { return i.at > 2.9 })
	v[missing].at = 3.3 // it is sent again meanwhile
	slices.SortStableFunc(v, func(a, b timed) int { return cmp.Compare(a.at, b.at) })
	before, meanwhile, after := split(v, 3, 5.7)
	index := newMemory()
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRecorder(t, Config{Dir: dir, Segments: index})
		begin := time.Now()
		f := &frozen{feed: newFeed(videoInfo("m")), from: begin.Add(3 * time.Second), lasts: 2500 * time.Millisecond}
		for _, i := range meanwhile {
			i.item.Arrival = begin.Add(time.Duration(i.at * float64(time.Second)))
			f.arrives = append(f.arrives, i.item)
		}
		fatal(t, r.Start("s", hall{[]Track{f}}, sessionClock(0)))
		play(f.feed, begin, before)
		play(f.feed, begin, after)
		time.Sleep(3 * time.Second)
		closed(t, r)
	})
	segments := index.all()
	stored := frames(check(t, dir, segments))
	if len(segments) != 1 || stored != len(samples) {
		t.Errorf("%d of %d frames are stored, in %d segments", stored, len(samples), len(segments))
	}
}

// split divides items at two times in s.
func split(items []timed, first, second float64) (before, between, after []timed) {
	for _, i := range items {
		switch {
		case i.at < first:
			before = append(before, i)
		case i.at < second:
			between = append(between, i)
		default:
			after = append(after, i)
		}
	}
	return before, between, after
}

// What comes late as a whole, by seconds, is stored like what comes at once.
func TestALongDelayMakesNoShortClusters(t *testing.T) {
	dir, samples := t.TempDir(), encoded(t).video[:240]
	// The wall clock says that the capture was long before: the first packet was fast, all others wait.
	v, _ := packetised(videoInfo("m"), samples, sending{delay: 0.02, firstReport: 0.01, reportEvery: 1})
	for i := range v {
		if v[i].at > 0.5 {
			v[i].at += 1.8
		}
	}
	index, _ := record(t, dir, []TrackInfo{videoInfo("m")}, [][]timed{v}, 14)
	segments := index.all()
	all := check(t, dir, segments)
	for i, blocks := range all {
		if n := bytes.Count(fileOf(t, dir, segments[i]), []byte{0x1f, 0x43, 0xb6, 0x75}); n > len(blocks)/15 {
			t.Errorf("%d frames are in %d clusters", len(blocks), n)
		}
	}
	if stored := frames(all); stored != len(samples) {
		t.Errorf("%d of %d frames are stored", stored, len(samples))
	}
}
