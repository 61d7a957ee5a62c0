package recorder

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowDisk is the system's files on a disk whose syncs take long, or fail.
type slowDisk struct {
	system
	takes  time.Duration
	broken atomic.Bool
}

func (d *slowDisk) Create(path string) (file, error) {
	f, err := d.system.Create(path)
	return slowFile{f, d}, err
}

type slowFile struct {
	file
	disk *slowDisk
}

func (f slowFile) Sync() error {
	time.Sleep(f.disk.takes)
	if f.disk.broken.Load() {
		return errTest
	}
	return f.file.Sync()
}

// moment is what was on disk at a session time.
type moment struct {
	at   float64
	dir  string
	rows *memory
}

// A recorder that is killed has written what its tracks brought, however long the disk takes to make it durable.
func TestATrackDoesNotWaitForTheDisk(t *testing.T) {
	dir, copies := t.TempDir(), t.TempDir()
	var moments []moment
	synctest.Test(t, func(t *testing.T) {
		r, index := newRecorder(t, Config{Dir: dir})
		r.files.sys = &slowDisk{takes: 7 * time.Second}
		admit(t, r, 20)
		clock := sessionClock(0)
		for _, second := range []float64{2.9, 5.5, 9, 13.1, 19.2} {
			time.Sleep(time.Duration((second*1000 + 200*rand.Float64() - clock()) * 1e6))
			synctest.Wait()
			moments = append(moments, copyOf(t, clock(), dir, filepath.Join(copies, fmt.Sprint(second)), index))
		}
		time.Sleep(3 * time.Second)
		closed(t, r)
		check(t, dir, index.all())
		if n := len(index.list(func(s Segment) bool { return s.End > 19_900 })); n != 2 {
			t.Errorf("%d tracks are stored to their end", n)
		}
	})
	worst := 0.
	for _, m := range moments {
		rows := recovered(t, m.dir, m.rows)
		var paths []string
		for _, s := range rows {
			paths = append(paths, pathOf(m.dir, s))
		}
		files, said := decodeAll(t, paths)
		there := ends(rows, files)
		for _, track := range []string{"m-audio", "m-camera"} {
			worst = max(worst, m.at-there[track])
		}
		if said != "" {
			t.Errorf("ffmpeg complains: %s", said)
		}
	}
	t.Logf("with syncs of 7 s, the largest loss is %.0f ms", worst)
	if worst > mayBeLost {
		t.Errorf("%.0f ms are lost", worst)
	}
}

// copyOf keeps what a process that is killed now leaves.
func copyOf(t *testing.T, at float64, dir, to string, index *memory) moment {
	t.Helper()
	m := moment{at, to, newMemory()}
	fatal(t, os.CopyFS(m.dir, os.DirFS(dir)))
	for _, s := range index.all() {
		m.rows.rows[s.ID] = s
	}
	return m
}

// What a failed sync had to store is not in a finished segment, even if the next sync works; it is told, and recording begins anew.
func TestASyncFails(t *testing.T) {
	dir := t.TempDir()
	var index *memory
	var notices heard
	synctest.Test(t, func(t *testing.T) {
		var r *Recorder
		r, index = newRecorder(t, Config{Dir: dir, Notify: notices.add})
		disk := &slowDisk{}
		r.files.sys = disk
		admit(t, r, 30)
		time.Sleep(10 * time.Second)
		disk.broken.Store(true)
		time.Sleep(1500 * time.Millisecond)
		disk.broken.Store(false)
		time.Sleep(25 * time.Second)
		closed(t, r)
	})
	for _, source := range []string{"audio", "camera"} {
		segments := bySource(index, source)
		check(t, dir, segments)
		if len(segments) != 2 || segments[0].End > 10_000 || segments[0].End < 8_500 || segments[1].Start > 21_000 || segments[1].End < 29_900 {
			t.Errorf("%s: %+v", source, segments)
		}
	}
	if kinds := notices.kinds(); !slices.Equal(kinds, []NoticeKind{NoticeStorage, NoticeStorage}) {
		t.Errorf("people were told %v", kinds)
	}
}
