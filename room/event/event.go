package event

// Event is one thing that happened: an envelope and its body.
type Event struct {
	Seq  int64  // dense from 1 in a session's journal; 0 for a transient event
	At   int64  // session time, ms; never falls along the journal
	By   string // member; empty for the room itself
	Cmd  string // id of the command that asked for it; empty for the room itself
	Body Body
}

// Body is what happened. The concrete types below are all there are.
type Body interface{ event() string }

// SessionOpened is the first event of every journal: what was planned.
type SessionOpened struct {
	Session Session `json:"session"`
	Clip    *Clip   `json:"clip"`
	Pauses  []Pause `json:"pauses"`
	Notes   []Note  `json:"notes"` // written alone beforehand
	Keeping Keeping `json:"keeping"`
}

// SessionEnded ends the journal's live part.
type SessionEnded struct {
	Session Session `json:"session"`
}

// MemberJoined tells that a member came in, or came back.
type MemberJoined struct {
	Member Member `json:"member"`
}

// MemberChanged tells of devices, hand, role, consent or how they watch.
type MemberChanged struct {
	Member Member `json:"member"`
}

// MemberWithdrew tells that a member took back their consent to being recorded, during the session or afterwards. What was
// recorded of them is removed, see RecordingErased; with notes, their notes, replies, answers and drawings go at once.
type MemberWithdrew struct {
	Member Member `json:"member"`
	Notes  bool   `json:"notes"`
	When   int64  `json:"when"` // Unix ms
}

// MemberLost tells that a member's connection is gone; they may come back.
type MemberLost struct {
	Member Member `json:"member"`
}

// MemberLeft tells that a member left, or did not come back.
type MemberLeft struct {
	Member Member `json:"member"`
}

// MemberRemoved tells that a member was sent out.
type MemberRemoved struct {
	Member Member `json:"member"`
}

// MemberSpoke is one stretch of talk that has ended.
type MemberSpoke struct {
	Speech Speech `json:"speech"`
}

// PlaybackChanged is the player's new line.
type PlaybackChanged struct {
	Playback Playback `json:"playback"`
}

// PlaybackReadied tells that a member could play from the line's position.
type PlaybackReadied struct {
	Seq    int64  `json:"seq"`
	Member string `json:"member"`
}

// ControlsChanged tells who was handed the player.
type ControlsChanged struct {
	Controls Controls `json:"controls"`
}

// PauseSet is a prepared pause, new or changed.
type PauseSet struct {
	Pause Pause `json:"pause"`
}

// PauseRemoved takes a prepared pause away.
type PauseRemoved struct {
	ID string `json:"id"`
}

// HoldBegan begins a pivotal pause; playback is the line that holds. It marks the prepared pause as passed.
type HoldBegan struct {
	Hold     Hold     `json:"hold"`
	Playback Playback `json:"playback"`
}

// HoldConfirmed tells that a member is on the frame.
type HoldConfirmed struct {
	Hold   string `json:"hold"`
	Member string `json:"member"`
	Frame  int64  `json:"frame"`
}

// HoldAnswered keeps an answer. Before the reveal, others get it with an empty answer text.
type HoldAnswered struct {
	Hold   string `json:"hold"`
	Answer Answer `json:"answer"`
}

// HoldPhaseChanged moves from thinking to talking.
type HoldPhaseChanged struct {
	Hold  string `json:"hold"`
	Phase Phase  `json:"phase"`
	Since int64  `json:"since"`
}

// HoldRevealed shows all answers.
type HoldRevealed struct {
	Hold    string   `json:"hold"`
	Answers []Answer `json:"answers"`
}

// HoldEnded ends a pivotal pause, and tells how long it was.
type HoldEnded struct {
	Hold    string `json:"hold"`
	Thought int64  `json:"thought,omitempty"` // ms of think time
	Talked  int64  `json:"talked,omitempty"`  // ms of discussion
}

// NoteAdded is a new note.
type NoteAdded struct {
	Note Note `json:"note"`
}

// NoteEdited is a changed note, with its replies. A member who may not read it any more gets NoteRemoved.
type NoteEdited struct {
	Note Note `json:"note"`
}

// NoteRemoved takes a note away.
type NoteRemoved struct {
	ID string `json:"id"`
}

// NoteReplied is a new reply.
type NoteReplied struct {
	Note  string `json:"note"`
	Reply Reply  `json:"reply"`
}

// ReplyRemoved takes a reply away.
type ReplyRemoved struct {
	Note string `json:"note"`
	ID   string `json:"id"`
}

// DrawingAdded is a new stroke on the frame on which the clip stands.
type DrawingAdded struct {
	Drawing Drawing `json:"drawing"`
}

// DrawingRemoved takes strokes away from the frame.
type DrawingRemoved struct {
	IDs []string `json:"ids"`
}

// RecordingErased is the proof that what was recorded of a member until they took back their consent is gone: every file that
// there was, each removed for good by then, and the films that were made of such files, each removed and made again without them.
type RecordingErased struct {
	Member string       `json:"member"`
	Until  int64        `json:"until"` // session time before which what was recorded began
	Files  []ErasedFile `json:"files"`
	Films  int          `json:"films,omitempty"`
	Clips  int          `json:"clips,omitempty"` // made of the recording by ReuseChanged, and removed
	When   int64        `json:"when"`            // Unix ms
}

// ReuseChanged tells, after the session, whether the recording may become a clip of its own: somebody asked, answered, or took that back.
// Who does not agree is not named.
type ReuseChanged struct {
	Reuse Reuse `json:"reuse"`
	When  int64 `json:"when"` // Unix ms
}

// KeepingChanged tells that a session is kept for longer or shorter, or that a legal hold began or ended.
type KeepingChanged struct {
	Keeping Keeping `json:"keeping"`
	When    int64   `json:"when"` // Unix ms
}

// MeasuresSeen tells that a member has looked at the measures of their own part in the conversation: from then on others see them, too.
type MeasuresSeen struct {
	Member string `json:"member"`
	When   int64  `json:"when"` // Unix ms
}

// RecordingChanged tells whether the conversation is being recorded, and what is wrong with that.
type RecordingChanged struct {
	Recording Recording `json:"recording"`
}

// MemberTyping is transient: a member is writing.
type MemberTyping struct {
	Member string `json:"member"`
	What   string `json:"what"` // "note", "answer" or ""
}

// MemberSpeaking is transient: who is speaking now.
type MemberSpeaking struct {
	Members []string `json:"members"` // ids, sorted
}

// MemberQuality is transient: how a member's connection is.
type MemberQuality struct {
	Member  string `json:"member"`
	Quality string `json:"quality"` // "good", "poor" or "lost"

	// How much later than the rest comes what they sent and was lost on the way to the server, in ms: they send it again. As it was told
	// before where it is left out, and 0 before that.
	Late *int64 `json:"late,omitempty"`
}

// YouChanged is transient and for one member: what they may do now.
type YouChanged struct {
	May []Action `json:"may"`
}

func (SessionOpened) event() string    { return "session.opened" }
func (SessionEnded) event() string     { return "session.ended" }
func (MemberJoined) event() string     { return "member.joined" }
func (MemberChanged) event() string    { return "member.changed" }
func (MemberLost) event() string       { return "member.lost" }
func (MemberLeft) event() string       { return "member.left" }
func (MemberRemoved) event() string    { return "member.removed" }
func (MemberSpoke) event() string      { return "member.spoke" }
func (PlaybackChanged) event() string  { return "playback.changed" }
func (PlaybackReadied) event() string  { return "playback.readied" }
func (ControlsChanged) event() string  { return "controls.changed" }
func (PauseSet) event() string         { return "pause.set" }
func (PauseRemoved) event() string     { return "pause.removed" }
func (HoldBegan) event() string        { return "hold.began" }
func (HoldConfirmed) event() string    { return "hold.confirmed" }
func (HoldAnswered) event() string     { return "hold.answered" }
func (HoldPhaseChanged) event() string { return "hold.phase" }
func (HoldRevealed) event() string     { return "hold.revealed" }
func (HoldEnded) event() string        { return "hold.ended" }
func (NoteAdded) event() string        { return "note.added" }
func (NoteEdited) event() string       { return "note.edited" }
func (NoteRemoved) event() string      { return "note.removed" }
func (NoteReplied) event() string      { return "note.replied" }
func (ReplyRemoved) event() string     { return "reply.removed" }
func (DrawingAdded) event() string     { return "drawing.added" }
func (DrawingRemoved) event() string   { return "drawing.removed" }
func (RecordingChanged) event() string { return "recording.changed" }
func (KeepingChanged) event() string   { return "keeping.changed" }
func (MeasuresSeen) event() string     { return "measures.seen" }
func (RecordingErased) event() string  { return "recording.erased" }
func (ReuseChanged) event() string     { return "reuse.changed" }
func (MemberWithdrew) event() string   { return "member.withdrew" }
func (MemberTyping) event() string     { return "member.typing" }
func (MemberSpeaking) event() string   { return "member.speaking" }
func (MemberQuality) event() string    { return "member.quality" }
func (YouChanged) event() string       { return "you.changed" }

// Bodies lists one value of every event body: what the decoder and the generator go by.
func Bodies() []Body {
	return []Body{
		SessionOpened{},
		SessionEnded{},
		MemberJoined{},
		MemberChanged{},
		MemberWithdrew{},
		MemberLost{},
		MemberLeft{},
		MemberRemoved{},
		MemberSpoke{},
		PlaybackChanged{},
		PlaybackReadied{},
		ControlsChanged{},
		PauseSet{},
		PauseRemoved{},
		HoldBegan{},
		HoldConfirmed{},
		HoldAnswered{},
		HoldPhaseChanged{},
		HoldRevealed{},
		HoldEnded{},
		NoteAdded{},
		NoteEdited{},
		NoteRemoved{},
		NoteReplied{},
		ReplyRemoved{},
		DrawingAdded{},
		DrawingRemoved{},
		RecordingChanged{},
		RecordingErased{},
		ReuseChanged{},
		KeepingChanged{},
		MeasuresSeen{},
		MemberTyping{},
		MemberSpeaking{},
		MemberQuality{},
		YouChanged{},
	}
}

// Transient reports whether the body is of a kind that is never journalled.
func Transient(b Body) bool {
	switch b.(type) {
	case MemberTyping, MemberSpeaking, MemberQuality, YouChanged:
		return true
	}
	return false
}
