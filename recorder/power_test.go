package recorder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// tape is a file system and an Index that keep in order what is asked of them, instead of doing it.
type tape struct {
	Index
	mu      sync.Mutex
	steps   []step
	arrived map[string]float64 // ms of session time of the newest packet of each track
}

// step is one call. arrived is how far the tracks were just before it.
type step struct {
	do      func(d *drive)
	arrived map[string]float64
}

func (x *tape) put(do func(d *drive)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.steps = append(x.steps, step{do, maps.Clone(x.arrived)})
}

func (x *tape) hear(track string, ms float64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.arrived[track] = ms
}

// drive is a disk: what programs see of it, and what is there for certain if the power fails.
type drive struct {
	files map[string]*driveFile
	rows  map[string]Segment
}

// driveFile is a file: what was written, how much of it is synced, whether its name is, and whether it was removed since.
type driveFile struct {
	content       []byte
	synced        int
	named, erased bool
}

func (x *tape) MakeFolder(string) error { return nil } // durable at once, and there is nothing to lose in it
func (x *tape) RemoveAll(string) error  { return errTest }
func (x *tape) Cut(string, int64) error { return errTest }

func (x *tape) Create(path string) (file, error) {
	x.put(func(d *drive) { d.files[path] = &driveFile{} })
	return tapeFile{x, path}, nil
}

func (x *tape) Remove(path string) error {
	x.put(func(d *drive) { d.files[path].erased = true })
	return nil
}

func (x *tape) SyncFolder(folder string) error {
	x.put(func(d *drive) {
		for path, f := range d.files {
			switch {
			case filepath.Dir(path) != folder:
			case f.erased:
				delete(d.files, path)
			default:
				f.named = true
			}
		}
	})
	return nil
}

type tapeFile struct {
	tape *tape
	path string
}

func (f tapeFile) Write(b []byte) (int, error) {
	b = bytes.Clone(b)
	f.tape.put(func(d *drive) { d.files[f.path].content = slices.Concat(d.files[f.path].content, b) })
	return len(b), nil
}

func (f tapeFile) Sync() error {
	f.tape.put(func(d *drive) { d.files[f.path].synced = len(d.files[f.path].content) })
	return nil
}

func (f tapeFile) Seek(int64, int) (int64, error) { return 0, errTest }
func (f tapeFile) Truncate(int64) error           { return errTest }
func (f tapeFile) Close() error                   { return nil }

func (x *tape) InsertSegment(_ context.Context, s Segment) error {
	x.put(func(d *drive) { d.rows[s.ID] = s })
	return nil
}

func (x *tape) FinishSegment(_ context.Context, id string, end, size int64, sum string) error {
	x.put(func(d *drive) {
		s := d.rows[id]
		s.End, s.Bytes, s.SHA256, s.Finished = end, size, sum, true
		d.rows[id] = s
	})
	return nil
}

func (x *tape) DeleteSegment(_ context.Context, id string) error {
	x.put(func(d *drive) { delete(d.rows, id) })
	return nil
}

// left is what a crash may leave of a file: all that was asked for, the least that is certain, or anything between: the name or not,
// any length, and of the sectors that were not synced any.
func (f *driveFile) left(how string, rnd *rand.Rand) (content []byte, there bool) {
	switch how {
	case "all":
		return f.content, !f.erased
	case "least":
		return f.content[:f.synced], f.named
	}
	if !f.named && rnd.IntN(2) == 0 || f.erased && rnd.IntN(2) == 0 {
		return nil, false
	}
	content = bytes.Clone(f.content[:f.synced+rnd.IntN(len(f.content)-f.synced+1)])
	const sector = 512
	for at := f.synced; at < len(content); at += sector - at%sector {
		if rnd.IntN(8) == 0 {
			clear(content[at:min(len(content), at+sector-at%sector)])
		}
	}
	return content, true
}

// onTape records people's sound and pictures onto a tape; session time is virtual.
func onTape(t *testing.T, people int, length float64) *tape {
	x := &tape{arrived: map[string]float64{}}
	src := encoded(t)
	synctest.Test(t, func(t *testing.T) {
		r, err := New(Config{Dir: t.TempDir(), Segments: x, Log: quiet(), Free: plenty})
		fatal(t, err)
		r.files.sys = x
		begin := time.Now()
		var h hall
		var feeds sync.WaitGroup
		for member := range people {
			for info, items := range map[TrackInfo][]timed{
				audioInfo(fmt.Sprint(member)): victimSound(src, uint64(member)),
				videoInfo(fmt.Sprint(member)): victimPicture(src, uint64(member)),
			} {
				f := newFeed(info)
				h.tracks = append(h.tracks, f)
				feeds.Go(func() {
					playTo(f, begin, items, length, func(ms float64) { x.hear(info.Publication, ms) })
				})
			}
		}
		fatal(t, r.Start("s", h, sessionClock(0)))
		feeds.Wait()
		closed(t, r)
	})
	return x
}

// playTo is play up to a length in s; told is called for each packet, with the ms of session time.
func playTo(f *feed, begin time.Time, items []timed, length float64, told func(ms float64)) {
	for _, i := range items {
		if i.at > length {
			return
		}
		time.Sleep(time.Until(begin.Add(time.Duration(i.at * float64(time.Second)))))
		i.item.Arrival = time.Now()
		f.items <- i.item
		if i.item.Packet != nil {
			told(i.at * 1000)
		}
	}
}

// aftermath is what a recorder made of what a crash left.
type aftermath struct {
	how     string
	step    int
	rows    []Segment
	arrived map[string]float64
}

// The power fails between any two calls to the file system. Whatever the file system keeps of what was not synced, what is there
// after the next start decodes, no file is nobody's, and of no track more than a second and a half is lost.
func TestNothingIsLostWhenThePowerFails(t *testing.T) {
	people, length, hows := 1, 7., []string{"all", "least", "some"}
	if os.Getenv(envKills) != "" {
		people, length, hows = 4, 70., []string{"all", "least", "some", "some", "some", "some"}
	}
	x := onTape(t, people, length)
	rnd := rand.New(rand.NewPCG(1, 2))
	kept := t.TempDir() // recovered files, by what is in them
	d := &drive{files: map[string]*driveFile{}, rows: map[string]Segment{}}
	var all []aftermath
	for i, s := range x.steps {
		for _, how := range hows { // just before the step
			all = append(all, aftermath{how, i, d.fail(t, how, rnd, kept), s.arrived})
		}
		s.do(d)
	}
	worst := judge(t, all, kept)
	t.Logf("the power failed in %d ways, at %d steps of %d tracks; the largest loss is %.0f ms", len(all), len(x.steps), 2*people, worst)
	if worst > mayBeLost || len(x.steps) < 20*people {
		t.Errorf("up to %.0f ms are lost", worst)
	}
}

// fail recovers from a failure and returns the rows; their files are in kept. A finished segment has all on the disk already.
func (d *drive) fail(t *testing.T, how string, rnd *rand.Rand, kept string) (rows []Segment) {
	dir, index := t.TempDir(), newMemory()
	fatal(t, os.Mkdir(filepath.Join(dir, "s"), 0o700))
	for _, path := range slices.Sorted(maps.Keys(d.files)) {
		f, id := d.files[path], filepath.Base(path)
		row, ok := d.rows[id[:len(id)-len(".webm")]]
		if ok && row.Finished {
			if f.synced != len(f.content) || !f.named || f.erased || row.SHA256 != hashOf(f.content) {
				t.Errorf("the row %+v is there before its file", row)
			}
			fatal(t, os.WriteFile(filepath.Join(kept, row.SHA256), f.content, 0o600))
			rows = append(rows, row)
			continue
		}
		if b, there := f.left(how, rnd); there {
			fatal(t, os.WriteFile(filepath.Join(dir, "s", id), b, 0o600))
		}
	}
	for id, s := range d.rows {
		if !s.Finished {
			index.rows[id] = s
		}
	}
	for _, s := range recovered(t, dir, index) {
		fatal(t, os.Rename(pathOf(dir, s), filepath.Join(kept, s.SHA256)))
		rows = append(rows, s)
	}
	return rows
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// judge decodes all files and returns the largest loss of a track in any failure, ms.
func judge(t *testing.T, all []aftermath, kept string) (worst float64) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(kept, "*"))
	fatal(t, err)
	files, said := decodeAll(t, paths)
	if said != "" {
		t.Errorf("ffmpeg complains: %s", said)
	}
	byHash := map[string]decoded{}
	for i, p := range paths {
		byHash[filepath.Base(p)] = files[i]
	}
	for _, a := range all {
		var of []decoded
		for _, s := range a.rows {
			of = append(of, byHash[s.SHA256])
		}
		there := ends(a.rows, of)
		for track, newest := range a.arrived {
			if lost := newest - there[track]; lost > worst {
				worst = lost
				t.Logf("%s before step %d: %.0f ms of %s are lost", a.how, a.step, lost, track)
			}
		}
	}
	return worst
}
