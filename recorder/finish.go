package recorder

import (
	"context"
	"errors"
	"slices"
)

// finishSegment completes a segment's row, now or, if the Index fails, later. A segment without a frame is deleted.
func (r *Recorder) finishSegment(seg Segment) {
	if seg.End > seg.Start {
		r.stats.segments.Add(1)
		r.stats.bytes.Add(uint64(seg.Bytes))
	}
	err := r.finishRow(seg)
	if err == nil {
		if r.out != nil {
			r.out.nudge()
		}
		return
	}
	r.cfg.Log.Warn("a segment waits for the database", "segment", seg.ID, "error", err)
	r.mu.Lock()
	r.late = append(r.late, seg)
	r.mu.Unlock()
}

func (r *Recorder) finishRow(seg Segment) error {
	ctx, cancel := context.WithTimeout(context.Background(), indexTimeout)
	defer cancel()
	if seg.End <= seg.Start {
		return r.discard(ctx, seg)
	}
	err := r.cfg.Segments.FinishSegment(ctx, seg.ID, seg.End, seg.Bytes, seg.SHA256)
	if errors.Is(err, ErrNotFound) {
		return r.files.remove(seg.Session, seg.ID) // the session was deleted meanwhile
	}
	return err
}

// bringLate brings rows of segments after that could not be finished, in a goroutine of its own: an Index that hangs holds up nothing else.
func (r *Recorder) bringLate() {
	r.each(watchEvery, func() { _ = r.finishLate() }) // it has logged; the next round tries again
}

// finishLate tries once more what the Index did not take, until one fails. That one waits on behind the others, and Recover finds it
// after a restart.
func (r *Recorder) finishLate() error {
	r.mu.Lock()
	late := r.late
	r.late = nil
	r.mu.Unlock()
	for i, seg := range late {
		if err := r.finishRow(seg); err != nil {
			r.mu.Lock()
			r.late = slices.Concat(r.late, late[i+1:], []Segment{seg})
			r.mu.Unlock()
			return err
		}
	}
	return nil
}

func (r *Recorder) forgetLate(session string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.late = slices.DeleteFunc(r.late, func(s Segment) bool { return s.Session == session })
}
