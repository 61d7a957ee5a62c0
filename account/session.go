package account

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// Member is a person in a session, whether they were inside yet or not.
type Member struct {
	ID      string // UUIDv7, of this person in this session
	Session string
	Account string // id; empty for a guest
	Name    string
	Role    event.Role // as the journal has it, once they were inside
	Invited event.Role // of the link that they came with
	Removed bool       // may not come in again: the journal said so
	Arrived bool       // was inside: the journal said so
	Inside  bool       // is, with a connection: the journal says so
	Created time.Time
}

// Guest reports whether there is no account behind the member.
func (m Member) Guest() bool { return m.Account == "" }

// Link is a session's invitation for a role. Unlike every other token it is kept readable, because the planner must be
// able to look at the link again: it opens one session, whose content lies in the same database. It is looked up
// by its hash, so that the time of a search tells nothing of it.
type Link struct {
	Session string
	Role    event.Role
	Token   string
	Created time.Time
}

// Standing is what the journal says of a session.
type Standing struct {
	Opened      time.Time // UTC; zero before
	Ended       bool
	Duration    int64     // session time of the latest event, ms
	Inside      int       // members in the call now
	Notes       int       // that the asking member may read
	Pauses      int       // pivotal pauses that happened
	RecordedFor int64     // ms
	Held        time.Time // since when a legal hold keeps everything; zero without one
	HeldFor     string    // its reason
}

// Deletes returns when a session with this standing is deleted that is kept for so many days; zero for one that is kept for ever, has
// not begun, or is under a legal hold.
func (s Standing) Deletes(days int) time.Time {
	if days == 0 || s.Opened.IsZero() || !s.Held.IsZero() {
		return time.Time{}
	}
	return s.Opened.Add(time.Duration(s.Duration)*time.Millisecond + time.Duration(days)*24*time.Hour)
}

// State is a session's state: "planned", "live" once opened and until it is ended, "ended".
func (s Standing) State() string {
	switch {
	case s.Opened.IsZero():
		return "planned"
	case s.Ended:
		return "ended"
	}
	return "live"
}

// Card is a session as one of its members, You, may see it in a list.
type Card struct {
	Plan     Plan // Notes are You's alone
	Standing Standing
	You      Member
	People   []Member // without those who were removed; by Created
}

// Plans is where plans, memberships and links are kept. Methods may be called from any goroutine; what they did is
// durable on return.
type Plans interface {
	// AddSession adds a plan, its planner's membership and links, all or nothing.
	AddSession(ctx context.Context, p Plan, planner Member, links []Link) error

	// GetPlan returns a plan and how the session stands (Standing.Notes counts shared ones); [ErrNotFound] if there is none.
	GetPlan(ctx context.Context, session string) (Plan, Standing, error)

	// UpdatePlan reads a plan, calls change with it and writes it back in one transaction. An error of change
	// leaves it as it was and is returned as it is. change does no I/O and may be called again.
	UpdatePlan(ctx context.Context, session string, change func(*Plan, Standing) error) (Plan, Standing, error)
}

// Members is where memberships and links are kept.
type Members interface {
	// AddMember adds a member and returns it. If the account has a membership already, that one is returned. [ErrFull] if
	// the session has limit members. Guests who never came in, nor prepared a note, are forgotten [GuestLife] after they were
	// added: whoever holds a link cannot fill a session for good.
	AddMember(ctx context.Context, m Member, limit int) (Member, error)

	// GetMember returns a session's member; [ErrNotFound] if there is none.
	GetMember(ctx context.Context, session, id string) (Member, error)

	// FindMember returns the membership of an account; [ErrNotFound] if there is none.
	FindMember(ctx context.Context, session, account string) (Member, error)

	// UpdateMember works like UpdatePlan. It keeps ID, Session, Account and Created.
	UpdateMember(ctx context.Context, session, id string, change func(*Member) error) (Member, error)

	// ListMembers returns all members, also removed ones, by Created, then ID.
	ListMembers(ctx context.Context, session string) ([]Member, error)
}

// Links is where the invitation links of sessions are kept. When the journal says that a member was removed, the link that
// they came with is replaced: their invitation does not let them in again under another name.
type Links interface {
	// PutLink replaces the link of a role.
	PutLink(ctx context.Context, l Link) error

	// FindLink returns a session's link by the hash of its token; [ErrInvitation] if there is none.
	FindLink(ctx context.Context, session string, hash TokenHash) (Link, error)

	ListLinks(ctx context.Context, session string) ([]Link, error)
}

// Library is what is asked about clips and about lists over sessions. account and guests (member ids) say for whom; either
// may be empty. Memberships that were removed never count.
type Library interface {
	// GetFootage returns what planning has to know of a clip; [ErrNotFound] if there is none.
	GetFootage(ctx context.Context, clip string) (Footage, error)

	// ClipsInSessions returns the ids of the clips of the sessions that the account planned or is in, or these guests are in.
	ClipsInSessions(ctx context.Context, account string, guests []string) ([]string, error)

	// ClipViewers returns, for each clip, the sorted names of those who can see it through sessions, without its owner.
	ClipViewers(ctx context.Context, clips []string) (map[string][]string, error)

	// ListCards returns the sessions that the account planned or is in, or these guests are in, newest first (by scheduled
	// time if there is one, else by creation). With a session, only that one.
	ListCards(ctx context.Context, account string, guests []string, session string) ([]Card, error)
}

// MaxMembers is how many people, with those who left, a session can know.
const MaxMembers = 1000

// GuestLife is how long a session knows a guest who does not come in. Their link lets them in again afterwards.
const GuestLife = 24 * time.Hour

// Config is what Sessions needs.
type Config struct {
	Plans    Plans
	Members  Members
	Links    Links
	Library  Library
	Practice string // id of the practice clip
	Log      *slog.Logger
}

// Sessions is plans, memberships and who may see what. Its methods may be called from any goroutine.
type Sessions struct {
	cfg Config
	now func() time.Time
}

// NewSessions returns the sessions kept in cfg's stores.
func NewSessions(cfg Config) *Sessions { return &Sessions{cfg: cfg, now: time.Now} }

// NewSession is a session to be planned. Its JSON is the body of the request.
type NewSession struct {
	Change
	Practice bool       `json:"practice"` // a conversation about the practice clip; all but Role is then ignored
	Role     event.Role `json:"role"`     // the planner's own; focal when empty
}

// Create plans a session. The planner becomes its first member.
func (s *Sessions) Create(ctx context.Context, by Account, n NewSession) (Card, error) {
	planner := Member{ID: newID(), Account: by.ID, Name: by.Name, Role: n.Role, Created: s.now().UTC()}
	if planner.Role == "" {
		planner.Role = event.Focal
	}
	if !slices.Contains(roles, planner.Role) {
		return Card{}, errNoRole()
	}
	planner.Invited = planner.Role
	p := Plan{
		ID: newID(), Planner: by.ID, Kind: event.Conversation, Purpose: DefaultPurpose, Minutes: 45, Created: s.now().UTC(),
	}
	planner.Session = p.ID
	change := n.Change
	if n.Practice {
		var err error
		if change, err = s.practice(ctx); err != nil {
			return Card{}, err
		}
	}
	footage, err := s.footageFor(ctx, by.ID, change, p)
	if err != nil {
		return Card{}, err
	}
	if err := change.apply(&p, planner, footage); err != nil {
		return Card{}, err
	}
	if p.Title == "" {
		p.Title = titleOf(p.Kind)
	}
	if err := s.cfg.Plans.AddSession(ctx, p, planner, s.firstLinks(p.ID, planner.Role)); err != nil {
		return Card{}, err
	}
	s.cfg.Log.Info("session planned", slog.String("session", p.ID), slog.String("kind", string(p.Kind)))
	return Card{Plan: p.only(planner.ID), You: planner, People: []Member{planner}}, nil
}

func errNoRole() error {
	return invalid("Choose a role: focal teacher, coach, facilitator, peer or observer.")
}

// practice is a conversation in which a newcomer can try everything, with one pause a third into the clip.
func (s *Sessions) practice(ctx context.Context) (Change, error) {
	f, err := s.cfg.Library.GetFootage(ctx, s.cfg.Practice)
	if err != nil {
		return Change{}, ErrPractice.Because(err)
	}
	first, last, ok := f.frames()
	if !ok {
		return Change{}, ErrPractice
	}
	title, focus := "Practice conversation", "What do you notice?"
	return Change{
		Title:  &title,
		Focus:  &focus,
		Clip:   Optional[string]{Set: true, Value: &f.ID},
		Pauses: &[]event.Pause{{ID: newID(), Frame: first + (last-first)/3, Prompt: "What do you notice?", Think: 20_000}},
	}, nil
}

// firstLinks is a link for every role but that of the planner, if there is one of it only, and observers, who are
// invited on purpose or not at all.
func (s *Sessions) firstLinks(session string, planner event.Role) []Link {
	var links []Link
	for _, r := range roles {
		single := r == event.Focal || r == event.Facilitator
		if r != event.Observer && !(single && r == planner) {
			links = append(links, NewLink(session, r, s.now()))
		}
	}
	return links
}

// NewLink makes a link with a new token.
func NewLink(session string, role event.Role, now time.Time) Link {
	return Link{Session: session, Role: role, Token: newToken(), Created: now.UTC()}
}

// footageFor returns the clip that the plan has after the change. A new clip must be by's own, or the practice clip.
func (s *Sessions) footageFor(ctx context.Context, by string, c Change, p Plan) (*Footage, error) {
	id := p.Clip
	if c.Clip.Set {
		id = ""
		if c.Clip.Value != nil {
			id = *c.Clip.Value
		}
	}
	if id == "" {
		return nil, nil
	}
	f, err := s.cfg.Library.GetFootage(ctx, id)
	if id == p.Clip && isNotFound(err) {
		return nil, nil // deleted meanwhile: the plan goes on without
	}
	if isNotFound(err) || err == nil && id != p.Clip && f.Owner != by && !f.Practice {
		return nil, invalid("Choose a clip of your own, or the practice clip.")
	}
	return &f, err
}
