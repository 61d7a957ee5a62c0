package recorder

import (
	"sync"
	"sync/atomic"
	"time"
)

// run is one stretch of a session on the record, from Start to Stop.
type run struct {
	rec     *Recorder
	session string
	from    float64   // session time at its begin, ms
	first   float64   // session time of the first moment that is stored, ms
	ref     time.Time // the same moment
	done    chan struct{}

	end     atomic.Pointer[time.Time] // what arrives after it is not stored
	writers sync.WaitGroup

	mu     sync.Mutex
	stop   func()
	tracks map[Track]taping
	clocks map[string]*memberClock
}

// taping is a track that is being stored.
type taping struct {
	first float64       // session time of the first moment of it that may be stored, ms
	ended chan struct{} // closed once all of it is stored
}

// memberClock is the clock of a member who publishes tracks. It is forgotten with the last of them: the member may come back on
// another device.
type memberClock struct {
	senderClock
	tracks int
}

func newRun(r *Recorder, session string, from float64) *run {
	return &run{
		rec: r, session: session, from: from, first: from, ref: time.Now(), done: make(chan struct{}), stop: func() {},
		tracks: make(map[Track]taping), clocks: make(map[string]*memberClock),
	}
}

// at is the session time of a moment.
func (r *run) at(t time.Time) float64 {
	return r.from + float64(t.Sub(r.ref))/float64(time.Millisecond)
}

func (r *run) now() float64 { return r.at(time.Now()) }

// cutBefore reports whether the recording had ended at a moment.
func (r *run) cutBefore(t time.Time) bool {
	end := r.end.Load()
	return end != nil && t.After(*end)
}

// start begins to record a track, in a goroutine of its own.
func (r *run) start(t Track) {
	info := t.Info()
	if !isAudio(info.Mime) && !isVideo(info.Mime) {
		r.refuse(info)
		t.Close()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end.Load() != nil {
		t.Close()
		return
	}
	r.tracks[t] = taping{first: max(r.first, r.now()), ended: make(chan struct{})}
	c := r.clocks[info.Member]
	if c == nil {
		c = &memberClock{}
		r.clocks[info.Member] = c
	}
	c.tracks++
	r.rec.stats.tracks.Add(1)
	r.writers.Go(func() {
		newWriter(r.rec, r, t, &c.senderClock).loop()
		t.Close()
		r.ended(t, info.Member)
	})
}

// refuse tells people of a track that cannot be recorded.
func (r *run) refuse(info TrackInfo) {
	r.rec.cfg.Log.Warn("a track cannot be recorded", "session", r.session, "mime", info.Mime)
	r.rec.notify(Notice{
		Kind: NoticeCodec, Session: r.session, Member: info.Member, Source: info.Source, From: int64(r.now()),
		Message: "Somebody's picture is not being recorded: their browser sends it in a form that cannot be stored.",
	})
}

func (r *run) ended(t Track, member string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.tracks[t].ended)
	delete(r.tracks, t)
	c := r.clocks[member]
	if c.tracks--; c.tracks == 0 {
		delete(r.clocks, member)
	}
	r.rec.stats.tracks.Add(-1)
}

// closeTracks ends the tracks of a member that began before a session time; each channel is closed once all of its track is stored.
func (r *run) closeTracks(member string, before float64) (ended []<-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for t, taping := range r.tracks {
		if t.Info().Member == member && taping.first < before {
			t.Close()
			ended = append(ended, taping.ended)
		}
	}
	return ended
}

// tapped keeps how to stop the tap.
func (r *run) tapped(stop func()) {
	r.mu.Lock()
	if stop != nil {
		r.stop = stop
	}
	cut := r.end.Load() != nil
	r.mu.Unlock()
	if cut && stop != nil {
		stop()
	}
}

// cut ends the run at this moment.
func (r *run) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	end := time.Now()
	r.end.Store(&end)
	for t := range r.tracks {
		t.Close()
	}
}

// wait returns when all is stored.
func (r *run) wait() {
	r.mu.Lock()
	stop := r.stop
	r.mu.Unlock()
	stop()
	r.writers.Wait()
}
