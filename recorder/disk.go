package recorder

import (
	"sync/atomic"
	"time"
)

const (
	defaultLowVideo = 500_000_000 // bytes
	defaultLowAudio = 200_000_000
	watchEvery      = time.Second
)

// The levels of free space.
const (
	diskOK   = int32(iota)
	diskLow  // video is not stored
	diskFull // nothing is stored
)

// disk knows how much room is left. Its level is written by one goroutine, that of watch, and read by all.
type disk struct {
	dir                string
	free               func(dir string) (uint64, error)
	lowVideo, lowAudio uint64
	level              atomic.Int32
}

func newDisk(cfg Config) *disk {
	d := &disk{dir: cfg.Dir, free: cfg.Free, lowVideo: cfg.LowVideo, lowAudio: cfg.LowAudio}
	if d.free == nil {
		d.free = freeSpace
	}
	if d.lowVideo == 0 {
		d.lowVideo = defaultLowVideo
	}
	if d.lowAudio == 0 {
		d.lowAudio = defaultLowAudio
	}
	return d
}

// stops reports whether media of a type is not to be stored now.
func (d *disk) stops(mime string) bool {
	level := d.level.Load()
	return level == diskFull || level == diskLow && isVideo(mime)
}

// check looks at the disk and reports whether the level changed. To rise, it takes a fifth more room than to fall.
func (d *disk) check() (changed bool, err error) {
	free, err := d.free(d.dir)
	if err != nil {
		return false, err
	}
	old := d.level.Load()
	level := diskOK
	switch {
	case below(free, d.lowAudio, old == diskFull):
		level = diskFull
	case below(free, d.lowVideo, old >= diskLow):
		level = diskLow
	}
	d.level.Store(level)
	return level != old, nil
}

func below(free, limit uint64, already bool) bool {
	if already {
		limit += limit / 5
	}
	return free < limit
}

func (d *disk) notice() Notice {
	switch d.level.Load() {
	case diskLow:
		return Notice{Kind: NoticeDiskLow, Message: "The server's disk is almost full: only sound is being recorded."}
	case diskFull:
		return Notice{Kind: NoticeDiskFull, Message: "The server's disk is full: nothing is being recorded."}
	}
	return Notice{Kind: NoticeDiskOK, Message: "There is room on the server's disk again: everything is being recorded."}
}

// watch looks at the disk.
func (r *Recorder) watch() {
	failing := false
	r.each(watchEvery, func() {
		changed, err := r.disk.check()
		if err != nil && !failing {
			r.cfg.Log.Error("the free space of the disk is unknown", "error", err)
		}
		failing = err != nil
		if changed {
			r.tellAll()
		}
	})
}

// each does something again and again until the recorder closes.
func (r *Recorder) each(every time.Duration, do func()) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-r.quit:
			return
		case <-ticker.C:
			do()
		}
	}
}

func (r *Recorder) tellAll() {
	n := r.disk.notice()
	r.cfg.Log.Warn("free space of the disk has changed what is recorded", "state", string(n.Kind))
	r.mu.Lock()
	runs := make([]*run, 0, len(r.runs))
	for _, run := range r.runs {
		runs = append(runs, run)
	}
	r.mu.Unlock()
	for _, run := range runs {
		n.Session, n.From = run.session, int64(run.now())
		r.notify(n)
	}
}

// tellDisk tells a session that begins what is not stored.
func (r *Recorder) tellDisk(run *run) {
	if n := r.disk.notice(); n.Kind != NoticeDiskOK {
		n.Session, n.From = run.session, int64(run.now())
		r.notify(n)
	}
}
