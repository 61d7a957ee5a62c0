package recorder

import (
	"bufio"
	"cmp"
	"context"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What a child that is to be killed finds in its environment.
const (
	envVictim = "RECORDER_VICTIM" // its folder
	envClock  = "RECORDER_CLOCK"  // "real", else time passes as fast as the disk lets it
	envKills  = "RECORDER_KILLS"  // of the test: how many recorders are killed
)

// mayBeLost is how much of a track a crash may cost, in ms.
const mayBeLost = 1500.

// A recorder of 8 tracks is killed at any moment (SIGKILL). What is on disk then decodes, and after the next start too; of no track
// more than a second and a half is lost. Time passes as fast as the disk lets it, so that the figure is not of the machine;
// "make faults-recorder" kills on the real clock.
func TestNothingIsLostWhenTheRecorderIsKilled(t *testing.T) {
	if dir := os.Getenv(envVictim); dir != "" {
		beVictim(t, dir)
		return
	}
	const longest = 8_000 // ms; by then, each track is in another segment
	kills, atOnce := 3, 2
	if n := os.Getenv(envKills); n != "" {
		kills, atOnce = number(t, n), 4
	}
	var mu sync.Mutex
	lost := map[string]float64{}
	places := make(chan struct{}, atOnce)
	var victims sync.WaitGroup
	for range kills {
		places <- struct{}{}
		victims.Go(func() {
			defer func() { <-places }()
			for track, ms := range killOne(t, float64(rand.IntN(longest))) {
				mu.Lock()
				lost[track] = max(lost[track], ms)
				mu.Unlock()
			}
		})
	}
	victims.Wait()
	worst := 0.
	for _, track := range slices.Sorted(maps.Keys(lost)) {
		t.Logf("of %s, at most %.0f ms were lost", track, lost[track])
		worst = max(worst, lost[track])
	}
	t.Logf("%d recorders were killed; the largest loss is %.0f ms", kills, worst)
	if len(lost) != 8 || worst > mayBeLost {
		t.Errorf("of %d tracks, up to %.0f ms are lost", len(lost), worst)
	}
}

// killOne starts a recorder, kills it when its tracks are at a session time in ms, and returns how many ms of each are lost.
func killOne(t *testing.T, at float64) map[string]float64 {
	dir := t.TempDir()
	if err := writeMedia(dir, encoded(t)); err != nil {
		t.Error(err)
		return nil
	}
	arrived, err := killAt(dir, at)
	if err != nil {
		t.Error(err)
		return nil
	}
	index := folderIndex{filepath.Join(dir, "rows")}
	recordings := filepath.Join(dir, "recordings")
	checkCut(t, recordings, index)
	rows := recovered(t, recordings, index)
	var paths []string
	for _, s := range rows {
		paths = append(paths, pathOf(recordings, s))
	}
	files, said := decodeAll(t, paths)
	if said != "" {
		t.Errorf("ffmpeg complains: %s", said)
	}
	lost := map[string]float64{}
	there := ends(rows, files)
	for track, newest := range arrived {
		lost[track] = newest - there[track]
	}
	return lost
}

// checkCut checks that the files that nobody finished play as they are. One that was made in that very moment is empty.
func checkCut(t *testing.T, recordings string, index Index) {
	open, err := index.ListUnfinishedSegments(t.Context())
	if err != nil {
		t.Error(err)
	}
	var paths []string
	for _, s := range open {
		if info, err := os.Stat(pathOf(recordings, s)); err == nil && info.Size() > 0 {
			paths = append(paths, pathOf(recordings, s))
		}
	}
	raw, _ := decodeAll(t, paths)
	for i, d := range raw {
		if d.frames == 0 {
			t.Errorf("nothing of %s can be decoded", paths[i])
		}
	}
}

// killAt runs a child until it tells of something that arrived at a session time in ms, and kills it. It returns when what
// arrived last of each track was captured.
func killAt(dir string, at float64) (arrived map[string]float64, err error) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestNothingIsLostWhenTheRecorderIsKilled$")
	cmd.Env = append(os.Environ(), envVictim+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	arrived = map[string]float64{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var track string
		var ms float64
		if _, err := fmt.Sscan(lines.Text(), &track, &ms); err != nil {
			continue // what the test binary says at its end
		}
		arrived[track] = ms
		if ms >= at {
			_ = cmd.Process.Kill()
		}
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
		return nil, fmt.Errorf("the recorder ended by itself: %w", cmp.Or(err, fs.ErrClosed))
	}
	return arrived, nil
}

// beVictim records 4 people's sound and pictures, whose size changes, until it is killed.
func beVictim(t *testing.T, dir string) {
	src, err := readMedia(dir)
	fatal(t, err)
	run := func(t *testing.T) {
		r, err := New(Config{
			Dir: filepath.Join(dir, "recordings"), Segments: folderIndex{filepath.Join(dir, "rows")}, Log: quiet(), Free: plenty,
		})
		fatal(t, err)
		var h hall
		var feeds []func(begin time.Time)
		for member := range 4 {
			for _, x := range []struct {
				info  TrackInfo
				items []timed
			}{
				{audioInfo(fmt.Sprint(member)), victimSound(src, uint64(member))},
				{videoInfo(fmt.Sprint(member)), victimPicture(src, uint64(member))},
			} {
				f := newFeed(x.info)
				h.tracks = append(h.tracks, f)
				feeds = append(feeds, func(begin time.Time) { playAloud(f, begin, x.items) })
			}
		}
		begin := time.Now()
		fatal(t, r.Start("s", h, sessionClock(0)))
		var playing sync.WaitGroup
		for _, feed := range feeds {
			playing.Go(func() { feed(begin) })
		}
		playing.Wait()
		closed(t, r)
	}
	if os.Getenv(envClock) == "real" {
		run(t)
		return
	}
	synctest.Test(t, run)
}

const victimLength = 75. // s

// victimSound comes from another device after 5 s.
func victimSound(src source, seed uint64) []timed {
	s := sending{delay: 0.02, jitter: 0.03, resent: 0.02, firstReport: 0.5, reportEvery: 5, seed: seed}
	items, _ := packetised(audioInfo("m"), src.audio[:250], s)
	s.seed += 100
	more, _ := packetised(audioInfo("m"), later(repeat(src.audio, 1./50, victimLength-5), 5.1), s)
	for i := range more {
		more[i].item.Epoch = 1
	}
	return append(items, more...)
}

// victimPicture changes its size every 2 s.
func victimPicture(src source, seed uint64) []timed {
	var samples []sample
	for at := 0.; at < victimLength; at += 4 {
		samples = append(samples, later(src.video[:60], at)...)
		samples = append(samples, later(src.big[:60], at+2)...)
	}
	items, _ := packetised(videoInfo("m"), samples, sending{
		delay: 0.02, jitter: 0.03, resent: 0.02, firstReport: 0.5, reportEvery: 1, seed: seed,
	})
	// Nobody answers a request for a key frame here: so the first one comes as it was sent.
	first := items[0].item.Packet.Timestamp
	isFirst := func(i timed) bool { return i.item.Packet != nil && i.item.Packet.Timestamp == first }
	slices.SortStableFunc(items, func(a, b timed) int {
		switch {
		case isFirst(a) && isFirst(b):
			return int(int16(a.item.Packet.SequenceNumber - b.item.Packet.SequenceNumber))
		case isFirst(a):
			return -1
		case isFirst(b):
			return 1
		}
		return 0
	})
	for i := range items {
		if isFirst(items[i]) {
			items[i].at = 0.02
		}
	}
	return items
}

// playAloud is play, and says on standard output what it plays: a track, and the ms of session time.
func playAloud(f *feed, begin time.Time, items []timed) {
	for _, i := range items {
		time.Sleep(time.Until(begin.Add(time.Duration(i.at * float64(time.Second)))))
		i.item.Arrival = time.Now()
		f.items <- i.item
		if i.item.Packet != nil {
			_, _ = os.Stdout.WriteString(f.info.Publication + " " + strconv.FormatFloat(i.at*1000, 'f', 0, 64) + "\n")
		}
	}
}

// mediaFile is how media gets to a child.
type mediaFile struct {
	Video, Big, Audio [][]byte
}

func writeMedia(dir string, src source) error {
	f, err := os.Create(filepath.Join(dir, "media"))
	if err != nil {
		return err
	}
	defer f.Close()
	return gob.NewEncoder(f).Encode(mediaFile{bytesOf(src.video), bytesOf(src.big), bytesOf(src.audio)})
}

func bytesOf(samples []sample) (out [][]byte) {
	for _, s := range samples {
		out = append(out, s.data)
	}
	return out
}

func readMedia(dir string) (source, error) {
	f, err := os.Open(filepath.Join(dir, "media"))
	if err != nil {
		return source{}, err
	}
	defer f.Close()
	var m mediaFile
	if err := gob.NewDecoder(f).Decode(&m); err != nil {
		return source{}, err
	}
	return source{video: samplesOf(m.Video, 30), big: samplesOf(m.Big, 30), audio: samplesOf(m.Audio, 50)}, nil
}

func samplesOf(data [][]byte, rate float64) (out []sample) {
	for i, b := range data {
		out = append(out, sample{float64(i) / rate, b})
	}
	return out
}

// folderIndex is an Index whose rows are files: what a killed process has written stays.
type folderIndex struct{ dir string }

func (x folderIndex) path(id string) string { return filepath.Join(x.dir, id+".json") }

func (x folderIndex) InsertSegment(_ context.Context, s Segment) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(x.dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(x.path(s.ID)+".part", b, 0o600); err != nil {
		return err
	}
	return os.Rename(x.path(s.ID)+".part", x.path(s.ID))
}

func (x folderIndex) FinishSegment(ctx context.Context, id string, end, bytes int64, sum string) error {
	s, err := x.GetSegment(ctx, id)
	if err != nil {
		return err
	}
	s.End, s.Bytes, s.SHA256, s.Finished = end, bytes, sum, true
	return x.InsertSegment(ctx, s)
}

func (x folderIndex) GetSegment(_ context.Context, id string) (s Segment, err error) {
	b, err := os.ReadFile(x.path(id))
	if err != nil {
		return s, ErrNotFound
	}
	return s, json.Unmarshal(b, &s)
}

func (x folderIndex) list(keep func(Segment) bool) (out []Segment, err error) {
	paths, err := filepath.Glob(x.path("*"))
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		var s Segment
		if err := json.Unmarshal(b, &s); err != nil {
			return nil, err
		}
		if keep(s) {
			out = append(out, s)
		}
	}
	return out, err
}

func (x folderIndex) ListSegments(_ context.Context, session string) ([]Segment, error) {
	return x.list(func(s Segment) bool { return s.Session == session })
}

func (x folderIndex) ListUnfinishedSegments(context.Context) ([]Segment, error) {
	return x.list(func(s Segment) bool { return !s.Finished })
}

func (x folderIndex) ListUnstoredSegments(context.Context) ([]Segment, error) {
	return x.list(func(s Segment) bool { return s.Finished && !s.Stored })
}

func (x folderIndex) SetSegmentStored(ctx context.Context, id string) error {
	s, err := x.GetSegment(ctx, id)
	if err != nil {
		return err
	}
	s.Stored = true
	return x.InsertSegment(ctx, s)
}

func (x folderIndex) DeleteSegment(_ context.Context, id string) error { return os.Remove(x.path(id)) }

func (x folderIndex) DeleteSegments(context.Context, string) error { return os.RemoveAll(x.dir) }
