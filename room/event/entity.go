package event

// Role is a member's role in a session.
type Role string

// The roles.
const (
	Focal       Role = "focal"       // whose lesson it is
	Coach       Role = "coach"       // listens, asks
	Facilitator Role = "facilitator" // leads the conversation
	Peer        Role = "peer"        // takes part
	Observer    Role = "observer"    // watches, is not heard
)

// Kind is what sort of session this is.
type Kind string

// The kinds.
const (
	Kickoff      Kind = "kickoff"
	Conversation Kind = "conversation"
	Inquiry      Kind = "inquiry"
	LiveLesson   Kind = "live-lesson" // no clip: the focal teacher's camera is the stage
	Reflection   Kind = "reflection"  // alone
)

// Session is what a session is about.
type Session struct {
	ID       string `json:"id"`
	Kind     Kind   `json:"kind"`
	Title    string `json:"title"`
	Focus    string `json:"focus"`             // the focus question
	Purpose  string `json:"purpose"`           // a sentence: for what, and for whom
	Opened   int64  `json:"opened"`            // Unix milliseconds at session time 0, for people's clocks only
	Recorded bool   `json:"recorded"`          // planned to be recorded, if all agree
	Ended    int64  `json:"ended,omitempty"`   // session time at which it ended; 0 while it goes on
	EndedBy  string `json:"endedBy,omitempty"` // member
}

// Clip is the lesson clip of a session, as prepared.
type Clip struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Focus    string `json:"focus"`
	Context  string `json:"context"`
	Duration int64  `json:"duration"` // µs
	Frames   int64  `json:"frames"`
	FPSNum   int64  `json:"fpsNum"` // frame rate = fpsNum/fpsDen, constant
	FPSDen   int64  `json:"fpsDen"`
	From     int64  `json:"from"` // chosen range [from, to), µs
	To       int64  `json:"to"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
}

// Presence is a member's way of being here.
type Presence string

// The ways.
const (
	Here Presence = "here"
	Away Presence = "away" // the connection is lost; may come back
	Left Presence = "left"
)

// Consent is a member's answer to being recorded. The empty answer means not asked yet.
type Consent string

// The answers.
const (
	Unasked   Consent = ""
	Agreed    Consent = "agreed"
	Declined  Consent = "declined"
	Withdrawn Consent = "withdrawn"
)

// Watching is how a member watches the clip.
type Watching string

// The ways of watching.
const (
	Along  Watching = ""       // with everybody
	Own    Watching = "own"    // looks around in the clip on their own for a while
	Behind Watching = "behind" // would watch along, but the clip does not arrive in time
)

// Member is a person in a session.
type Member struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Role     Role     `json:"role"`
	Guest    bool     `json:"guest"`
	Presence Presence `json:"presence"`
	Joined   int64    `json:"joined"` // session time of the latest arrival
	Consent  Consent  `json:"consent"`
	Mic      bool     `json:"mic"`
	Camera   bool     `json:"camera"`
	Screen   bool     `json:"screen"`
	Hand     int64    `json:"hand,omitempty"` // session time at which the hand went up; 0 is down
	Watching Watching `json:"watching,omitempty"`
}

// Mode is what the shared player does.
type Mode string

// The modes.
const (
	Stopped Mode = "stopped"
	Waiting Mode = "waiting"
	Playing Mode = "playing"
	Holding Mode = "holding"
)

// Playback is the shared player's line.
type Playback struct {
	Mode     Mode     `json:"mode"`
	Position int64    `json:"position"` // µs of clip time, at session time At
	Rate     float64  `json:"rate"`     // 0.25 to 2
	At       int64    `json:"at"`       // session time; while waiting, the latest start
	Seq      int64    `json:"seq"`      // grows with each change of the line
	Ready    []string `json:"ready"`    // members that could play from Position (ids, sorted)
	By       string   `json:"by"`       // member who last drove
}

// Stands reports whether the clip stands on a frame, or does so from At on.
func (p Playback) Stands() bool { return p.Mode == Stopped || p.Mode == Holding }

// Controls says who was handed the player besides those whose role drives it.
type Controls struct {
	Holder string `json:"holder"` // member; empty when nobody was
}

// Pause is a prepared pivotal pause.
type Pause struct {
	ID       string `json:"id"`
	Frame    int64  `json:"frame"`
	Prompt   string `json:"prompt"`
	Think    int64  `json:"think"` // private think time, ms; 0 is none
	Talk     int64  `json:"talk"`  // talking time meant, ms; 0 is open
	By       string `json:"by"`    // name of who prepared it
	Passed   bool   `json:"passed"`
	Proposed bool   `json:"proposed,omitempty"` // a peer's proposal: does not stop playback until accepted
}

// Phase is what people do at a pivotal pause.
type Phase string

// The phases.
const (
	Thinking Phase = "thinking"
	Talking  Phase = "talking"
)

// Hold is a pivotal pause that is happening, or has happened.
type Hold struct {
	ID         string   `json:"id"`
	Pause      string   `json:"pause,omitempty"` // the prepared pause; empty when spontaneous
	Frame      int64    `json:"frame"`
	Position   int64    `json:"position"` // µs, middle of the frame
	Prompt     string   `json:"prompt"`
	By         string   `json:"by"`    // name of who prepared or called it
	Seq        int64    `json:"seq"`   // of the playback line that holds
	Began      int64    `json:"began"` // session time
	Think      int64    `json:"think"`
	Talk       int64    `json:"talk"`
	Phase      Phase    `json:"phase"`
	PhaseSince int64    `json:"phaseSince"` // session time at which the phase began
	Confirmed  []string `json:"confirmed"`  // members on the frame (ids, sorted)
	Answered   []string `json:"answered"`   // members who wrote an answer (ids, sorted)
	Revealed   bool     `json:"revealed"`   // the answers are shown to all
	Answers    []Answer `json:"answers"`    // until revealed, only one's own is sent
	Ended      int64    `json:"ended,omitempty"`
}

// Answer is what a member wrote for themselves at a pause.
type Answer struct {
	Member string `json:"member"`
	Text   string `json:"text"`
	At     int64  `json:"at"`
}

// NoteType is what sort of note it is.
type NoteType string

// The types.
const (
	Observation  NoteType = "observation"
	Wondering    NoteType = "wondering"
	Learning     NoteType = "learning"
	Question     NoteType = "question"
	Appreciation NoteType = "appreciation"
	NextStep     NoteType = "next"
)

// Visibility is who may read a note.
type Visibility string

// The visibilities.
const (
	Shared  Visibility = "shared"
	Coaches Visibility = "coaches" // coaches and facilitators
	Private Visibility = "private"
)

// Note is text anchored to a moment or a range of the clip, the session, or both.
type Note struct {
	ID         string     `json:"id"`
	Author     string     `json:"author"` // member
	Type       NoteType   `json:"type"`
	Visibility Visibility `json:"visibility"`
	Text       string     `json:"text"`
	Mark       bool       `json:"mark,omitempty"` // set by one key, without words yet
	At         int64      `json:"at"`             // session time of the first key
	OnClip     bool       `json:"onClip"`         // From and To mean something
	From       int64      `json:"from"`           // clip time of the first key, or begin of the range, µs
	To         int64      `json:"to"`             // end of the range, µs; equal to From for a moment
	Written    int64      `json:"written"`        // session time at which it was added
	Edited     int64      `json:"edited,omitempty"`
	Replies    []Reply    `json:"replies"`
}

// Reply is an answer to a note.
type Reply struct {
	ID     string `json:"id"`
	Author string `json:"author"`
	Text   string `json:"text"`
	At     int64  `json:"at"`
}

// Drawing is a stroke that somebody drew on a frame.
type Drawing struct {
	ID       string    `json:"id"`
	Author   string    `json:"author"`   // member
	Position int64     `json:"position"` // µs, middle of the frame
	Points   []float64 `json:"points"`   // x and y in turn, each 0 to 1 of the picture, in ten-thousandths
}

// RecordingState says whether the conversation is being recorded.
type RecordingState string

// The states.
const (
	NotRecording RecordingState = "off"
	Asking       RecordingState = "asking"         // begins once everybody here has agreed
	RecordingOn  RecordingState = "on"             // who has not answered yet is heard and seen, but not stored
	OffTheRecord RecordingState = "off-the-record" // was on; someone took it off
)

// Recording is the state of the recording, visible to everybody.
type Recording struct {
	State       RecordingState `json:"state"`
	Since       int64          `json:"since"`                 // session time of the latest change
	By          string         `json:"by"`                    // member
	Reason      string         `json:"reason,omitempty"`      // a sentence: why it stopped, or what is wrong while it is on
	MissingFrom int64          `json:"missingFrom,omitempty"` // session time from which on something is missing, if Reason says that while it is on
	MissingTo   int64          `json:"missingTo,omitempty"`   // until when; 0 as long as that lasts
}

// ErasedFile is one recorded file that was removed: what it was, and the SHA-256 of what was in it.
type ErasedFile struct {
	ID     string `json:"id"`
	Source string `json:"source"` // audio, camera, screen or screen-audio
	Start  int64  `json:"start"`  // session time
	End    int64  `json:"end"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // lower-case hexadecimal; empty if the file was cut off before it was finished
}

// Speech is one stretch of a member's talk.
type Speech struct {
	Member string `json:"member"`
	From   int64  `json:"from"` // session time
	To     int64  `json:"to"`
}

// View is the whole state of a session as one member may see it.
type View struct {
	Session   Session   `json:"session"`
	Clip      *Clip     `json:"clip"` // null in a session without one
	Members   []Member  `json:"members"`
	Playback  Playback  `json:"playback"`
	Controls  Controls  `json:"controls"`
	Pauses    []Pause   `json:"pauses"`   // by frame
	Hold      *Hold     `json:"hold"`     // null when none is happening
	Notes     []Note    `json:"notes"`    // by At
	Drawings  []Drawing `json:"drawings"` // on the frame on which the clip stands, as they came
	Recording Recording `json:"recording"`
	Keeping   Keeping   `json:"keeping"`
	Reuse     Reuse     `json:"reuse"`
}

// ReuseState says how far the question is whether the recording may become a clip.
type ReuseState string

// The states.
const (
	NotReused      ReuseState = ""         // nobody has asked
	ReuseAsked     ReuseState = "asked"    // not all have answered
	ReuseGranted   ReuseState = "granted"  // all have agreed: the clip is made
	ReuseDeclined  ReuseState = "declined" // one of them does not agree; it may be asked again
	ReuseTakenBack ReuseState = "taken-back"
)

// Reuse is the question whether the recording may become a clip of its own, which a member asks everybody who is in it.
type Reuse struct {
	State  ReuseState `json:"state"`
	Clip   string     `json:"clip"`   // id that the clip is to have
	By     string     `json:"by"`     // member who asks, and whose clip it is to be
	Of     []string   `json:"of"`     // members who are asked, sorted
	Agreed []string   `json:"agreed"` // those of them who have agreed, sorted
}

// Keeping says for how long a session is kept once it is over, and whether a legal hold keeps it beyond that.
type Keeping struct {
	Days   int64  `json:"days"`   // after the last moment of the session; 0 is for ever
	Held   int64  `json:"held"`   // Unix ms since when nothing of the session is deleted, by nobody; 0 without a legal hold
	Reason string `json:"reason"` // of the legal hold
}

// Action is something that a role may or may not do. The server decides; a client hides what would be refused.
type Action string

// The actions.
const (
	Publish      Action = "publish"        // speak and be seen
	Drive        Action = "drive"          // play, stop, seek, rate
	HandOver     Action = "hand-over"      // give the controls to a peer, take them back
	Prepare      Action = "prepare"        // prepare pivotal pauses
	Propose      Action = "propose"        // propose one
	CallPause    Action = "call-pause"     // a spontaneous pause
	Continue     Action = "continue"       // go on after a pause, show the answers
	WriteShared  Action = "write-shared"   // notes that others read
	WriteCoaches Action = "write-coaches"  // notes for coaches
	WritePrivate Action = "write-private"  // notes for oneself
	Draw         Action = "draw"           // on the frame on which the clip stands
	Record       Action = "record"         // start the recording
	GoOffRecord  Action = "off-the-record" // stop it, for anybody
	RaiseHand    Action = "raise-hand"
	ChangeRole   Action = "change-role" // make a peer of an observer, and back
	RemoveMember Action = "remove"
	EndSession   Action = "end"
	ExportAll    Action = "export-all"
	ExportShared Action = "export-shared"
	ExportOwn    Action = "export-own"
)
