package event

// Command is what a member asks of a room. The concrete types below are all there are.
type Command interface{ command() string }

// PlaybackPlay starts playback; everybody starts together once all are ready.
type PlaybackPlay struct{}

// PlaybackStop stops playback on the frame due a moment from now, the same for everybody.
type PlaybackStop struct{}

// PlaybackSeek moves to a clip time; playing goes on from there if it was playing.
type PlaybackSeek struct {
	Position int64 `json:"position"` // µs
}

// PlaybackStep moves by frames and stops there.
type PlaybackStep struct {
	Frames int64 `json:"frames"` // negative is back; at most 100 either way
}

// PlaybackRate changes the speed.
type PlaybackRate struct {
	Rate float64 `json:"rate"` // 0.25 to 2
}

// PlaybackReady tells that this member could play from the line's position.
type PlaybackReady struct {
	Seq int64 `json:"seq"`
}

// ControlsGive hands the controls to a peer, or takes them back with an empty To.
type ControlsGive struct {
	To string `json:"to"` // member
}

// PausePut adds or changes a prepared pause. A peer's is a proposal.
type PausePut struct {
	ID     string `json:"id"`
	Frame  int64  `json:"frame"`
	Prompt string `json:"prompt"`
	Think  int64  `json:"think"` // ms, at most 10 minutes
	Talk   int64  `json:"talk"`  // ms, at most 60 minutes
}

// PauseRemove takes a prepared pause away.
type PauseRemove struct {
	ID string `json:"id"`
}

// PauseCall stops playback for everybody on the frame due a moment from now.
type PauseCall struct {
	Prompt string `json:"prompt,omitempty"`
	Think  int64  `json:"think,omitempty"` // ms
}

// HoldConfirm tells which frame this member shows at the pause.
type HoldConfirm struct {
	Hold  string `json:"hold"`
	Frame int64  `json:"frame"`
	Seq   int64  `json:"seq"` // of the playback line
}

// HoldAnswer keeps what the member wrote for themselves; an empty text takes it back.
type HoldAnswer struct {
	Hold string `json:"hold"`
	Text string `json:"text"`
}

// HoldReveal shows all answers and ends think time.
type HoldReveal struct {
	Hold string `json:"hold"`
}

// HoldContinue ends the pause; playback goes on for everybody.
type HoldContinue struct {
	Hold string `json:"hold"`
}

// NoteAdd writes a note. Its clip time is what the room showed at session time At, unless OnClip gives a place.
type NoteAdd struct {
	ID         string     `json:"id"`
	Type       NoteType   `json:"type"`
	Visibility Visibility `json:"visibility"`
	Text       string     `json:"text"`
	Mark       bool       `json:"mark,omitempty"`
	At         int64      `json:"at,omitempty"`     // session time of the first key; 0 is now
	OnClip     bool       `json:"onClip,omitempty"` // From and To are what the writer saw, or chose by hand
	From       int64      `json:"from,omitempty"`   // µs
	To         int64      `json:"to,omitempty"`     // µs
}

// NoteEdit changes one's own note.
type NoteEdit struct {
	ID         string     `json:"id"`
	Type       NoteType   `json:"type"`
	Visibility Visibility `json:"visibility"`
	Text       string     `json:"text"`
	OnClip     bool       `json:"onClip"`
	From       int64      `json:"from"`
	To         int64      `json:"to"`
}

// NoteRemove deletes one's own note with its replies.
type NoteRemove struct {
	ID string `json:"id"`
}

// NoteReply answers a note.
type NoteReply struct {
	Note string `json:"note"`
	ID   string `json:"id"`
	Text string `json:"text"`
}

// ReplyRemove deletes one's own reply.
type ReplyRemove struct {
	Note string `json:"note"`
	ID   string `json:"id"`
}

// DrawingAdd draws a finished stroke on the frame on which the clip stands.
type DrawingAdd struct {
	ID       string    `json:"id"`
	Position int64     `json:"position"` // µs: of the playback line that the writer saw
	Points   []float64 `json:"points"`   // x and y in turn, each 0 to 1 of the picture; at most 512 points
}

// DrawingRemove takes strokes away from the frame: one's own, or anybody's for whoever drives playback.
type DrawingRemove struct {
	IDs []string `json:"ids"`
}

// MemberDevices tells which of one's devices are on.
type MemberDevices struct {
	Mic    bool `json:"mic"`
	Camera bool `json:"camera"`
	Screen bool `json:"screen"`
}

// MemberHand raises or lowers one's hand.
type MemberHand struct {
	Up bool `json:"up"`
}

// MemberWatch tells how one watches the clip.
type MemberWatch struct {
	Watching Watching `json:"watching"`
}

// MemberType tells that one is writing; transient.
type MemberType struct {
	What string `json:"what"` // "note", "answer" or ""
}

// MemberConsent answers whether one agrees to being recorded. Whoever agreed before takes it back with agree false: what was
// recorded of them is removed then.
type MemberConsent struct {
	Agree       bool `json:"agree"`
	RemoveNotes bool `json:"removeNotes,omitempty"` // with what is taken back: one's notes, replies, answers and drawings, too
}

// MemberRole makes a peer of an observer, or an observer of a peer.
type MemberRole struct {
	Member string `json:"member"`
	Role   Role   `json:"role"`
}

// MemberRemove sends a member out; their invitation no longer lets them in.
type MemberRemove struct {
	Member string `json:"member"`
}

// MemberLeave leaves the session.
type MemberLeave struct{}

// RecordingStart starts the recording if everybody here has agreed, and else asks those who have not answered yet. Whoever took
// the conversation off the record may put it back, too.
type RecordingStart struct{}

// RecordingStop takes the conversation off the record, or takes the question back whether to record; anybody may.
type RecordingStop struct{}

// SessionEnd ends the session for everybody.
type SessionEnd struct{}

func (PlaybackPlay) command() string   { return "playback.play" }
func (PlaybackStop) command() string   { return "playback.stop" }
func (PlaybackSeek) command() string   { return "playback.seek" }
func (PlaybackStep) command() string   { return "playback.step" }
func (PlaybackRate) command() string   { return "playback.rate" }
func (PlaybackReady) command() string  { return "playback.ready" }
func (ControlsGive) command() string   { return "controls.give" }
func (PausePut) command() string       { return "pause.put" }
func (PauseRemove) command() string    { return "pause.remove" }
func (PauseCall) command() string      { return "pause.call" }
func (HoldConfirm) command() string    { return "hold.confirm" }
func (HoldAnswer) command() string     { return "hold.answer" }
func (HoldReveal) command() string     { return "hold.reveal" }
func (HoldContinue) command() string   { return "hold.continue" }
func (NoteAdd) command() string        { return "note.add" }
func (NoteEdit) command() string       { return "note.edit" }
func (NoteRemove) command() string     { return "note.remove" }
func (NoteReply) command() string      { return "note.reply" }
func (ReplyRemove) command() string    { return "reply.remove" }
func (DrawingAdd) command() string     { return "drawing.add" }
func (DrawingRemove) command() string  { return "drawing.remove" }
func (MemberDevices) command() string  { return "member.devices" }
func (MemberHand) command() string     { return "member.hand" }
func (MemberWatch) command() string    { return "member.watch" }
func (MemberType) command() string     { return "member.type" }
func (MemberConsent) command() string  { return "member.consent" }
func (MemberRole) command() string     { return "member.role" }
func (MemberRemove) command() string   { return "member.remove" }
func (MemberLeave) command() string    { return "member.leave" }
func (RecordingStart) command() string { return "recording.start" }
func (RecordingStop) command() string  { return "recording.stop" }
func (SessionEnd) command() string     { return "session.end" }

// Commands lists one value of every command type: what the decoder and the generator go by.
func Commands() []Command {
	return []Command{
		PlaybackPlay{},
		PlaybackStop{},
		PlaybackSeek{},
		PlaybackStep{},
		PlaybackRate{},
		PlaybackReady{},
		ControlsGive{},
		PausePut{},
		PauseRemove{},
		PauseCall{},
		HoldConfirm{},
		HoldAnswer{},
		HoldReveal{},
		HoldContinue{},
		NoteAdd{},
		NoteEdit{},
		NoteRemove{},
		NoteReply{},
		ReplyRemove{},
		DrawingAdd{},
		DrawingRemove{},
		MemberDevices{},
		MemberHand{},
		MemberWatch{},
		MemberType{},
		MemberConsent{},
		MemberRole{},
		MemberRemove{},
		MemberLeave{},
		RecordingStart{},
		RecordingStop{},
		SessionEnd{},
	}
}
