package signaling

import (
	"log/slog"
	"sync"

	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
)

// tape starts and stops the recorder as sessions say: it starts once that is in their journals, and stops before it is. Nothing is
// recorded that is not on the record, nor anything of who has not agreed, and a session that goes on after a restart is recorded on.
type tape struct {
	recorder *recorder.Recorder
	media    func(session string) recorder.Room
	troubles *troubles
	log      *slog.Logger

	mu      sync.Mutex
	running map[string]reel // by session
}

// notBegun is what people read when the recorder did not start.
const notBegun = "Nothing is being recorded: the server could not begin. Stop the recording, then start it again."

// reel is one stretch on the record, also one whose recording failed to begin.
type reel struct {
	room    *room.Room // whose clock the recording has
	consent *recorder.Consent
	cut     func() // ends the goroutine that waits for the room's end
}

func newTape(r *recorder.Recorder, media func(session string) recorder.Room, t *troubles, log *slog.Logger) *tape {
	return &tape{recorder: r, media: media, troubles: t, log: log, running: map[string]reel{}}
}

// before is called from a room's goroutine with what is not durable yet, and does not wait for anything. A recording ends here: what
// is said while the journal is written is off the record already. If it cannot be written, the room ends, and the next one says again
// that the recording is on.
func (t *tape) before(session string, events []event.Event) {
	for _, e := range events {
		switch b := e.Body.(type) {
		case event.RecordingChanged:
			if b.Recording.State != event.RecordingOn {
				t.stop(session, nil)
			}
		case event.MemberWithdrew:
			if b.Member.Presence != event.Left { // then it is off the record, and what is recorded next is told from what goes
				t.stop(session, nil)
			}
		case event.SessionEnded:
			t.stop(session, nil)
		}
	}
}

// observe is called from a room's goroutine with what is durable, and does not wait for anything.
func (t *tape) observe(session string, events []event.Event, house *room.House) {
	for _, e := range events {
		switch b := e.Body.(type) {
		case event.RecordingChanged:
			// One that has been ended since then, which may not be durable yet, does not begin.
			if r, ok := house.Live(session); ok && b.Recording.State == event.RecordingOn && r.OnRecord(e.Seq) {
				t.start(session, r)
			}
		case event.MemberWithdrew:
			t.agreed(session, b.Member.ID)
		case event.MemberJoined, event.MemberChanged, event.MemberLeft, event.MemberRemoved:
			t.agreed(session, "")
		}
	}
}

// agreed tells the recorder who has agreed now, and who took that back, if somebody did.
func (t *tape) agreed(session, withdrew string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if reel, ok := t.running[session]; ok {
		reel.consent.Withdraw(withdrew)
		reel.consent.Set(agreedIn(reel.room))
	}
}

// agreedIn lists who is in a room and has agreed to being recorded.
func agreedIn(r *room.Room) (members []string) {
	for _, m := range r.Inside() {
		if m.Consent == event.Agreed {
			members = append(members, m.ID)
		}
	}
	return members
}

func (t *tape) start(session string, r *room.Room) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running[session].room == r {
		return
	}
	t.cut(session) // of a room before this one, whose clock was another
	t.troubles.begin(session)
	consent := &recorder.Consent{}
	consent.Set(agreedIn(r))
	if err := t.recorder.Start(session, consent.Of(t.media(session)), r.Now); err != nil {
		t.log.Error("cannot record a session", slog.String("session", session), slog.Any("err", err))
		t.troubles.hear(recorder.Notice{Kind: recorder.NoticeFailed, Session: session, From: int64(r.Now()), Message: notBegun})
	}
	cut := make(chan struct{})
	t.running[session] = reel{room: r, consent: consent, cut: func() { close(cut) }}
	go func() { // ends with the recording, or with the room, which ends when nobody has been in it for a while
		select {
		case <-r.Done():
			t.stop(session, r)
		case <-cut:
		}
	}()
}

// stop ends a session's recording; with a room, only if it is still that room's.
func (t *tape) stop(session string, of *room.Room) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if of != nil && t.running[session].room != of {
		return
	}
	t.cut(session)
	t.troubles.end(session)
}

// cut ends the recording; mu is held.
func (t *tape) cut(session string) {
	if was, ok := t.running[session]; ok {
		was.cut()
		delete(t.running, session)
	}
	t.recorder.Stop(session)
}
