package recorder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
)

// heard collects notices.
type heard struct {
	mu  sync.Mutex
	all []Notice
}

func (h *heard) add(n Notice) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, n)
}

func (h *heard) kinds() []NoticeKind {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []NoticeKind
	for _, n := range h.all {
		out = append(out, n.Kind)
	}
	return out
}

// live is a recorder with one member's sound and picture of a length in s, in a bubble.
func live(t *testing.T, cfg Config, length float64) (*Recorder, *memory, *feed, *feed) {
	t.Helper()
	r, index := newRecorder(t, cfg)
	a, v := admit(t, r, length)
	return r, index, a, v
}

// admit lets r record a member, in a bubble: sound and picture of a length in s.
func admit(t *testing.T, r *Recorder, length float64) (*feed, *feed) {
	t.Helper()
	src := encoded(t)
	a, v := newFeed(audioInfo("m")), newFeed(videoInfo("m"))
	audio, _ := packetised(a.info, repeat(src.audio, 1./50, length), calm)
	video, _ := packetised(v.info, repeat(src.video, 1./30, length), calm)
	begin := time.Now()
	go play(a, begin, audio)
	go play(v, begin, video)
	if err := r.Start("s", hall{[]Track{a, v}}, sessionClock(0)); err != nil {
		t.Fatal(err)
	}
	return a, v
}

func closed(t *testing.T, r *Recorder) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestAfterACrashSegmentsAreFinished(t *testing.T) {
	dir, crashed := t.TempDir(), t.TempDir()
	rows := newMemory()
	synctest.Test(t, func(t *testing.T) {
		r, index, _, _ := live(t, Config{Dir: dir}, 10)
		time.Sleep(7300 * time.Millisecond)
		synctest.Wait()
		// What is on disk at this moment is what a crash leaves.
		if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		for _, s := range index.all() {
			rows.rows[s.ID] = s
		}
		time.Sleep(5 * time.Second)
		closed(t, r)
	})
	rows.rows["gone"] = Segment{ID: "gone", Session: "s", Start: 5}
	rows.rows["../x"] = Segment{ID: "../x", Session: "..", Start: 5}
	for i, s := range rows.list(func(s Segment) bool { return s.Member == "m" }) {
		// The last write was cut, or the system had not written all.
		path := filepath.Join(crashed, "s", s.ID+".webm")
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, info.Size()-int64(100+i)); err != nil {
			t.Fatal(err)
		}
	}
	r, _ := newRecorder(t, Config{Dir: crashed, Segments: rows})
	defer closed(t, r)
	if n, err := r.Recover(t.Context()); n != 2 || err != nil {
		t.Errorf("%d segments were recovered, %v", n, err)
	}
	segments := rows.all()
	check(t, crashed, segments)
	for _, s := range segments {
		if s.End < 7300-1500 || s.End > 7300 {
			t.Errorf("of %s, media up to %d ms is left of 7300", s.Source, s.End)
		}
	}
	if len(segments) != 2 {
		t.Errorf("%d rows are left", len(segments))
	}
}

func TestNothingIsStoredOffTheRecord(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		src := encoded(t)
		r, index := newRecorder(t, Config{Dir: dir})
		a := newFeed(audioInfo("m"))
		audio, _ := packetised(a.info, repeat(src.audio, 1./50, 20), calm)
		go play(a, time.Now(), audio)
		clock := sessionClock(0)
		time.Sleep(5 * time.Second)
		if err := r.Start("s", hall{[]Track{a}}, clock); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		done := r.Stop("s")
		time.Sleep(5 * time.Second)
		<-done
		<-r.Stop("s")
		segments := index.all()
		if len(segments) != 1 || segments[0].Start < 5000 || segments[0].Start > 5060 || segments[0].End > 10_020 || segments[0].End < 9_960 {
			t.Errorf("on the record from 5 s to 10 s: %+v", segments)
		}
		closed(t, r)
		if err := r.Start("s", hall{}, clock); err == nil {
			t.Error("a closed recorder starts")
		}
	})
}

func TestTheDiskIsAlmostFull(t *testing.T) {
	dir := t.TempDir()
	var index *memory
	var notices heard
	synctest.Test(t, func(t *testing.T) {
		var free atomic.Uint64
		free.Store(1 << 40)
		var r *Recorder
		r, index, _, _ = live(t, Config{
			Dir: dir, Notify: notices.add, Free: func(string) (uint64, error) { return free.Load(), nil },
		}, 60)
		for _, bytes := range []uint64{400e6, 520e6, 100e6, 210e6, 450e6, 1 << 40} {
			time.Sleep(8 * time.Second)
			free.Store(bytes)
		}
		time.Sleep(12 * time.Second)
		closed(t, r)
	})
	want := []NoticeKind{NoticeDiskLow, NoticeDiskFull, NoticeDiskLow, NoticeDiskOK}
	if got := notices.kinds(); !slices.Equal(got, want) {
		t.Errorf("people were told %v, not %v", got, want)
	}
	for source, want := range map[string][][2]int64{
		"camera": {{0, 9000}, {48_000, 60_000}},
		"audio":  {{0, 25_000}, {40_000, 60_000}},
	} {
		segments := bySource(index, source)
		check(t, dir, segments)
		if len(segments) != len(want) {
			t.Fatalf("%s: %+v", source, segments)
		}
		for i, s := range segments {
			if s.Start < want[i][0] || s.Start > want[i][0]+5000 || abs(s.End-want[i][1]) > 1100 {
				t.Errorf("%s: stored from %d to %d, not %v", source, s.Start, s.End, want[i])
			}
		}
	}
}

func TestTheDatabaseIsGoneForAWhile(t *testing.T) {
	dir := t.TempDir()
	var index *memory
	var notices heard
	synctest.Test(t, func(t *testing.T) {
		var r *Recorder
		var v *feed
		r, index, _, v = live(t, Config{Dir: dir, Notify: notices.add}, 80)
		time.Sleep(50 * time.Second)
		index.setFail(errTest) // segments end and begin meanwhile
		time.Sleep(15 * time.Second)
		index.setFail(nil)
		time.Sleep(20 * time.Second)
		if v.requests() == 0 {
			t.Error("no key frame was asked for")
		}
		closed(t, r)
	})
	for source, n := range map[string]int{"audio": 2, "camera": 5} {
		segments := bySource(index, source)
		check(t, dir, segments)
		if len(segments) != n {
			t.Fatalf("%s: %+v", source, segments)
		}
		for i, s := range segments[1 : n-1] {
			if abs(s.Start-segments[i].End) > 2 {
				t.Errorf("%s: nothing is stored from %d to %d", source, segments[i].End, s.Start)
			}
		}
		if before, after := segments[n-2], segments[n-1]; segments[0].Start > 100 || before.End < 50_000 || after.Start > 72_000 || after.End < 79_900 {
			t.Errorf("%s: %+v", source, segments)
		}
	}
	if !slices.Contains(notices.kinds(), NoticeStorage) {
		t.Error("nobody was told")
	}
}

func TestTheFolderIsGone(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "recordings")
	synctest.Test(t, func(t *testing.T) {
		r, index := newRecorder(t, Config{Dir: dir})
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		a := newFeed(audioInfo("m"))
		audio, _ := packetised(a.info, repeat(encoded(t).audio, 1./50, 20), calm)
		go play(a, time.Now(), audio)
		if err := r.Start("s", hall{[]Track{a}}, sessionClock(0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(7 * time.Second)
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		closed(t, r)
		segments := index.all()
		if len(segments) != 1 || segments[0].Start > 12_000 || segments[0].End < 19_900 {
			t.Errorf("%+v", segments)
		}
	})
}

func TestWhatTheQueueDropsIsTold(t *testing.T) {
	dir := t.TempDir()
	var notices heard
	var from, to int64 // ms; the last that came before, the first that came after
	synctest.Test(t, func(t *testing.T) {
		r, index := newRecorder(t, Config{Dir: dir, Notify: notices.add})
		a := newFeed(audioInfo("m"))
		audio, _ := packetised(a.info, repeat(encoded(t).audio, 1./50, 8), calm)
		audio = slices.Delete(audio, 100, 150)
		audio[100].item.Dropped = 50
		from, to = int64(1000*audio[99].at), int64(1000*audio[100].at)
		go play(a, time.Now(), audio)
		if err := r.Start("s", hall{[]Track{a}}, sessionClock(0)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if got := r.Stats(); got.Dropped != 50 || got.Tracks != 1 || got.Frames < 340 {
			t.Errorf("stats are %+v", got)
		}
		closed(t, r)
		if s := index.all(); len(s) != 1 || s[0].End != 8020 {
			t.Errorf("%+v", s)
		}
	})
	if len(notices.all) != 1 || notices.all[0].Kind != NoticeOverflow || notices.all[0].Items != 50 || notices.all[0].Member != "m" {
		t.Errorf("people were told %+v", notices.all)
	}
	if n := notices.all[0]; n.From < from-1 || n.From > from+1 || n.To < to-1 || n.To > to+1 {
		t.Errorf("missing is said to be what came from %d to %d ms, want %d to %d", n.From, n.To, from, to)
	}
}

func TestWhatCannotBeStoredIsTold(t *testing.T) {
	var notices heard
	r, index := newRecorder(t, Config{Notify: notices.add})
	vp9 := videoInfo("m")
	vp9.Mime = "video/VP9"
	fatal(t, r.Start("s", hall{[]Track{newFeed(vp9)}}, sessionClock(0)))
	closed(t, r)
	if len(notices.all) != 1 || notices.all[0].Kind != NoticeCodec || notices.all[0].Member != "m" || notices.all[0].Session != "s" {
		t.Errorf("people were told %+v", notices.all)
	}
	if len(index.all()) != 0 {
		t.Errorf("%+v is stored", index.all())
	}
}

func TestANewStreamBeginsASegment(t *testing.T) {
	src, dir := encoded(t), t.TempDir()
	for name, epoch := range map[string]uint32{"told by the epoch": 1, "found by its numbers": 0} {
		first, _ := packetised(audioInfo("m"), src.audio[:200], sending{delay: 0.02, seed: 1})
		second, _ := packetised(audioInfo("m"), src.audio[200:400], sending{delay: 0.02, seed: 2})
		for i := range second {
			second[i].item.Epoch = epoch
		}
		index, _ := record(t, filepath.Join(dir, name), []TrackInfo{audioInfo("m")}, [][]timed{slices.Concat(first, second)}, 10)
		segments := bySource(index, "audio")
		check(t, filepath.Join(dir, name), segments)
		if len(segments) != 2 || abs(segments[0].End-4020) > 2 || segments[1].Start > 4100 || abs(segments[1].End-8020) > 2 {
			t.Errorf("%s: %+v", name, segments)
		}
	}
}

// While a screen does not change, only padding comes, with the timestamp of the last frame.
func TestPaddingIsNoStream(t *testing.T) {
	src, dir, info := encoded(t).video[:60], t.TempDir(), videoInfo("m")
	samples := repeat(src, 1./30, 2)
	for i, f := range repeat(src, 1./30, 2) { // the first of them is a key frame
		samples = append(samples, sample{12 + float64(i)/30, f.data})
	}
	sent, _ := packetised(info, samples, sending{delay: 0.02, seed: 3})
	var items []timed
	shift, last := uint16(0), sent[0]
	for _, i := range sent {
		for at := last.at + 0.5; at < i.at; at += 0.5 {
			shift++
			p := &rtp.Packet{Header: rtp.Header{Version: 2, Timestamp: last.item.Packet.Timestamp, SequenceNumber: last.item.Packet.SequenceNumber + shift}}
			items = append(items, timed{at, Item{Packet: p}})
		}
		last = timed{i.at, i.item}
		moved := *i.item.Packet
		moved.SequenceNumber += shift
		items = append(items, timed{i.at, Item{Packet: &moved}})
	}
	index, stats := record(t, dir, []TrackInfo{info}, [][]timed{items}, 15)
	segments := bySource(index, "camera")
	check(t, dir, segments)
	if shift == 0 || stats.Frames != 120 || len(segments) != 2 || abs(segments[1].Start-12_020) > 2 {
		t.Errorf("%d frames are stored, in %+v", stats.Frames, segments)
	}
}

func TestSegmentsAreServedAndDeleted(t *testing.T) {
	dir := t.TempDir()
	items, _ := packetised(audioInfo("m"), encoded(t).audio[:200], calm)
	index, _ := record(t, dir, []TrackInfo{audioInfo("m")}, [][]timed{items}, 5)
	seg := bySource(index, "audio")[0]
	b := fileOf(t, dir, seg)
	r, index := newRecorder(t, Config{Dir: dir})
	defer closed(t, r)
	index.rows[seg.ID] = seg
	link := seg
	link.ID = "link"
	index.rows[link.ID] = link
	if err := os.Symlink(filepath.Join(dir, "s", seg.ID+".webm"), filepath.Join(dir, "s", "link.webm")); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"s", "none"}, {"s", "link"}, {"other", seg.ID}, {"..", seg.ID}, {"s", "../s/" + seg.ID}, {"s", ""}, {"s\x00", seg.ID}} {
		if _, _, err := r.Open(t.Context(), c[0], c[1]); !errors.Is(err, ErrNotFound) {
			t.Errorf("Open(%q): %v", c, err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		s, f, err := r.Open(q.Context(), "s", seg.ID)
		if err != nil {
			http.NotFound(w, q)
			return
		}
		defer f.Close()
		w.Header().Set("Content-Type", s.Mime)
		http.ServeContent(w, q, "", time.Time{}, f)
	}))
	defer server.Close()
	q, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	q.Header.Set("Range", "bytes=100-199")
	res, err := server.Client().Do(q)
	if err != nil {
		t.Fatal(err)
	}
	part, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != http.StatusPartialContent || !bytes.Equal(part, b[100:200]) {
		t.Errorf("status %d, %d bytes", res.StatusCode, len(part))
	}
	if err := r.Delete(context.Background(), "s"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "s")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	if _, _, err := r.Open(t.Context(), "s", seg.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("a deleted segment opens: %v", err)
	}
}

func TestWhatWaitsInTheQueueAtStopIsCutThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, index := newRecorder(t, Config{})
		run := newRun(r, "s", 0)
		w := newWriter(r, run, newFeed(audioInfo("m")), &senderClock{})
		audio, _ := packetised(w.info, encoded(t).audio[:200], calm)
		time.Sleep(2 * time.Second)
		run.cut()
		for _, i := range audio {
			i.item.Arrival = run.ref.Add(time.Duration(i.at * float64(time.Second)))
			w.take(i.item)
		}
		w.finish()
		closed(t, r)
		if s := index.all(); len(s) != 1 || s[0].End < 1980 || s[0].End > 2020 {
			t.Errorf("stopped at 2 s: %+v", s)
		}
	})
}

// A session is deleted right after its end, while the row of its first segment is still being made: nothing comes after the deletion.
func TestDeletionWaitsForWhatIsBeingFinished(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		index := newMemory()
		index.slow = 3 * time.Second
		r, _, _, _ := live(t, Config{Dir: dir, Segments: index}, 10)
		time.Sleep(time.Second)
		r.Stop("s")
		fatal(t, r.Delete(t.Context(), "s"))
		if n := r.Stats().Tracks; n != 0 {
			t.Errorf("%d tracks are still being recorded", n)
		}
		closed(t, r)
		if left := index.all(); len(left) != 0 {
			t.Errorf("left are %+v", left)
		}
	})
	if left := filesIn(t, dir); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}

func TestSettleWaitsForWhatIsBeingFinished(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r, index, _, _ := live(t, Config{Dir: dir}, 10)
		time.Sleep(5 * time.Second)
		r.Settle(t.Context(), "s") // on the record: there is nothing to wait for
		r.Stop("s")
		r.Settle(t.Context(), "s")
		if open := index.list(func(s Segment) bool { return !s.Finished }); len(open) > 0 {
			t.Errorf("not finished: %+v", open)
		}
		if len(index.list(func(s Segment) bool { return s.Finished })) != 2 {
			t.Error("sound and picture are not both there")
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		r.Settle(gone, "s")
		closed(t, r)
	})
}
