package bwe

import "time"

// Loss thresholds. Radios lose some percent whatever is sent, and sending less does not help there: so the target falls only when more
// is lost than NACKs and redundancy can mend.
const (
	lossModerate  = 0.15
	lossHeavy     = 0.30 // a policer, or a queue that is full
	lossInterval  = time.Second
	lossEnough    = 100 // packets, for a judgement of a moderate loss
	heavyInterval = 200 * time.Millisecond
	heavyEnough   = 20
	lossSmoothing = 0.3
	lossFew       = 30 // fewer packets than this say little of how many are lost
)

// lossWindow counts what is reported lost.
type lossWindow struct {
	fraction       float64       // of the last whole window, or of several with few packets
	usual          float64       // of several windows
	at             time.Duration // when they were measured; 0 before
	since          time.Duration
	reported, lost int
}

func (w *lossWindow) add(reported, lost int) {
	w.reported += reported
	w.lost += lost
}

// judge says to which target to fall, if the losses ask for it.
func (w *lossWindow) judge(now time.Duration, target, acked int) (int, bool) {
	if w.reported == 0 {
		w.since, w.lost = now, 0
		return 0, false
	}
	elapsed := now - w.since
	fraction := min(max(float64(w.lost)/float64(w.reported), 0), 1)
	if fraction >= lossHeavy && elapsed >= heavyInterval && w.reported >= heavyEnough {
		w.begin(now, fraction)
		return max(int(decreaseFactor*float64(acked)), target/2), true
	}
	if elapsed < lossInterval || w.reported < lossEnough && elapsed < 3*lossInterval {
		return 0, false
	}
	enough := w.reported >= lossEnough
	w.begin(now, fraction)
	if fraction < lossModerate || !enough {
		return 0, false
	}
	return int(float64(target) * (1 - fraction/2)), true
}

// begin keeps the fraction of the window that has ended: the fewer packets it had, the more of what was known before stays.
func (w *lossWindow) begin(now time.Duration, fraction float64) {
	weight := min(float64(w.reported)/lossFew, 1)
	usual := w.usual + weight*lossSmoothing*(fraction-w.usual)
	*w = lossWindow{fraction: w.fraction + weight*(fraction-w.fraction), usual: usual, at: now, since: now}
}
