package room

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/pausepoint/pausepoint/room/event"
)

var everybody = []string{focal, coach, lead, peer, peer2, observer}

// watcher is a member's client: it folds what it is sent over the view that it once got.
type watcher struct {
	member string
	view   event.View
}

// world checks everything that must always hold, after each step of a session.
type world struct {
	*sim
	before   event.View // the whole state before the events that are checked next
	watchers []*watcher
}

func newWorld(t fatal, plan Plan) *world {
	m := newSim(t, plan)
	w := &world{sim: m}
	w.before.Fold(m.journal[0])
	for _, e := range m.journal[1:] {
		w.before.Fold(e)
	}
	return w
}

// watch begins to follow the session as a member sees it from now on.
func (w *world) watch(member string) {
	if _, known := w.s.view.Member(member); !known {
		return
	}
	w.watchers = append(w.watchers, &watcher{member, viewFor(&w.s.view, member)})
}

// check looks at events that were just emitted.
func (w *world) check(events []event.Event) {
	w.t.Helper()
	for _, e := range events {
		w.follow(e)
		w.before.Fold(e)
	}
	for _, c := range w.watchers {
		if got, want := toJSON(c.view), toJSON(viewFor(&w.s.view, c.member)); got != want {
			w.t.Fatalf("what %s was sent folds to another view, after %v:\n got %s\nwant %s", roleOf[c.member], names(events), got, want)
		}
	}
	if got, want := toJSON(w.before), toJSON(w.s.view); got != want {
		w.t.Fatalf("the events fold to another view:\n got %s\nwant %s", got, want)
	}
	w.checkJournalEnd(events)
	w.checkPositions()
}

func (w *world) follow(e event.Event) {
	for _, c := range w.watchers {
		m, _ := w.before.Member(c.member)
		seen, ok := Visible(&w.before, Viewer{c.member, m.Role}, e)
		if !ok {
			continue
		}
		if err := secrets(&w.before, c.member, m.Role, seen); err != nil {
			w.t.Fatalf("%v", err)
		}
		c.view.Fold(seen)
	}
}

// secrets tells whether an event shows a member what is not for them: texts begin with whose they are.
func secrets(before *event.View, member string, role event.Role, e event.Event) error {
	coaches := role == event.Coach || role == event.Facilitator
	for _, author := range everybody {
		text := toJSON(e)
		if author != member && strings.Contains(text, "private of "+author) {
			return fmt.Errorf("%s is shown %s", member, text)
		}
		if author != member && !coaches && strings.Contains(text, "coaches of "+author) {
			return fmt.Errorf("%s is shown %s", member, text)
		}
		answered, isAnswer := e.Body.(event.HoldAnswered)
		if isAnswer && before.Hold != nil && !before.Hold.Revealed && answered.Answer.Member != member && answered.Answer.Text != "" {
			return fmt.Errorf("%s is shown %s", member, text)
		}
	}
	return nil
}

func (w *world) checkJournalEnd(events []event.Event) {
	w.t.Helper()
	for i, e := range w.journal {
		if e.Seq != int64(i+1) || i > 0 && e.At < w.journal[i-1].At {
			w.t.Fatalf("event %d of the journal is %d at %d", i, e.Seq, e.At)
		}
	}
	for _, e := range events {
		if (e.Seq == 0) != event.Transient(e.Body) {
			w.t.Fatalf("%s has seq %d", event.Name(e.Body), e.Seq)
		}
	}
	j := bytes.ReplaceAll([]byte(toJSON(w.s.view)), []byte(`"hold":null`), nil)
	if bytes.Contains(bytes.ReplaceAll(j, []byte(`"clip":null`), nil), []byte("null")) {
		w.t.Fatalf("the view has a null: %s", j)
	}
}

func (w *world) checkPositions() {
	w.t.Helper()
	v := &w.s.view
	inRange := func(position int64) bool { return position >= v.Clip.From && position < v.Clip.To }
	shown := w.s.positionAt(w.now)
	if !inRange(v.Playback.Position) || !inRange(shown) || v.Hold != nil && !inRange(v.Hold.Position) {
		w.t.Fatalf("outside the range: %+v, shown %d, %+v", v.Playback, shown, v.Hold)
	}
	if (v.Playback.Mode == event.Holding) != (v.Hold != nil) {
		w.t.Fatalf("mode %s, hold %+v", v.Playback.Mode, v.Hold)
	}
	if !slices.IsSorted(v.Playback.Ready) || v.Playback.Rate < minRate || v.Playback.Rate > maxRate {
		w.t.Fatalf("got line %+v", v.Playback)
	}
	if len(v.Drawings) > 0 && !v.Playback.Stands() {
		w.t.Fatalf("what was drawn stays while the clip moves: %+v, %+v", v.Playback, v.Drawings)
	}
	for _, d := range v.Drawings {
		if d.Position != v.Playback.Position {
			w.t.Fatalf("%+v is shown on the frame at %d", d, v.Playback.Position)
		}
	}
	for _, n := range v.Notes {
		if n.OnClip && (n.From < v.Clip.From || n.To > v.Clip.To || n.From > n.To) {
			w.t.Fatalf("got note %+v", n)
		}
	}
}

// command applies a command and checks that a refusal changes nothing, and that who may not is told so.
func (w *world) command(from string, cmd event.Command) {
	w.t.Helper()
	w.check(w.tick())
	if due, ok := w.s.Due(); ok && due <= w.now {
		w.t.Fatalf("something is still due at %d, and it is %d", due, w.now)
	}
	before := dump(w.s)
	m, known := w.s.view.Member(from)
	here := known && m.Presence == event.Here && !w.s.Ended()
	allowed := slices.Contains(w.s.view.May(from), needs[event.Name(cmd)]) || needs[event.Name(cmd)] == ""
	if _, starts := cmd.(event.RecordingStart); starts { // whoever took it off the record puts it back
		r := w.s.view.Recording
		allowed = allowed || r.State == event.OffTheRecord && r.By == from
	}
	events, err := w.try(from, cmd)
	if err != nil && (len(events) > 0 || dump(w.s) != before) {
		w.t.Fatalf("%s was refused (%v) but changed the state", event.Name(cmd), err)
	}
	if here && !allowed && codeOf(err) != "forbidden" {
		w.t.Fatalf("%s by %s: got %v", event.Name(cmd), m.Role, err)
	}
	if !here && err == nil {
		w.t.Fatalf("%s by %s, who is not here, was applied", event.Name(cmd), from)
	}
	w.check(events)
}

// needs is what somebody must be allowed at least to ask for something.
var needs = map[string]event.Action{
	"playback.play": event.Drive, "playback.stop": event.Drive, "playback.seek": event.Drive, "playback.step": event.Drive,
	"playback.rate": event.Drive, "controls.give": event.HandOver, "pause.put": event.Propose, "pause.remove": event.Propose,
	"pause.call": event.CallPause, "hold.answer": event.WriteShared, "hold.reveal": event.Continue, "hold.continue": event.Continue,
	"note.reply": event.WriteShared, "drawing.add": event.Draw, "member.role": event.ChangeRole, "member.remove": event.RemoveMember,
	"recording.start": event.Record, "recording.stop": event.GoOffRecord, "session.end": event.EndSession,
}

// pick draws a number below n, all equally likely: rapid itself prefers small ones.
func pick(t *rapid.T, n int, label string) int {
	v := 0
	for range 8 {
		v <<= 1
		if rapid.Bool().Draw(t, label) {
			v++
		}
	}
	return v % n
}

func drawWatch(t *rapid.T) event.Command {
	return event.MemberWatch{Watching: rapid.SampledFrom([]event.Watching{event.Along, event.Own, event.Behind, "else"}).Draw(t, "watching")}
}

// drawCommand draws a command of any kind, mostly one that makes sense.
func drawCommand(t *rapid.T, w *world, from string) event.Command {
	member := rapid.SampledFrom(append([]string{"", "nobody"}, everybody...))
	position := rapid.OneOf(rapid.Int64Range(9_000_000, 51_000_000), rapid.Int64())
	frame := rapid.OneOf(rapid.Int64Range(240, 300), rapid.Int64())
	small := rapid.IntRange(0, 12)
	hold := testID(99)
	if h := w.s.view.Hold; h != nil && pick(t, 8, "this hold") > 0 {
		hold = h.ID
	}
	seq := w.line().Seq
	known := drawKnownNote(t, w, from)
	visibility := []event.Visibility{event.Shared, event.Coaches, event.Private, event.Private, "all"}[pick(t, 5, "visibility")]
	text := string(visibility) + " of " + from + " at " + fmt.Sprint(w.ids)
	switch pick(t, 38, "command") {
	case 0, 1:
		return event.PlaybackPlay{}
	case 2:
		return event.PlaybackStop{}
	case 3:
		return event.PlaybackSeek{Position: position.Draw(t, "position")}
	case 4:
		return event.PlaybackStep{Frames: rapid.Int64Range(-120, 120).Draw(t, "frames")}
	case 5:
		return event.PlaybackRate{Rate: rapid.Float64Range(0.1, 2.5).Draw(t, "rate")}
	case 6, 7:
		return event.PlaybackReady{Seq: seq - int64(pick(t, 4, "behind")/3)}
	case 8:
		return event.ControlsGive{To: member.Draw(t, "to")}
	case 9, 10:
		return event.PausePut{
			ID: testID(small.Draw(t, "pause")), Frame: frame.Draw(t, "frame"), Prompt: "Why?",
			Think: rapid.Int64Range(-1, 3000).Draw(t, "think"), Talk: rapid.Int64Range(-1, 3000).Draw(t, "talk"),
		}
	case 11:
		return event.PauseRemove{ID: testID(small.Draw(t, "pause"))}
	case 12:
		return event.PauseCall{Prompt: "Why?", Think: rapid.Int64Range(0, 2000).Draw(t, "think")}
	case 13:
		f := int64(0)
		if h := w.s.view.Hold; h != nil {
			f = h.Frame
		}
		return event.HoldConfirm{Hold: hold, Frame: f, Seq: seq - int64(pick(t, 4, "behind")/3)}
	case 14, 15:
		return event.HoldAnswer{Hold: hold, Text: rapid.SampledFrom([]string{"", "answer of " + from}).Draw(t, "answer")}
	case 16:
		return event.HoldReveal{Hold: hold}
	case 17:
		return event.HoldContinue{Hold: hold}
	case 18, 19, 30, 31:
		return event.NoteAdd{
			ID: testID(100 + w.ids), Type: event.Learning, Visibility: visibility, Text: text,
			Mark: rapid.Bool().Draw(t, "mark"), At: rapid.Int64Range(-10, 100_000).Draw(t, "at"),
			OnClip: rapid.Bool().Draw(t, "on clip"), From: position.Draw(t, "from"), To: position.Draw(t, "to"),
		}
	case 20, 21, 32, 33:
		return event.NoteEdit{
			ID: known, Type: event.Question, Visibility: visibility, Text: text,
			OnClip: rapid.Bool().Draw(t, "on clip"), From: position.Draw(t, "from"), To: position.Draw(t, "to"),
		}
	case 22:
		return event.NoteRemove{ID: known}
	case 23:
		return event.NoteReply{Note: known, ID: testID(small.Draw(t, "reply")), Text: "reply"}
	case 24:
		return event.ReplyRemove{Note: known, ID: testID(small.Draw(t, "reply"))}
	case 25:
		return event.MemberDevices{Mic: rapid.Bool().Draw(t, "mic"), Camera: rapid.Bool().Draw(t, "camera")}
	case 26:
		return rapid.SampledFrom([]event.Command{event.MemberHand{Up: true}, event.MemberHand{}, event.MemberType{What: "note"}, drawWatch(t)}).Draw(t, "hand")
	case 27:
		return event.MemberConsent{Agree: rapid.IntRange(0, 3).Draw(t, "agree") > 0, RemoveNotes: rapid.Bool().Draw(t, "notes")}
	case 28:
		return rapid.SampledFrom([]event.Command{event.RecordingStart{}, event.RecordingStop{}, event.MemberLeave{}}).Draw(t, "recording")
	case 35, 36:
		return event.DrawingAdd{ID: testID(100 + w.ids), Position: w.line().Position, Points: []float64{0.5, 0.25}}
	case 37:
		ids := []string{testID(99)}
		for _, d := range w.s.view.Drawings {
			ids = append(ids, d.ID)
		}
		return event.DrawingRemove{IDs: ids[rapid.IntRange(0, len(ids)-1).Draw(t, "stroke"):]}
	default:
		return drawRare(t, member.Draw(t, "member"))
	}
}

// drawKnownNote draws a note, mostly one of the member's own.
func drawKnownNote(t *rapid.T, w *world, from string) string {
	own, all := []string{}, []string{testID(99)}
	for _, n := range w.s.view.Notes {
		all = append(all, n.ID)
		if n.Author == from {
			own = append(own, n.ID)
		}
	}
	if len(own) > 0 && pick(t, 4, "own") > 0 {
		all = own
	}
	return rapid.SampledFrom(all).Draw(t, "known note")
}

func drawRare(t *rapid.T, member string) event.Command {
	switch n := pick(t, 40, "rare"); {
	case n == 0:
		return event.SessionEnd{}
	case n < 4:
		return event.MemberRemove{Member: member}
	}
	role := rapid.SampledFrom([]event.Role{event.Peer, event.Observer, event.Coach, "king"}).Draw(t, "role")
	return event.MemberRole{Member: member, Role: role}
}

func (w *world) connect(t *rapid.T, id string) {
	w.check(w.tick())
	consent := event.Agreed
	if pick(t, 16, "does not agree") == 0 {
		consent = rapid.SampledFrom([]event.Consent{event.Unasked, event.Declined, "perhaps"}).Draw(t, "consent")
	}
	hello := event.Hello{Consent: consent, Mic: rapid.Bool().Draw(t, "mic")}
	before := dump(w.s)
	events, err := w.s.Connect(w.env(), Identity{ID: id, Name: "Name", Role: roleOf[id]}, hello)
	if err != nil && (len(events) > 0 || dump(w.s) != before) {
		w.t.Fatalf("a refused member changed the state")
	}
	w.check(w.keep(events))
	if r := w.s.view.Recording; r.State == event.RecordingOn && w.s.count(refuses) > 0 {
		w.t.Fatalf("a recording is on although somebody does not agree")
	}
}

func TestAnySession(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, testPlan(
			event.Pause{ID: testID(1), Frame: 260, Prompt: "a", Think: 500}, event.Pause{ID: testID(2), Frame: 261, Prompt: "b"},
			event.Pause{ID: testID(3), Frame: 2000, Prompt: "outside"},
		))
		for _, id := range everybody[rapid.IntRange(0, len(everybody)).Draw(t, "come later"):] {
			w.connect(t, id)
		}
		for range rapid.IntRange(20, 100).Draw(t, "steps") {
			who := everybody[pick(t, len(everybody), "who")]
			switch pick(t, 32, "step") {
			case 0, 1:
				w.connect(t, who)
			case 2:
				w.check(w.lose(who))
			case 3, 4:
				w.check(w.pass(rapid.Int64Range(0, 3000).Draw(t, "ms")))
			case 5:
				w.now += rapid.Int64Range(0, 90_000).Draw(t, "held up")
				w.check(w.tick())
			case 6:
				w.watch(who)
			case 7:
				w.check(w.keep(w.s.Spoke(w.env(), event.Speech{Member: who, To: w.now})))
			case 8:
				w.lead = rapid.Int64Range(-5, 2000).Draw(t, "lead")
			case 9:
				w.restart()
			default:
				if m, _ := w.s.view.Member(who); m.Presence != event.Here && pick(t, 4, "come in") > 0 {
					w.connect(t, who)
				}
				w.command(who, drawCommand(t, w, who))
			}
		}
		w.checkJournal()
	})
}

// restart goes on with a state that is folded from the journal.
func (w *world) restart() {
	s, err := New(w.journal)
	if err != nil {
		w.t.Fatalf("fold the journal: %v", err)
	}
	w.s = s
	w.check(w.tick())
	w.check(w.keep(w.s.Recover(w.env())))
}

// FuzzSession takes lines of a member's letter, a letter for how much time goes by, and a frame as it is on the wire.
func FuzzSession(f *testing.F) {
	var all []string
	for i, c := range event.Commands() {
		frame, err := event.Encode(testID(i), c)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, string(rune('a'+i%len(everybody)))+"c"+string(frame))
	}
	f.Add(strings.Join(all, "\n"))
	f.Add("ab{\"type\":\"playback.play\",\"id\":\"" + testID(1) + "\"}\nbz\nad{\"type\":\"pause.call\",\"id\":\"" + testID(2) + "\"}")
	f.Fuzz(func(t *testing.T, script string) {
		m := newSim(t, testPlan(event.Pause{ID: testID(1), Frame: 260, Think: 500}))
		m.join(everybody...)
		for line := range strings.Lines(script) {
			if len(line) < 2 || len(m.journal) > 500 {
				continue
			}
			m.pass(int64(line[1]) * int64(line[1]))
			in, err := event.Parse([]byte(line[2:]))
			cmd, ok := in.Body.(event.Command)
			if err != nil || !ok {
				continue
			}
			from := everybody[int(line[0])%len(everybody)]
			events, err := m.s.Apply(m.env(), from, cmd, in.ID)
			if m.keep(events); err != nil && len(events) > 0 {
				t.Fatalf("%s: %d events and %v", line, len(events), err)
			}
		}
		m.checkJournal()
		if b, err := json.Marshal(viewFor(&m.s.view, peer)); err != nil || !json.Valid(b) {
			t.Fatalf("the view cannot be sent: %v", err)
		}
	})
}
