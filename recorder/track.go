package recorder

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/at-wat/ebml-go/webm"
	"github.com/google/uuid"
)

// The constants of segmenting; ms of session time.
const (
	soundLength    = 60_000. // of a segment of sound
	pictureLength  = 10_000. // of one of pictures: then a key frame is asked for, with which the next begins
	spread         = 5_000.  // the first of a track has up to so much more: see firstLength
	silenceLimit   = 5_000.  // without sound for so long, a segment ends
	stillLimit     = 3_000.  // the same for pictures: see flushAt
	holeLimit      = 1_500.  // a key frame that comes so long after the last frame begins a segment
	resizeAfter    = 2_000.  // a change of size begins a new segment unless this one is younger
	flushAfter     = 1_100.  // frames wait for the rest of their cluster, and for packets before them, at most for so long
	keyFrameEvery  = 1_000.  // between two requests
	repairLimit    = 400.    // a packet that is missing for so long was asked for some times: a key frame is asked for, too
	restartEvery   = 5_000.  // between two beginnings anew of a stream's numbering
	epochEvery     = 1_000.  // the same, where the media room says so; what is between is dropped
	storageBackoff = 5_000.  // after a failed write
	maxHeld        = 4096    // frames kept while the timeline settles
	tick           = 100 * time.Millisecond
	stalled        = 500. // a tick that comes so long after it was due says that the process did not run
)

// writer turns one track into segments. One goroutine owns it: the one in which run runs.
type writer struct {
	rec   *Recorder
	run   *run
	track Track
	info  TrackInfo
	clock *senderClock
	log   *slog.Logger

	epoch       uint32
	reorder     reorder
	vp8         *vp8Assembler // nil for audio
	timeline    *timeline
	misfits     int     // packets in a row that do not fit the timeline
	restarted   float64 // session time
	held        []frame // until the timeline has settled
	file        *segmentFile
	settling    sync.WaitGroup // of files before
	length      float64        // of the file, when it is due
	width       int            // of the file
	height      int
	newest      float64 // session time of the newest stored frame
	asked       float64 // session time of the newest request for a key frame
	retryAt     float64 // session time before which nothing is stored, after a failed write
	arrived     float64 // session time at which the newest item came
	dropped     uint64  // not told yet
	droppedFrom float64 // between which session times these came
	droppedTo   float64
	droppedTold float64
}

func newWriter(rec *Recorder, r *run, t Track, clock *senderClock) *writer {
	w := &writer{
		rec: rec, run: r, track: t, info: t.Info(), clock: clock,
		length: soundLength, arrived: r.from, asked: math.Inf(-1), restarted: math.Inf(-1), droppedTold: math.Inf(-1),
	}
	if isVideo(w.info.Mime) {
		w.length = firstLength(w.info.Publication)
	}
	w.log = rec.cfg.Log.With("session", r.session, "publication", w.info.Publication, "source", w.info.Source)
	w.reset()
	return w
}

func isVideo(mime string) bool { return strings.EqualFold(mime, "video/VP8") }
func isAudio(mime string) bool { return strings.EqualFold(mime, "audio/opus") }

// firstLength is how long a publication's first segment of pictures is. People are recorded from the same moment on: if all of them were
// asked for key frames at the same moments, too, those who watch them would get them all at once.
func firstLength(publication string) float64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(publication)) // it never fails
	return pictureLength + spread*float64(h.Sum32())/(1<<32)
}

// reset begins the stream anew.
func (w *writer) reset() {
	w.reorder, w.timeline, w.misfits = reorder{}, newTimeline(w.info.ClockRate, w.clock), 0
	if isVideo(w.info.Mime) {
		w.vp8, w.timeline = newVP8Assembler(), newPictureTimeline(w.info.ClockRate, w.clock)
	}
}

// loop stores the track until it ends, and then finishes its file. While items wait, their arrival is the time: what is late because
// the disk was slow is neither missing nor silence. Nor is what has arrived while the process did not run, and is read from the socket
// only now: the next tick finds it.
func (w *writer) loop() {
	ticked := w.run.now()
	w.clock.RoundTrip(w.track.RoundTrip(), ticked)
	for {
		asked := w.run.now()
		item, err := w.next()
		now := w.run.now()
		switch {
		case err == nil:
			w.take(item)
			now = w.run.at(item.Arrival)
		case !errors.Is(err, context.DeadlineExceeded):
			w.finish()
			return
		case now-asked >= stalled:
			ticked = now
		}
		if now-ticked >= float64(tick.Milliseconds()) {
			ticked = now
			w.tick(now)
		}
	}
}

// next waits for an item, at most until the next tick.
func (w *writer) next() (Item, error) {
	ctx, cancel := context.WithTimeout(context.Background(), tick)
	defer cancel()
	return w.track.Next(ctx)
}

// take handles one item.
func (w *writer) take(item Item) {
	now := w.run.at(item.Arrival)
	if item.Dropped > 0 {
		if w.dropped == 0 {
			w.droppedFrom = w.arrived
		}
		w.dropped, w.droppedTo = w.dropped+item.Dropped, now
	}
	w.arrived = now
	if w.run.cutBefore(item.Arrival) {
		return
	}
	if w.rec.disk.stops(w.info.Mime) {
		w.suspend()
		return
	}
	if item.Epoch != w.epoch {
		if now-w.restarted < epochEvery {
			return
		}
		w.restart()
		w.epoch, w.restarted = item.Epoch, now
	}
	switch {
	case item.Report != nil:
		w.timeline.Report(*item.Report, now)
	case item.Packet != nil:
		w.packet(item, now)
	}
	w.drain(now)
	if w.wantsKeyFrame() {
		w.askKeyFrame(now)
	}
}

// wantsKeyFrame reports whether nothing can be stored before a key frame, or that is to be feared, or the time is to be corrected.
func (w *writer) wantsKeyFrame() bool {
	if w.vp8 == nil {
		return false
	}
	return w.vp8.needsKey && !w.vp8.open || w.reorder.waited >= repairLimit || w.timeline.StepDue()
}

func (w *writer) packet(item Item, now float64) {
	p := item.Packet
	if len(p.Payload) == 0 { // padding has a number of its own, but the timestamp of a frame that may be long past
		w.reorder.push(p, now)
		return
	}
	if !w.timeline.Packet(p.Timestamp, now) {
		// One packet may be wrong; several in a row are a new stream.
		if w.misfits++; w.misfits < 3 || now-w.restarted < restartEvery {
			return
		}
		w.restarted = now
		w.restart()
		w.timeline.Packet(p.Timestamp, now)
	}
	w.misfits = 0
	w.reorder.push(p, now)
}

// restart ends the segment: what comes now has other sequence numbers or another RTP time.
func (w *writer) restart() {
	w.drain(math.Inf(1))
	w.place()
	w.closeFile(math.Inf(1))
	w.reset()
}

// suspend stores nothing until there is room on the disk again.
func (w *writer) suspend() {
	if w.file != nil || w.reorder.started {
		w.closeFile(math.Inf(1))
		w.held = nil
		w.reset()
	}
}

// drain puts together what is in order.
func (w *writer) drain(now float64) {
	for {
		p, ok := w.reorder.pop(now)
		if !ok {
			break
		}
		w.held = append(w.held, w.assemble(p)...)
	}
	if w.timeline.Settled(now) || len(w.held) > maxHeld {
		w.place()
	}
}

func (w *writer) assemble(p arrived) []frame {
	var out []frame
	if w.vp8 != nil {
		out = w.vp8.push(p)
	} else if f, ok := opusFrame(p); ok {
		out = []frame{f}
	}
	for i := range out {
		out[i].arrival = p.at
	}
	return out
}

// place stores what was held.
func (w *writer) place() {
	if len(w.held) == 0 {
		return
	}
	for _, f := range w.held {
		at, stepped := w.timeline.At(f.rtp, f.key)
		w.store(f, at, stepped)
	}
	clear(w.held)
	w.held = w.held[:0]
	if w.file == nil && w.vp8 != nil {
		w.vp8.needsKey = true
	}
}

// store puts a frame into the segment that it belongs to, at a session time.
func (w *writer) store(f frame, at float64, stepped bool) {
	if at < w.run.first || at < w.retryAt {
		return // captured before the recording was on, or it cannot be stored now
	}
	if w.file != nil && (stepped || w.isDue(f, at)) {
		w.closeFile(at)
	}
	if w.file == nil {
		if !f.key {
			return
		}
		if err := w.openFile(f, at); err != nil {
			w.fail(err, at)
			return
		}
	}
	if err := w.file.add(at, f); err != nil {
		w.fail(err, at)
		return
	}
	w.newest = max(w.newest, at)
	w.rec.stats.frames.Add(1)
}

// isDue reports whether a new segment is to begin with f.
func (w *writer) isDue(f frame, at float64) bool {
	age, after := w.file.age(at), at-w.newest
	switch {
	case after > w.silence():
		return true
	case w.vp8 == nil:
		return age >= w.length
	case !f.key:
		return false
	case after > holeLimit:
		return true
	}
	resized := f.width != w.width || f.height != w.height
	return age >= w.length || resized && age >= resizeAfter
}

// silence is how long a segment goes on without media, in ms.
func (w *writer) silence() float64 {
	if w.vp8 != nil {
		return stillLimit
	}
	return silenceLimit
}

func (w *writer) openFile(f frame, at float64) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	seg := Segment{
		ID: id.String(), Session: w.run.session, Member: w.info.Member, Publication: w.info.Publication,
		Source: w.info.Source, Mime: MimeOpus, Start: int64(math.Round(at)),
	}
	entry := opusTrack(w.info.Channels)
	if w.vp8 != nil {
		seg.Mime = MimeVP8
		entry = vp8Track(f.width, f.height)
	}
	w.width, w.height, w.newest = f.width, f.height, at
	w.file, err = w.create(seg, entry)
	return err
}

func (w *writer) create(seg Segment, entry webm.TrackEntry) (*segmentFile, error) {
	return w.rec.files.createSegment(w.rec.cfg.Segments, seg, entry)
}

// closeFile finishes the open segment, if there is one. next is the session time of the frame that comes after it: a picture is
// shown until then, but not over a hole.
func (w *writer) closeFile(next float64) {
	if w.file == nil {
		return
	}
	if next > w.newest && next-w.newest <= holeLimit {
		w.file.until(next)
	}
	file := w.file
	w.file = nil
	if w.vp8 != nil {
		w.length = pictureLength
	}
	if err := file.close(); err != nil {
		w.log.Error("a segment could not be written to its end", "segment", file.seg.ID, "error", err)
	}
	w.settling.Go(func() { w.settle(file) })
}

// settle finishes a segment once its file is durable, for which the track does not wait.
func (w *writer) settle(file *segmentFile) {
	seg, err := file.settle()
	if err != nil {
		w.log.Error("the end of a segment is lost", "segment", seg.ID, "error", err)
	}
	w.rec.finishSegment(seg)
}

// fail gives the segment up after a write that did not work, and stores nothing for a while.
func (w *writer) fail(err error, at float64) {
	w.log.Error("recording is interrupted: a segment cannot be written", "error", err)
	w.retryAt = at + storageBackoff
	w.closeFile(math.Inf(1))
	w.notify(NoticeStorage, at-flushAfter, w.retryAt, 0, "The recording is interrupted because it cannot be stored.")
}

func (w *writer) askKeyFrame(now float64) {
	if now-w.asked >= keyFrameEvery {
		w.asked = now
		w.rec.stats.keyFrameRequests.Add(1)
		w.track.RequestKeyFrame()
	}
}

// tick does what is due without a packet.
func (w *writer) tick(now float64) {
	if w.dropped > 0 && now-w.droppedTold >= 1000 {
		w.tellDropped(now)
	}
	w.clock.RoundTrip(w.track.RoundTrip(), now)
	w.drain(now)
	if w.file == nil {
		return
	}
	if w.file.waited(now) >= flushAfter {
		if err := w.file.flushAt(now); err != nil {
			w.fail(err, now)
			return
		}
	}
	if now-w.file.newest > w.silence()+float64(reorderHold.Milliseconds()) {
		w.closeFile(math.Inf(1))
		if w.vp8 != nil {
			w.vp8.lose() // what comes next begins a segment
			w.askKeyFrame(now)
		}
		return
	}
	if w.vp8 != nil && w.file.age(now) >= w.length {
		w.askKeyFrame(now)
	}
}

func (w *writer) tellDropped(now float64) {
	w.rec.stats.dropped.Add(w.dropped)
	w.log.Warn("the recorder was too slow", "dropped", w.dropped)
	w.notify(NoticeOverflow, w.droppedFrom, w.droppedTo, w.dropped, "A moment of the recording is missing because the server is busy.")
	w.dropped, w.droppedTold = 0, now
}

func (w *writer) notify(kind NoticeKind, from, to float64, items uint64, message string) {
	w.rec.notify(Notice{
		Kind: kind, Session: w.run.session, Member: w.info.Member, Source: w.info.Source,
		From: int64(max(from, w.run.from)), To: int64(math.Ceil(to)), Items: items, Message: message,
	})
}

// finish stores what has arrived and ends the file; all is durable when it returns.
func (w *writer) finish() {
	if w.dropped > 0 {
		w.tellDropped(w.run.now())
	}
	w.drain(math.Inf(1))
	w.place()
	w.closeFile(math.Inf(1))
	w.settling.Wait()
}
