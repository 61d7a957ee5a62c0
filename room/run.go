package room

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// ErrNotOwner says that somebody else has become the owner of a session, and that what was to be appended is not stored.
var ErrNotOwner = errors.New("somebody else is the owner of the session")

// Journal keeps sessions' events.
type Journal interface {
	// Own makes the caller the owner of a session and returns its epoch, which is higher than all before it. What former
	// owners have appended is stored by then, or never is: their appends fail with ErrNotOwner.
	Own(ctx context.Context, session string) (epoch int64, err error)
	// Disown says that an owner is none any more: somebody else may be. Nothing is appended with that epoch afterwards.
	Disown(ctx context.Context, session string, epoch int64) error
	// Append makes events durable and then calls done, once, with nil or with why it could not. It does not wait for
	// that itself. Events of one session are stored, and their dones called, in the order of the calls; once one
	// append of a session has failed, those after it that do not follow the last stored seq must fail too.
	Append(session string, epoch int64, events []event.Event, done func(error))
	// Load gives a session's events in order; none if it has not been opened.
	Load(ctx context.Context, session string) ([]event.Event, error)
}

// Conn is a member's connection. Its type must be comparable. The room calls it from one goroutine.
type Conn interface {
	// Send queues a frame without blocking. False says that the queue is full.
	Send(frame []byte) bool
	// Close sends bye after what is queued, as far as possible, and closes. It does not block.
	Close(bye event.Bye)
}

const (
	inboxSize = 256
	baseLead  = 70       // ms
	leadByRTT = 0.6      // of the worst round trip
	startLead = 80       // ms; players take 30 to 100 to start
	maxRTT    = 10_000.0 // ms
	maxPage   = 64       // bytes
)

// errStopped says that a room has stopped: House makes another one.
var errStopped = errors.New("the room has stopped")

// Room runs one session. Its exported methods may be called from any goroutine; everything below the line is owned by
// the goroutine of run.
type Room struct {
	id       string
	epoch    int64 // as the session's owner
	journal  Journal
	before   func(session string, events []event.Event)
	observe  func(session string, events []event.Event)
	log      *slog.Logger
	idle     time.Duration
	clock    clock
	inbox    chan input
	commits  commits
	quit     chan struct{} // closed to ask the room to stop
	quitOnce sync.Once
	taken    chan struct{} // closed when somebody else has the session
	takeOnce sync.Once
	stopping chan struct{} // closed when it takes nothing more
	done     chan struct{} // closed when it has ended and no append is under way
	inside   atomic.Pointer[[]event.Member]
	onRecord atomic.Int64 // seq of the event since which the newest state is on the record; 0 while it is not

	// ---- owned by run
	state    *State
	told     event.View // what is durable, and what members were told
	seq      int64      // of told
	links    map[string]*link
	dropped  []*link
	queue    []*batch
	outgoing []outgoing // of the batch that is being sent
	late     bool       // the journal has not answered for so long that nobody waits for it
	pending  int        // appends under way
	answers  answers
	toggles  pace
	entries  pace
	bye      *event.Bye // why the room ends, once what is queued has gone out
	failed   bool       // an append failed: what is queued never goes out
	since    time.Time  // since when nobody is inside; zero while somebody is
}

// link is a member's connection to the room.
type link struct {
	member  string
	role    event.Role
	conn    Conn
	page    string // see event.Hello
	attempt int64
	live    bool // was welcomed, and gets events
	may     []event.Action
	rtt     float64 // ms
}

// isAfter reports whether a hello is of the same page's earlier connection, and was held up on its way.
func (l *link) isAfter(h event.Hello) bool {
	return h.Page != "" && h.Page == l.page && h.Attempt < l.attempt
}

// input is what the room is asked to do. The types below are all there are.
type input interface{ input() }

type (
	connectInput struct {
		who    Identity
		conn   Conn
		hello  event.Hello
		answer chan error
	}
	disconnectInput struct {
		member string
		conn   Conn
	}
	commandInput struct {
		member string
		conn   Conn
		id     string
		cmd    event.Command
	}
	rttInput struct {
		member string
		conn   Conn
		ms     float64
	}
	changeInput struct {
		change
		answer chan error
	}
	spokeInput  struct{ speech event.Speech }
	noticeInput struct {
		reason   string
		from, to int64
	}
	transientInput struct{ body event.Body }
)

func (connectInput) input()    {}
func (disconnectInput) input() {}
func (commandInput) input()    {}
func (rttInput) input()        {}
func (changeInput) input()     {}
func (spokeInput) input()      {}
func (noticeInput) input()     {}
func (transientInput) input()  {}

// Session is the id of the session that the room runs.
func (r *Room) Session() string { return r.id }

// Now is session time in ms, with fractions.
func (r *Room) Now() float64 { return float64(r.clock.micros()) / 1000 }

// Done is closed when the room has ended; its connections are closed by then.
func (r *Room) Done() <-chan struct{} { return r.done }

// change is what is asked for from outside the call.
type change struct {
	apply func(*State, Env) ([]event.Event, error)
	off   bool // see takesOff
}

// connect lets a member in over conn, on which welcome follows once that is durable. A connection that the member had
// is told bye{replaced}.
func (r *Room) connect(ctx context.Context, who Identity, conn Conn, hello event.Hello) error {
	answer := make(chan error, 1)
	return r.answered(ctx, connectInput{who, conn, hello, answer}, answer)
}

// ask changes the session from outside the call, and returns once that is durable.
func (r *Room) ask(ctx context.Context, c change) error {
	answer := make(chan error, 1)
	return r.answered(ctx, changeInput{c, answer}, answer)
}

// answered asks the room and returns its answer; errStopped when another room is to be asked.
func (r *Room) answered(ctx context.Context, in input, answer <-chan error) error {
	if !r.put(in) {
		return r.awaitEnd(ctx)
	}
	select {
	case err := <-answer:
		if errors.Is(err, errStopped) {
			return r.awaitEnd(ctx)
		}
		return err
	case <-r.done:
	}
	select {
	case err := <-answer: // done, and then closed with the others
		return err
	default:
		return errStopped
	}
}

// awaitEnd waits until the session can be run by another room.
func (r *Room) awaitEnd(ctx context.Context) error {
	select {
	case <-r.done:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Disconnect tells that conn, a member's connection, is gone. It does nothing if another one replaced it.
func (r *Room) Disconnect(member string, conn Conn) { r.put(disconnectInput{member, conn}) }

// Handle takes a command that came over conn. The reply follows on conn once what it did is durable.
func (r *Room) Handle(member string, conn Conn, id string, cmd event.Command) {
	r.put(commandInput{member, conn, id, cmd})
}

// RTT tells the round trip that a member measures over conn, in ms.
func (r *Room) RTT(member string, conn Conn, ms float64) { r.put(rttInput{member, conn, ms}) }

// Spoke keeps one stretch of talk that has ended.
func (r *Room) Spoke(speech event.Speech) { r.put(spokeInput{speech}) }

// RecordingNotice tells members in a sentence what is wrong with the recording that is on, until another one, or an empty one,
// takes its place; see [State.RecordingNotice]. Config.Observe must not call it.
func (r *Room) RecordingNotice(reason string, from, to int64) { r.put(noticeInput{reason, from, to}) }

// Tell sends members a transient event: who is speaking, or how somebody's connection is. Other bodies are ignored.
func (r *Room) Tell(body event.Body) {
	switch body.(type) {
	case event.MemberSpeaking, event.MemberQuality:
		r.put(transientInput{body})
	}
}

// Inside lists who is here or only away for a moment, as members were told.
func (r *Room) Inside() []event.Member {
	if p := r.inside.Load(); p != nil {
		return *p
	}
	return nil
}

func (r *Room) put(in input) bool {
	select {
	case <-r.stopping:
		return false
	default:
	}
	select {
	case r.inbox <- in:
		return true
	case <-r.stopping:
		return false
	}
}

// stop asks the room to send out what is queued, and to end.
func (r *Room) stop() { r.quitOnce.Do(func() { close(r.quit) }) }

// abandon ends the room at once: nothing that is queued can become durable any more.
func (r *Room) abandon() { r.takeOnce.Do(func() { close(r.taken) }) }

// run is the room's goroutine.
func (r *Room) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	quit := r.quit
	for !r.over() {
		timer.Reset(r.wait())
		select {
		case in := <-r.inbox:
			r.tick()
			r.take(in)
		case <-r.commits.wake:
			r.settleCommits()
		case <-timer.C:
			r.tick()
			r.checkIdle()
		case <-quit:
			quit = nil
			r.end(event.Bye{Reason: "restarting", Message: "The server restarts. You are brought back in a moment."})
		case <-r.taken:
			r.fail(ErrNotOwner)
		}
		r.deliver()
		r.lookLate()
	}
	close(r.stopping)
	if r.failed { // somebody else has it, or it is read again: there is nothing to wait for
		r.farewell()
	}
	for r.pending > 0 { // whoever runs the session next must find the journal at rest
		<-r.commits.wake
		r.settleCommits()
	}
}

// farewell ends what connections are left. Whoever is told comes back at once: it is said when the session can be had.
func (r *Room) farewell() {
	for _, l := range r.links {
		l.conn.Close(*r.bye)
	}
	clear(r.links)
}

// over reports whether the room ends now.
func (r *Room) over() bool { return r.bye != nil && (r.failed || len(r.queue) == 0) }

// end makes the room end once what is queued has gone out.
func (r *Room) end(bye event.Bye) {
	if r.bye == nil {
		r.bye = &bye
	}
}

func (r *Room) env() Env {
	worst := 0.0
	for _, l := range r.links {
		worst = max(worst, l.rtt)
	}
	return Env{
		Now: r.clock.micros() / 1000, Lead: min(baseLead+int64(leadByRTT*worst), maxLead), Start: startLead,
		Wall: time.Now().UnixMilli(),
	}
}

func (r *Room) tick() { r.submit(r.state.Tick(r.env()), nil) }

// wait is how long the room has nothing to do by itself.
func (r *Room) wait() time.Duration {
	wait := time.Hour
	if at, ok := r.state.Due(); ok {
		wait = min(wait, r.clock.until(at))
	}
	if len(r.queue) > 0 && !r.late {
		wait = min(wait, r.untilLate())
	}
	if len(r.links) > 0 || len(r.queue) > 0 || r.state.Inside() {
		r.since = time.Time{}
		return wait
	}
	if r.since.IsZero() {
		r.since = time.Now()
	}
	return min(wait, max(r.idle-time.Since(r.since), 0))
}

// checkIdle ends a room in which nobody has been for a while.
func (r *Room) checkIdle() {
	if !r.since.IsZero() && time.Since(r.since) >= r.idle {
		r.end(event.Bye{Reason: "restarting", Message: "You are brought back in a moment."})
	}
}
