package bwe

import "time"

// usage is what the trend of the delay says of the link.
type usage int

const (
	usageNormal usage = iota
	usageOver         // a queue grows
	usageUnder        // a queue drains
)

// Constants of the draft (sections 5.3 to 5.5) and of libwebrtc's trend line, which replaced the draft's Kalman filter.
const (
	burstLength      = 5 * time.Millisecond // packets sent within it are one group
	trendWindow      = 20                   // groups
	trendSmoothing   = 0.9
	trendGain        = 4.0
	maxTrendGroups   = 60
	overuseTime      = 10 * time.Millisecond
	thresholdStart   = 12.5 // ms
	thresholdMin     = 6.0
	thresholdMax     = 600.0
	thresholdUp      = 0.0087
	thresholdDown    = 0.039
	thresholdOutlier = 15.0
	groupGap         = 5 * time.Second // after a silence this long the trend begins anew
)

// group is the packets that left within one burst.
type group struct {
	firstSent, lastSent time.Duration
	lastArrival         time.Duration
	valid               bool
}

// trend follows the one-way delay from group to group.
type trend struct {
	current, previous group
	accumulated       float64 // ms of delay since the start
	smoothed          float64
	points            [trendWindow]point
	count             int // groups so far
	slope             float64
	threshold         float64
	thresholdAt       time.Duration
	overSince         time.Duration
	over              bool
	overCount         int
	state             usage
}

type point struct{ arrival, delay float64 } // ms

// arrived takes a packet in order of sending; arrival is on the receiver's clock.
func (t *trend) arrived(sent, arrival time.Duration) {
	switch {
	case !t.current.valid:
		t.current = group{firstSent: sent, lastSent: sent, lastArrival: arrival, valid: true}
		return
	case sent-t.current.lastSent > groupGap || sent < t.current.firstSent:
		*t = trend{threshold: t.threshold, thresholdAt: t.thresholdAt, state: usageNormal}
		t.current = group{firstSent: sent, lastSent: sent, lastArrival: arrival, valid: true}
		return
	case t.sameBurst(sent, arrival):
		t.current.lastSent = max(t.current.lastSent, sent)
		t.current.lastArrival = max(t.current.lastArrival, arrival)
		return
	}
	if t.previous.valid {
		t.update(t.current.lastSent-t.previous.lastSent, t.current.lastArrival-t.previous.lastArrival, t.current.lastArrival)
	}
	t.previous = t.current
	t.current = group{firstSent: sent, lastSent: sent, lastArrival: arrival, valid: true}
}

// sameBurst also joins packets that a queue on the way has let go at once (draft, section 5.2).
func (t *trend) sameBurst(sent, arrival time.Duration) bool {
	if sent-t.current.firstSent <= burstLength {
		return true
	}
	gained := (arrival - t.current.lastArrival) - (sent - t.current.lastSent)
	return gained < 0 && arrival-t.current.lastArrival <= burstLength && arrival-t.current.lastArrival >= 0 &&
		sent-t.current.firstSent < 100*time.Millisecond
}

func (t *trend) update(sentDelta, arrivalDelta, arrival time.Duration) {
	gradient := ms(arrivalDelta - sentDelta)
	t.accumulated += gradient
	t.smoothed = trendSmoothing*t.smoothed + (1-trendSmoothing)*t.accumulated
	t.points[t.count%trendWindow] = point{arrival: ms(arrival), delay: t.smoothed}
	t.count++
	if t.count >= trendWindow {
		t.slope = t.fit()
	}
	t.detect(sentDelta, arrival)
}

// fit is the slope of the least-squares line through the window: growth of delay by time.
func (t *trend) fit() float64 {
	var sumX, sumY float64
	for _, p := range t.points {
		sumX += p.arrival
		sumY += p.delay
	}
	meanX, meanY := sumX/trendWindow, sumY/trendWindow
	var num, den float64
	for _, p := range t.points {
		num += (p.arrival - meanX) * (p.delay - meanY)
		den += (p.arrival - meanX) * (p.arrival - meanX)
	}
	if den == 0 {
		return t.slope
	}
	return num / den
}

// detect compares the trend with the threshold (draft, section 5.4).
func (t *trend) detect(sentDelta, arrival time.Duration) {
	if t.threshold == 0 {
		t.threshold = thresholdStart
	}
	modified := float64(min(t.count, maxTrendGroups)) * t.slope * trendGain
	switch {
	case modified > t.threshold:
		if !t.over {
			t.over, t.overSince, t.overCount = true, sentDelta/2, 0
		} else {
			t.overSince += sentDelta
		}
		t.overCount++
		if t.overSince > overuseTime && t.overCount > 1 {
			t.overSince, t.overCount = 0, 0
			t.state = usageOver
		}
	case modified < -t.threshold:
		t.over, t.state = false, usageUnder
	default:
		t.over, t.state = false, usageNormal
	}
	t.adapt(modified, arrival)
}

// adapt moves the threshold, so that other flows do not starve this one (draft, section 5.4).
func (t *trend) adapt(modified float64, arrival time.Duration) {
	distance := abs(modified) - t.threshold
	elapsed := min(ms(arrival-t.thresholdAt), 100)
	t.thresholdAt = arrival
	if distance > thresholdOutlier || elapsed <= 0 {
		return
	}
	k := thresholdDown
	if distance > 0 {
		k = thresholdUp
	}
	t.threshold = min(max(t.threshold+k*distance*elapsed, thresholdMin), thresholdMax)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func abs(x float64) float64 { return max(x, -x) }
