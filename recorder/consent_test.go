package recorder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// Of two who speak for ten seconds, one agrees in the middle. What comes before is not stored, what comes then is, and erasing
// it leaves the other's alone.
func TestConsentAndErasure(t *testing.T) {
	src, dir := encoded(t), t.TempDir()
	samples := repeat(src.audio, 1./50, 10)
	for i := range samples { // each is told from the others by its first bytes
		samples[i].data = append([]byte{0xf8, byte(i >> 8), byte(i)}, samples[i].data...)
	}
	synctest.Test(t, func(t *testing.T) {
		r, index := newRecorder(t, Config{Dir: dir})
		var consent Consent
		var h hall
		for _, member := range []string{"amara", "ben"} {
			f := newFeed(audioInfo(member))
			h.tracks = append(h.tracks, f)
			items, _ := packetised(audioInfo(member), samples, calm)
			go play(f, time.Now(), items)
		}
		consent.Set([]string{"amara"})
		fatal(t, r.Start("s", consent.Of(h), sessionClock(0)))
		time.Sleep(5 * time.Second)
		consent.Set([]string{"amara", "ben"})
		time.Sleep(10 * time.Second)
		of := func(member string) []Segment { return index.list(func(s Segment) bool { return s.Member == member }) }
		first := func(member string) int {
			own := of(member)
			if len(own) != 1 {
				t.Fatalf("%d segments of %s", len(own), member)
			}
			b, err := os.ReadFile(filepath.Join(dir, "s", own[0].ID+".webm"))
			fatal(t, err)
			data := blocksOf(b)[0].data
			return int(data[1])<<8 | int(data[2])
		}
		<-r.Stop("s")
		if n := first("amara"); n != 0 {
			t.Errorf("of who agreed, the first %d packets are missing", n)
		}
		if n := first("ben"); n < 249-2 || n > 251 { // 20 ms of delay
			t.Errorf("of who agreed after 250 packets, what is stored begins with packet %d", n)
		}

		erasure := Erasure{Session: "s", Member: "ben", Until: 20_000}
		refuse := func(event.RecordingErased) error { return errTest }
		if err := r.Erase(t.Context(), erasure, always, refuse); !errors.Is(err, errTest) || len(of("ben")) != 1 {
			t.Fatalf("without proof: %v, %d rows", err, len(of("ben")))
		}
		var proof event.RecordingErased
		prove := index.prove(&proof)
		want := of("ben")[0]
		fatal(t, r.Erase(t.Context(), erasure, always, prove))
		if len(of("ben")) != 0 || len(of("amara")) != 1 {
			t.Errorf("left are %+v", index.all())
		}
		if len(proof.Files) != 1 || proof.Files[0].ID != want.ID || proof.Files[0].SHA256 != want.SHA256 || proof.Until != erasure.Until {
			t.Errorf("proof %+v", proof)
		}
		files, err := os.ReadDir(filepath.Join(dir, "s"))
		if fatal(t, err); len(files) != 1 || files[0].Name() != of("amara")[0].ID+".webm" {
			t.Errorf("left on disk: %v", files)
		}
		fatal(t, r.Erase(t.Context(), erasure, always, prove))
		if len(proof.Files) != 0 {
			t.Errorf("erased twice: %+v", proof)
		}
		fatal(t, r.Erase(t.Context(), Erasure{Session: "never", Member: "ben", Until: 1}, always, prove))
		fatal(t, r.Close())
	})
}

// Of who has left, what is still being written is finished first, while the recording of the others goes on.
func TestErasureOfWhoHasLeft(t *testing.T) {
	src := encoded(t)
	synctest.Test(t, func(t *testing.T) {
		r, index := newRecorder(t, Config{Dir: t.TempDir()})
		var h hall
		for _, member := range []string{"amara", "ben"} {
			f := newFeed(audioInfo(member))
			h.tracks = append(h.tracks, f)
			items, _ := packetised(audioInfo(member), repeat(src.audio, 1./50, 20), calm)
			go play(f, time.Now(), items)
		}
		fatal(t, r.Start("s", h, sessionClock(0)))
		time.Sleep(5 * time.Second)
		var proof event.RecordingErased
		erasure := Erasure{Session: "s", Member: "ben", Until: 6_000}
		fatal(t, r.Erase(t.Context(), erasure, always, index.prove(&proof)))
		if len(proof.Files) != 1 || proof.Files[0].End == 0 || proof.Files[0].SHA256 == "" {
			t.Errorf("erased %+v", proof)
		}
		time.Sleep(5 * time.Second)
		<-r.Stop("s")
		if left := index.all(); len(left) != 1 || left[0].Member != "amara" || left[0].End < 9_000 {
			t.Errorf("left: %+v", left)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Erase(ended, erasure, always, nil); err == nil {
			t.Error("erased without time to")
		}
		fatal(t, r.Close())
	})
}

// always is an erasure that nothing keeps from being done.
func always(context.Context) error { return nil }

// A legal hold begins, wherever, while files are removed: the others stay, and nothing is proved.
func TestErasureEndsWithALegalHold(t *testing.T) {
	dir := t.TempDir()
	r, index := newRecorder(t, Config{Dir: dir})
	defer closed(t, r)
	fatal(t, os.MkdirAll(filepath.Join(dir, "s"), 0o700))
	for _, id := range []string{"a", "b", "c"} {
		fatal(t, index.InsertSegment(t.Context(), Segment{ID: id, Session: "s", Member: "ben", Finished: true}))
		fatal(t, os.WriteFile(filepath.Join(dir, "s", id+".webm"), []byte(id), 0o600))
	}
	held := func(context.Context) error {
		if len(filesIn(t, dir)) < 3 {
			return ErrKept
		}
		return nil
	}
	erasure := Erasure{Session: "s", Member: "ben", Until: 1}
	prove := func(p event.RecordingErased) error { t.Errorf("proved %+v", p); return nil }
	if err := r.Erase(t.Context(), erasure, held, prove); !errors.Is(err, ErrKept) || len(filesIn(t, dir)) != 2 || len(index.all()) != 3 {
		t.Errorf("erased with %v; left are %v", err, filesIn(t, dir))
	}
	var proof event.RecordingErased
	fatal(t, r.Erase(t.Context(), erasure, always, index.prove(&proof)))
	if len(proof.Files) != 3 || len(filesIn(t, dir)) != 0 {
		t.Errorf("after the hold, %+v is proved, and left are %v", proof, filesIn(t, dir))
	}
}

// Who agreed again after they took their consent back is recorded on, however late what came before is erased.
func TestErasureOfAFormerRecording(t *testing.T) {
	src := encoded(t)
	synctest.Test(t, func(t *testing.T) {
		r, index := newRecorder(t, Config{Dir: t.TempDir()})
		f := newFeed(audioInfo("ben"))
		items, _ := packetised(audioInfo("ben"), repeat(src.audio, 1./50, 10), calm)
		go play(f, time.Now(), items)
		now := sessionClock(0)
		fatal(t, r.Start("s", hall{tracks: []Track{f}}, now))
		time.Sleep(5 * time.Second)
		<-r.Stop("s")
		time.Sleep(5 * time.Second)
		again := newFeed(audioInfo("ben"))
		go play(again, time.Now(), items)
		fatal(t, r.Start("s", hall{tracks: []Track{again}}, now))
		time.Sleep(time.Second)
		var proof event.RecordingErased
		fatal(t, r.Erase(t.Context(), Erasure{Session: "s", Member: "ben", Until: 7_000}, always, index.prove(&proof)))
		time.Sleep(4 * time.Second)
		<-r.Stop("s")
		if len(proof.Files) != 1 || proof.Files[0].Start > 5_000 {
			t.Errorf("erased: %+v", proof)
		}
		if left := index.all(); len(left) != 1 || left[0].Start < 9_000 || left[0].End < 14_000 {
			t.Errorf("left: %+v", left)
		}
		fatal(t, r.Close())
	})
}

// Who leaves while a busy server still has to store what they said is not cut short by that; who takes their consent back is.
func TestLeavingWithABacklog(t *testing.T) {
	src := encoded(t)
	for name, want := range map[string]struct{ least, most int }{
		"leaves": {98, 100}, "comes back": {98, 100}, "withdraws": {0, 35}, // of what was taken in the first moments, which goes with the erasure
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				index := newMemory()
				index.slow = 10 * time.Second // nothing is stored before that
				r, _ := newRecorder(t, Config{Dir: dir, Segments: index})
				var consent Consent
				consent.Set([]string{"ben"})
				f := newFeed(audioInfo("ben"))
				items, _ := packetised(audioInfo("ben"), repeat(src.audio, 1./50, 4), calm)
				fatal(t, r.Start("s", consent.Of(hall{tracks: []Track{f}}), sessionClock(0)))
				go play(f, time.Now(), items)
				time.Sleep(2 * time.Second)
				consent.Set(nil)
				time.Sleep(3 * time.Second)
				switch name {
				case "comes back":
					consent.Set([]string{"ben"})
				case "withdraws":
					consent.Withdraw("ben")
				}
				time.Sleep(10 * time.Second)
				<-r.Stop("s")
				fatal(t, r.Close())
				stored := 0
				for _, s := range index.all() {
					b, err := os.ReadFile(filepath.Join(dir, "s", s.ID+".webm"))
					fatal(t, err)
					stored += len(blocksOf(b))
				}
				if stored < want.least || stored > want.most {
					t.Errorf("%d packets are stored, want %d to %d", stored, want.least, want.most)
				}
			})
		})
	}
}

func TestReplayLeavesOutWhatWasTakenBack(t *testing.T) {
	events := []event.Event{
		{Seq: 1, At: 0, Body: event.SessionOpened{}},
		{Seq: 2, At: 10, Body: event.RecordingChanged{Recording: event.Recording{State: event.RecordingOn}}},
		{Seq: 3, At: 30_000, Body: event.MemberWithdrew{Member: event.Member{ID: "ben"}}},
		{Seq: 4, At: 90_000, Body: event.SessionEnded{}},
	}
	segments := []Segment{
		{ID: "1", Member: "amara", Start: 10, End: 60_000, Finished: true},
		{ID: "2", Member: "ben", Start: 10, End: 30_000, Finished: true},
		{ID: "3", Member: "ben", Start: 50_000, End: 60_000, Finished: true},
	}
	var listed []string
	for _, s := range NewReplay("amara", nil, events, segments).Segments {
		listed = append(listed, s.ID)
	}
	if !slices.Equal(listed, []string{"1", "3"}) {
		t.Errorf("listed: %v", listed)
	}
}
