package recorder

import (
	"context"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// smallDisk is the system's files on a disk of few bytes: a write that does not fit is done in part.
type smallDisk struct {
	system
	size atomic.Int64
	used atomic.Int64
	lies atomic.Bool // it says that there is room: so do quotas
}

func (d *smallDisk) free(string) (uint64, error) {
	if d.lies.Load() {
		return 1 << 40, nil
	}
	return uint64(max(0, d.size.Load()-d.used.Load())), nil
}

func (d *smallDisk) Create(path string) (file, error) {
	f, err := d.system.Create(path)
	if err != nil {
		return nil, err
	}
	return &smallFile{file: f, disk: d}, nil
}

// smallFile belongs to one goroutine.
type smallFile struct {
	file
	disk *smallDisk
	size int64
}

func (f *smallFile) Write(b []byte) (int, error) {
	room := f.disk.size.Load() - f.disk.used.Add(int64(len(b)))
	n := len(b)
	if room < 0 {
		n = int(max(0, int64(n)+room))
		f.disk.used.Add(int64(n - len(b)))
	}
	wrote, err := f.file.Write(b[:n])
	f.size += int64(wrote)
	if err == nil && n < len(b) {
		err = syscall.ENOSPC
	}
	return wrote, err
}

func (f *smallFile) Truncate(size int64) error {
	f.disk.used.Add(size - f.size)
	f.size = size
	return f.file.Truncate(size)
}

// A disk fills up with what is recorded: pictures stop, then sound, and what is left is for the journal. When there is room again, all
// is recorded. Then writes fail in their midst, without a warning.
func TestTheDiskFillsUp(t *testing.T) {
	const lowVideo, lowAudio = 1_000_000, 700_000
	dir := t.TempDir()
	disk := &smallDisk{}
	disk.size.Store(1_800_000)
	var notices heard
	var index *memory
	synctest.Test(t, func(t *testing.T) {
		told := newBell(&notices)
		src := encoded(t)
		var r *Recorder
		r, index = newRecorder(t, Config{Dir: dir, Notify: told.ring, Free: disk.free, LowVideo: lowVideo, LowAudio: lowAudio})
		r.files.sys = disk
		a, v := newFeed(audioInfo("m")), newFeed(videoInfo("m"))
		sound, _ := packetised(a.info, repeat(src.audio, 1./50, 80), calm)
		camera, _ := packetised(v.info, repeat(src.video, 1./30, 80), calm)
		begin := time.Now()
		go play(a, begin, sound)
		go play(v, begin, camera)
		fatal(t, r.Start("s", hall{[]Track{a, v}}, sessionClock(0)))
		told.await(NoticeDiskLow)
		told.await(NoticeDiskFull)
		time.Sleep(10 * time.Second)
		if left, _ := disk.free(""); left < lowAudio*8/10 {
			t.Errorf("%d bytes are left for the journal", left)
		}
		disk.size.Add(10_000_000)
		told.await(NoticeDiskOK)
		time.Sleep(10 * time.Second)
		disk.lies.Store(true)
		disk.size.Store(disk.used.Load() + 1000)
		filled := time.Now()
		told.await(NoticeStorage)
		if d := time.Since(filled); d > 2*time.Second {
			t.Errorf("that the disk is full is told after %v", d)
		}
		time.Sleep(5 * time.Second)
		disk.size.Add(10_000_000)
		time.Sleep(time.Until(begin.Add(80 * time.Second)))
		closed(t, r)
	})
	t.Logf("people were told %v", notices.kinds())
	for source, least := range map[string]int{"audio": 3, "camera": 3} {
		segments := bySource(index, source)
		check(t, dir, segments)
		if len(segments) < least || segments[len(segments)-1].End < 79_500 {
			t.Errorf("%s: %d segments", source, len(segments))
		}
	}
	sound, camera := bySource(index, "audio"), bySource(index, "camera")
	if sound[0].End < camera[0].End+5_000 {
		t.Errorf("pictures stopped at %d ms and sound at %d", camera[0].End, sound[0].End)
	}
}

// hanging is an Index that takes no ends for a while.
type hanging struct {
	*memory
	hangs atomic.Bool
}

func (h *hanging) FinishSegment(ctx context.Context, id string, end, bytes int64, sum string) error {
	if h.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return h.memory.FinishSegment(ctx, id, end, bytes, sum)
}

// While the database hangs and many segments wait for it, the disk is still looked at. What
// waits comes to the database when it answers again.
func TestTheDiskIsWatchedWhileTheDatabaseHangs(t *testing.T) {
	var notices heard
	synctest.Test(t, func(t *testing.T) {
		told, disk := newBell(&notices), &smallDisk{}
		disk.size.Store(1 << 40)
		index := &hanging{memory: newMemory()}
		index.hangs.Store(true)
		r, err := New(Config{Dir: t.TempDir(), Segments: index, Notify: told.ring, Free: disk.free, Log: quiet()})
		fatal(t, err)
		fatal(t, r.Start("s", hall{}, sessionClock(0)))
		for i := range 20 {
			s := Segment{ID: string(rune('a' + i)), Session: "late", End: 1}
			fatal(t, index.InsertSegment(t.Context(), s))
			r.finishSegment(s)
		}
		time.Sleep(5 * time.Second) // it hangs
		disk.size.Store(0)
		full := time.Now()
		told.await(NoticeDiskFull)
		if d := time.Since(full); d > 2*watchEvery {
			t.Errorf("that the disk is full is told after %v", d)
		}
		time.Sleep(time.Minute)
		index.hangs.Store(false)
		time.Sleep(indexTimeout + 2*watchEvery)
		if left := index.list(func(s Segment) bool { return !s.Finished }); len(left) != 0 {
			t.Errorf("not finished: %+v", left)
		}
		closed(t, r)
	})
}

// bell wakes those who wait for a kind of notice.
type bell struct {
	all  *heard
	wake chan NoticeKind
}

func newBell(all *heard) bell { return bell{all, make(chan NoticeKind, 1000)} }

func (b bell) ring(n Notice) {
	b.all.add(n)
	b.wake <- n.Kind
}

func (b bell) await(kind NoticeKind) {
	for k := range b.wake {
		if k == kind {
			return
		}
	}
}
