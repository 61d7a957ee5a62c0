package room

import (
	"math"
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

const (
	readyFor  = 6000 // ms that a start waits for members to get ready
	maxLead   = 800  // ms
	turnFor   = 700  // ms that a page has for turning back to the clip after a pause
	maxStep   = 100  // frames
	minRate   = 0.25
	maxRate   = 2.0
	rateSteps = 100 // rates are kept to hundredths
)

// lineSince is a line of the player and the session time from which it counts.
type lineSince struct {
	Since int64
	Line  event.Playback
}

// keepLine remembers the line that the view has now, and forgets those that nobody can ask for any more.
func (s *State) keepLine(at int64) {
	line := s.view.Playback
	since := at
	if line.Mode != event.Waiting {
		since = min(at, line.At) // a stop that was reached before the room looked
	}
	old := 0
	for old+1 < len(s.lines) && s.lines[old+1].Since < at-remember {
		old++
	}
	s.lines = append(s.lines[old:], lineSince{since, line})
}

// positionAt is the clip time that members were shown at a session time.
func (s *State) positionAt(at int64) int64 {
	i := len(s.lines) - 1
	for i > 0 && s.lines[i].Since > at {
		i--
	}
	return s.onLine(i, at)
}

func (s *State) onLine(i int, at int64) int64 {
	line := s.lines[i].Line
	if at >= line.At || line.Mode == event.Waiting || i == 0 || s.lines[i-1].Line.Mode != event.Playing {
		return s.along(line, at)
	}
	// Everybody still plays the line before, until this one begins.
	before := s.onLine(i-1, at)
	if line.Mode != event.Playing {
		before = min(before, line.Position)
	}
	return before
}

// along is the position of one line at a session time.
func (s *State) along(line event.Playback, at int64) int64 {
	if line.Mode != event.Playing || at <= line.At {
		return line.Position
	}
	moved := math.Round(float64(at-line.At) * 1000 * line.Rate)
	if moved > maxDuration {
		moved = maxDuration
	}
	return min(line.Position+int64(moved), max(line.Position, s.ruler.middle(s.ruler.last)))
}

// reached is the session time at which a playing line gets to a position.
func reached(line event.Playback, position int64) int64 {
	if position <= line.Position {
		return line.At
	}
	return line.At + int64(math.Ceil(float64(position-line.Position)/(1000*max(line.Rate, minRate))))
}

// stop is where a playing line stops by itself: at a prepared pause, or at the end of the range.
type stop struct {
	frame int64
	at    int64
	pause *event.Pause // nil at the end
}

func (s *State) nextStop(line event.Playback) stop {
	from := s.ruler.frame(line.Position)
	for i := range s.view.Pauses { // by frame
		p := s.view.Pauses[i]
		if p.Frame > from && p.Frame <= s.ruler.last && !p.Proposed {
			return stop{p.Frame, reached(line, s.ruler.middle(p.Frame)), &p}
		}
	}
	return stop{s.ruler.last, reached(line, s.ruler.middle(s.ruler.last)), nil}
}

// moving reports whether the player plays or is about to.
func (s *State) moving() bool {
	return s.view.Playback.Mode == event.Playing || s.view.Playback.Mode == event.Waiting
}

// playbackDue tells the player's own deadline.
func (s *State) playbackDue(consider func(int64, func(*turn))) {
	line := s.view.Playback
	switch {
	case !s.ruler.ok():
	case line.Mode == event.Waiting:
		consider(line.At, func(t *turn) { t.beginWithout(line) })
	case line.Mode == event.Playing:
		next := s.nextStop(line)
		consider(next.at, func(t *turn) { t.arrive(next) })
	}
}

// arrive is what happens where a line stops by itself.
func (t *turn) arrive(at stop) {
	if at.pause == nil {
		t.setLine(t.line(event.Stopped, t.ruler.middle(at.frame), at.at))
		return
	}
	p := at.pause
	t.hold(event.Hold{Pause: p.ID, Frame: p.Frame, Prompt: p.Prompt, By: p.By, Think: p.Think, Talk: p.Talk}, at.at)
}

// line makes the next line. Who could play from the old line's place can play from the same place on the new one.
func (t *turn) line(mode event.Mode, position, at int64) event.Playback {
	old := t.view.Playback
	next := event.Playback{
		Mode: mode, Position: position, Rate: old.Rate, At: at, Seq: old.Seq + 1, Ready: []string{}, By: old.By,
	}
	if t.by != "" {
		next.By = t.by
	}
	if position == old.Position && old.Mode != event.Playing {
		next.Ready = old.Ready
	}
	return next
}

func (t *turn) setLine(p event.Playback) { t.emit(event.PlaybackChanged{Playback: p}) }

// drive applies a command that moves the player.
func (t *turn) drive(cmd event.Command) error {
	switch {
	case !t.may(event.Drive):
		return refuse("forbidden", "You do not have the controls. Ask somebody who has them to hand them over.")
	case !t.ruler.ok():
		return errNoClip()
	case t.view.Playback.Mode == event.Holding:
		return refuse("conflict", "You are at a pause. Playing goes on when the pause is ended with Continue.")
	}
	switch c := cmd.(type) {
	case event.PlaybackPlay:
		t.play()
	case event.PlaybackStop:
		t.stop()
	case event.PlaybackSeek:
		t.seek(t.ruler.snap(c.Position))
	case event.PlaybackStep:
		return t.step(c.Frames)
	case event.PlaybackRate:
		return t.rate(c.Rate)
	}
	return nil
}

func errNoClip() error { return refuse("conflict", "There is no clip in this session to play.") }

func (t *turn) play() {
	if t.moving() {
		return
	}
	position := t.view.Playback.Position
	if t.ruler.frame(position) >= t.ruler.last {
		position = t.ruler.middle(t.ruler.first)
	}
	t.start(t.line(event.Waiting, position, t.now+readyFor))
}

// start waits on the line until members are ready, or begins at once if they are.
func (t *turn) start(line event.Playback) {
	if !t.allReady(line.Ready) {
		t.setLine(line)
		return
	}
	line.Mode, line.At = event.Playing, t.together()
	t.setLine(line)
}

// begin starts playing from where everybody waits.
func (t *turn) begin(position int64) { t.setLine(t.line(event.Playing, position, t.together())) }

// beginWithout begins without those who were waited for in vain. Nobody waits for them again until they have caught up.
func (t *turn) beginWithout(line event.Playback) {
	for _, m := range slices.Clone(t.view.Members) {
		if _, ready := slices.BinarySearch(line.Ready, m.ID); !ready && t.awaited(m, t.now) {
			t.setWatching(m, event.Behind)
		}
	}
	t.begin(line.Position)
}

// watch is a member's word on how they watch.
func (t *turn) watch(m event.Member, c event.MemberWatch) error {
	switch {
	case !slices.Contains([]event.Watching{event.Along, event.Own, event.Behind}, c.Watching):
		return refuse("invalid", "This session does not understand that message.")
	case !t.ruler.ok():
		return errNoClip()
	}
	t.setWatching(m, c.Watching)
	t.settle()
	return nil
}

func (t *turn) setWatching(m event.Member, how event.Watching) {
	old := m
	m.Watching = how
	t.change(old, m)
}

// caughtUp takes it from a member's player that they watch along again.
func (t *turn) caughtUp() {
	if m, ok := t.view.Member(t.by); ok && m.Watching == event.Behind {
		t.setWatching(m, event.Along)
	}
}

// together is the session time at which everybody can begin: not before they are where they were told to stop, nor before pages have
// turned back to the clip.
func (t *turn) together() int64 {
	at := max(t.now, t.turned) + t.lead + t.starts
	if mode := t.view.Playback.Mode; mode == event.Stopped || mode == event.Holding {
		at = max(at, t.view.Playback.At)
	}
	return at
}

// allReady reports whether everybody who is awaited is in the sorted set, and somebody is here.
func (t *turn) allReady(ready []string) bool {
	for _, m := range t.view.Members {
		if !t.awaited(m, t.now) {
			continue
		}
		if _, ok := slices.BinarySearch(ready, m.ID); !ok {
			return false
		}
	}
	return t.somebodyHere()
}

// settle begins as soon as nobody is waited for any more.
func (t *turn) settle() {
	if line := t.view.Playback; line.Mode == event.Waiting && t.ruler.ok() && t.allReady(line.Ready) {
		t.begin(line.Position)
	}
}

func (t *turn) ready(c event.PlaybackReady) error {
	line := t.view.Playback
	if c.Seq > line.Seq {
		return refuse("conflict", "That is not where the player is. Wait for the next change.")
	}
	// Ready for an older line: the new one crossed it on the way.
	if _, told := slices.BinarySearch(line.Ready, t.by); c.Seq < line.Seq || told || !t.ruler.ok() {
		return nil
	}
	t.emit(event.PlaybackReadied{Seq: line.Seq, Member: t.by})
	t.caughtUp()
	t.settle()
	return nil
}

func (t *turn) stop() {
	if t.view.Playback.Mode == event.Stopped {
		return
	}
	frame, at := t.agreed()
	t.setLine(t.line(event.Stopped, t.ruler.middle(frame), at))
}

// agreed is a frame that everybody can stop on together, and when they are there: while playing, the one due a
// moment from now, but before a prepared pause that is due by then, so that the pause is not lost.
func (t *turn) agreed() (frame, at int64) {
	line := t.view.Playback
	if line.Mode != event.Playing {
		at = t.now
		if line.Mode != event.Waiting {
			at = max(at, line.At)
		}
		return t.ruler.clamp(t.ruler.frame(line.Position)), at
	}
	at = t.now + t.lead
	frame = t.ruler.clamp(t.ruler.frame(t.positionAt(at)))
	next := t.nextStop(line)
	switch {
	case next.pause != nil && frame >= next.frame:
		frame = t.ruler.clamp(next.frame - 1)
		at = min(max(reached(line, t.ruler.middle(frame)), t.now), at)
	case frame >= next.frame:
		at = min(max(next.at, t.now), at)
	}
	return frame, at
}

// stopNow stops when nobody is there to stop together.
func (t *turn) stopNow() {
	position := t.view.Playback.Position
	if t.ruler.ok() {
		position = t.ruler.snap(t.positionAt(t.now))
	}
	t.setLine(t.line(event.Stopped, position, t.now))
}

func (t *turn) seek(position int64) {
	line := t.view.Playback
	switch {
	case line.Mode == event.Playing:
		t.start(t.line(event.Waiting, position, t.now+readyFor))
	case line.Position == position:
	case line.Mode == event.Waiting:
		t.start(t.line(event.Waiting, position, t.now+readyFor))
	default:
		t.setLine(t.line(event.Stopped, position, t.now))
	}
}

func (t *turn) step(frames int64) error {
	if frames == 0 || frames < -maxStep || frames > maxStep {
		return refuse("invalid", "You can step by 1 to %d frames, back or on.", maxStep)
	}
	from := t.ruler.frame(t.positionAt(t.now))
	if !t.moving() {
		from = t.ruler.frame(t.view.Playback.Position) // a stop that is due in a moment counts as reached
	}
	t.setLine(t.line(event.Stopped, t.ruler.middle(t.ruler.clamp(from+frames)), t.now))
	return nil
}

func (t *turn) rate(rate float64) error {
	if !(rate >= minRate && rate <= maxRate) { // also refuses what is no number
		return refuse("invalid", "The speed can be from %g to %g.", minRate, maxRate)
	}
	rate = math.Round(rate*rateSteps) / rateSteps
	line := t.view.Playback
	if line.Rate == rate {
		return nil
	}
	position, at := line.Position, line.At
	if line.Mode == event.Playing {
		position, at = t.turnover(line)
	}
	next := t.line(line.Mode, position, at)
	next.Rate = rate
	t.setLine(next)
	t.settle() // whoever holds that up is not waited for on another line
	return nil
}

// turnover is where and when a playing line can go over into another: a moment from now, but always before the frame
// at which the line stops by itself, so that the new one stops there too.
func (t *turn) turnover(line event.Playback) (position, at int64) {
	at = max(t.now+t.lead, line.At)
	next := t.nextStop(line)
	if position = t.positionAt(at); next.pause == nil || t.ruler.frame(position) < next.frame {
		return position, at
	}
	at = max(t.now, line.At)
	return min(t.positionAt(at), t.ruler.middle(next.frame-1)), at
}

// giveControls hands the player to a peer, or takes it back.
func (t *turn) giveControls(m event.Member, c event.ControlsGive) error {
	holder := t.view.Controls.Holder
	if !t.may(event.HandOver) || m.Role == event.Peer && c.To != "" && c.To != m.ID {
		return refuse("forbidden", "You can give back controls that you were handed. Ask the facilitator to hand them to somebody else.")
	}
	if c.To == holder {
		return nil
	}
	if c.To != "" {
		to, ok := t.view.Member(c.To)
		if !ok || to.Presence != event.Here {
			return refuse("not_found", "That person is not here. Choose somebody who is.")
		}
		if to.Role != event.Peer {
			return refuse("conflict", "The controls can be handed to a peer only. Others have them by their role, or watch.")
		}
	}
	t.emit(event.ControlsChanged{Controls: event.Controls{Holder: c.To}})
	return nil
}

// returnControls takes the player back from whoever leaves or may not drive any more.
func (t *turn) returnControls(from string) {
	if t.view.Controls.Holder == from {
		t.emit(event.ControlsChanged{})
	}
}
