package room

import (
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

const (
	awayFor    = 15 * 1000 // ms that a lost member may take to come back, and that an empty room plays on
	maxMembers = 1000      // known to one session, with those who left
	maxName    = 80        // runes
	maxTitle   = 200       // runes
	maxAbout   = 2000      // runes of a focus question or a purpose
)

// Identity is who somebody is, as the edge has made sure.
type Identity struct {
	ID    string // member
	Name  string
	Role  event.Role // as invited; who was made a peer or an observer in the session stays that
	Guest bool
}

// Connect lets a member in, or in again. An error is a *event.Problem, and then nothing has changed.
func (s *State) Connect(env Env, who Identity, hello event.Hello) ([]event.Event, error) {
	old, known := s.view.Member(who.ID)
	switch {
	case s.Ended():
		return nil, errEnded()
	case s.removed[who.ID]:
		return nil, refuse("forbidden", "You were removed from this session, so you cannot come in again.")
	case !validID(who.ID) || !slices.Contains(roles, who.Role):
		return nil, refuse("invalid", "This invitation cannot be used. Ask for a new one.")
	case !known && len(s.view.Members) >= maxMembers:
		return nil, refuse("full", "This session has as many members as it can have, so nobody else can come in.")
	}
	t := s.turn(env, who.ID, "")
	m := event.Member{
		ID: who.ID, Name: cleanLine(who.Name, maxName), Role: who.Role, Guest: who.Guest,
		Presence: event.Here, Joined: t.now, Mic: hello.Mic, Camera: hello.Camera,
		Consent: enteringConsent(old, hello.Consent),
	}
	if m.Name == "" {
		m.Name = "Guest"
	}
	if known {
		m.Role, m.Hand = old.Role, old.Hand
	}
	if !slices.Contains(event.May(m.Role, t.view.Session.Kind, true, false), event.Publish) {
		m.Mic, m.Camera = false, false
	}
	if refuses(m) {
		t.goOffRecord("Somebody came in who does not agree to being recorded.")
	}
	t.emit(event.MemberJoined{Member: m})
	return t.out, nil
}

var roles = []event.Role{event.Focal, event.Coach, event.Facilitator, event.Peer, event.Observer}

// enteringConsent is the answer with which a member comes in. Whoever was only away may send again what they said at
// the door: that does not undo a consent that they withdrew since.
func enteringConsent(old event.Member, said event.Consent) event.Consent {
	back := old.Presence == event.Here || old.Presence == event.Away
	switch {
	case said == event.Declined:
		if back && old.Consent == event.Withdrawn {
			return event.Withdrawn
		}
		return event.Declined
	case said == event.Agreed && !(back && (old.Consent == event.Withdrawn || old.Consent == event.Declined)):
		return event.Agreed
	}
	return old.Consent
}

// Disconnect tells that a member's connection is gone.
func (s *State) Disconnect(env Env, member string) []event.Event {
	m, ok := s.view.Member(member)
	if !ok || m.Presence != event.Here || s.Ended() {
		return nil
	}
	t := s.turn(env, member, "")
	t.lose(m)
	return t.out
}

// Recover is what a room does first with a journal that another one left: nobody is connected yet. A recording that
// was on goes on, and is said so again, for whoever records.
func (s *State) Recover(env Env) []event.Event {
	if s.Ended() {
		return nil
	}
	t := s.turn(env, "", "")
	for _, m := range slices.Clone(s.view.Members) {
		if m.Presence == event.Here {
			t.lose(m)
		}
	}
	if again := t.view.Recording; again.State == event.RecordingOn {
		again.Reason, again.MissingFrom, again.MissingTo = "", 0, 0 // whoever records says what is still wrong
		t.emit(event.RecordingChanged{Recording: again})
	}
	return t.out
}

func (t *turn) lose(m event.Member) {
	m.Presence = event.Away
	t.emit(event.MemberLost{Member: m})
	t.settle()
}

// leave ends a member's part in the session; they may come in again.
func (t *turn) leave(m event.Member) {
	t.emit(event.MemberLeft{Member: gone(m)})
	t.returnControls(m.ID)
	t.settle()
	t.settleQuestion()
}

func gone(m event.Member) event.Member {
	m.Presence = event.Left
	m.Mic, m.Camera, m.Screen, m.Hand, m.Watching = false, false, false, 0, event.Along
	return m
}

// change emits what is new about a member, if anything is.
func (t *turn) change(old, m event.Member) {
	if old != m {
		t.emit(event.MemberChanged{Member: m})
	}
}

func (t *turn) setDevices(m event.Member, c event.MemberDevices) error {
	if (c.Mic || c.Camera || c.Screen) && !t.may(event.Publish) {
		return refuse("forbidden", "You watch this session. Raise your hand if you want to speak.")
	}
	old := m
	m.Mic, m.Camera, m.Screen = c.Mic, c.Camera, c.Screen
	t.change(old, m)
	return nil
}

func (t *turn) raiseHand(m event.Member, c event.MemberHand) error {
	old := m
	switch {
	case !c.Up:
		m.Hand = 0
	case m.Hand == 0:
		m.Hand = max(t.now, 1)
	}
	t.change(old, m)
	return nil
}

func (t *turn) typing(c event.MemberType) error {
	if c.What != "" && c.What != "note" && c.What != "answer" {
		return refuse("invalid", "You can be writing a note or an answer.")
	}
	t.emit(event.MemberTyping{Member: t.by, What: c.What})
	return nil
}

func (t *turn) changeRole(c event.MemberRole) error {
	if !t.may(event.ChangeRole) {
		return refuse("forbidden", "Only the facilitator can change who takes part and who watches.")
	}
	m, ok := t.view.Member(c.Member)
	switch {
	case !ok || m.Presence == event.Left:
		return refuse("not_found", "That person is not here any more.")
	case !peerOrObserver(c.Role) || !peerOrObserver(m.Role):
		return refuse("conflict", "An observer can be made a peer, and a peer an observer. Other roles are set when the session is planned.")
	}
	old := m
	m.Role = c.Role
	if m.Role == event.Observer {
		m.Mic, m.Camera, m.Screen = false, false, false
	}
	t.change(old, m)
	if m.Role == event.Observer {
		t.returnControls(m.ID)
	}
	return nil
}

func peerOrObserver(r event.Role) bool { return r == event.Peer || r == event.Observer }

func (t *turn) removeMember(c event.MemberRemove) error {
	if !t.may(event.RemoveMember) {
		return refuse("forbidden", "Only the focal teacher or a facilitator can remove somebody.")
	}
	m, ok := t.view.Member(c.Member)
	switch {
	case c.Member == t.by:
		return refuse("conflict", "You cannot remove yourself. You can leave the session.")
	case !ok:
		return refuse("not_found", "That person is not in this session.")
	case t.removed[m.ID]:
		return nil
	}
	t.emit(event.MemberRemoved{Member: gone(m)})
	t.returnControls(m.ID)
	t.settle()
	t.settleQuestion()
	return nil
}
