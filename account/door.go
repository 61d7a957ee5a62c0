package account

import (
	"context"
	"log/slog"
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

// Entry is what a person learns at a session's door.
type Entry struct {
	Plan      Plan // without notes and pauses
	Standing  Standing
	Member    *Member    // nil before a stranger gave a name
	Attended  bool       // what is kept of the session is for Member
	Role      event.Role // that the person has, or would have
	People    []Member   // without those who were removed
	Observers bool       // observers are invited, or members
}

// Invited counts the members by role.
func (e Entry) Invited() map[event.Role]int {
	n := map[event.Role]int{}
	for _, m := range e.People {
		n[m.Role]++
	}
	return n
}

// MemberOf returns who somebody is in a session: [ErrNotFound] if they are not in it, [ErrRemoved] if they were removed.
// An account's membership goes before one that the browser got as a guest.
func (s *Sessions) MemberOf(ctx context.Context, who Identity, session string) (Member, error) {
	m, err := s.findMember(ctx, who, session)
	if err == nil && m.Removed {
		return Member{}, ErrRemoved
	}
	return m, err
}

// Attendee returns who somebody is in what is kept of a session: who was inside, or planned it. [ErrNotFound] for everybody else, also for
// who only gave a name at the door; [ErrRemoved] if they were removed.
func (s *Sessions) Attendee(ctx context.Context, who Identity, session string) (Member, error) {
	m, err := s.MemberOf(ctx, who, session)
	if err != nil || m.Arrived {
		return m, err
	}
	p, _, err := s.cfg.Plans.GetPlan(ctx, session)
	if err == nil && !m.attends(p) {
		err = ErrNotFound
	}
	return m, err
}

// attends reports whether what is kept of the planned session is for the member.
func (m Member) attends(p Plan) bool { return m.Arrived || !m.Guest() && m.Account == p.Planner }

// Recorded returns who somebody is in what was recorded of a session, also if they were removed from it since: [ErrNotFound] if they were
// never in it.
func (s *Sessions) Recorded(ctx context.Context, who Identity, session string) (Member, error) {
	return s.findMember(ctx, who, session)
}

func (s *Sessions) findMember(ctx context.Context, who Identity, session string) (Member, error) {
	if who.Account != "" {
		m, err := s.cfg.Members.FindMember(ctx, session, who.Account)
		if !isNotFound(err) {
			return m, err
		}
	}
	guest := who.Guest[session]
	if guest == "" {
		return Member{}, ErrNotFound
	}
	m, err := s.cfg.Members.GetMember(ctx, session, guest)
	if err == nil && !m.Guest() {
		return Member{}, ErrNotFound // nobody becomes an account by a guest's cookie
	}
	return m, err
}

// Door returns what the lobby shows to a member; [ErrNotFound] for everybody else, also for those who were removed.
func (s *Sessions) Door(ctx context.Context, who Identity, session string) (Entry, error) {
	m, err := s.findMember(ctx, who, session)
	if err == nil && m.Removed {
		err = ErrNotFound
	}
	if err != nil {
		return Entry{}, err
	}
	return s.entry(ctx, session, &m, m.Role)
}

// Enter shows an invitation's token at the door. Whoever has an account becomes a member with it; a stranger becomes a
// guest by a name, and without one gets an Entry without a Member. [ErrInvitation] if the token does not open the session,
// or there is none: whoever guesses does not learn which, neither from the answer nor from how long it takes, since the same is
// looked up for both. [ErrRemoved] for whom was sent out.
//
// Who is a member already stays the same one. The role stays too, unless it is an observer's who was not inside yet
// and has a link for another role now.
func (s *Sessions) Enter(ctx context.Context, who Identity, by *Account, session, token, name string) (Entry, error) {
	m, err := s.findMember(ctx, who, session)
	if err != nil && !isNotFound(err) {
		return Entry{}, err
	}
	known := err == nil
	link, err := s.cfg.Links.FindLink(ctx, session, HashToken(token))
	if err == nil && !sameToken(link.Token, token) {
		err = ErrInvitation
	}
	if known && m.Removed {
		err = ErrRemoved
	}
	if err != nil {
		return Entry{}, err
	}
	_, standing, err := s.cfg.Plans.GetPlan(ctx, session)
	if isNotFound(err) { // deleted just now
		err = ErrInvitation
	}
	if err != nil {
		return Entry{}, err
	}
	switch {
	case known:
		m, err = s.reenter(ctx, m, link.Role)
	case standing.Ended:
		return Entry{}, ErrOver
	case by == nil && name == "":
		return s.entry(ctx, session, nil, link.Role)
	default:
		m, err = s.arrive(ctx, by, session, link.Role, name)
	}
	if err != nil {
		return Entry{}, err
	}
	return s.entry(ctx, session, &m, m.Role)
}

// reenter gives an observer who was not inside yet the role of the link.
func (s *Sessions) reenter(ctx context.Context, m Member, role event.Role) (Member, error) {
	if m.Invited != event.Observer || role == event.Observer || m.Arrived {
		return m, nil
	}
	return s.cfg.Members.UpdateMember(ctx, m.Session, m.ID, func(m *Member) error {
		m.Role, m.Invited = role, role
		return nil
	})
}

func (s *Sessions) arrive(ctx context.Context, by *Account, session string, role event.Role, name string) (Member, error) {
	m := Member{ID: newID(), Session: session, Role: role, Invited: role, Created: s.now().UTC()}
	if by != nil {
		m.Account, m.Name = by.ID, by.Name
	} else {
		var err error
		if m.Name, err = personName(name); err != nil {
			return Member{}, err
		}
	}
	m, err := s.cfg.Members.AddMember(ctx, m, MaxMembers)
	if err == nil {
		s.cfg.Log.Info("member added", slog.String("session", session), slog.String("member", m.ID), slog.String("role", string(m.Role)))
	}
	return m, err
}

func (s *Sessions) entry(ctx context.Context, session string, m *Member, role event.Role) (Entry, error) {
	p, standing, err := s.cfg.Plans.GetPlan(ctx, session)
	if err != nil {
		return Entry{}, err
	}
	members, err := s.cfg.Members.ListMembers(ctx, session)
	if err != nil {
		return Entry{}, err
	}
	links, err := s.cfg.Links.ListLinks(ctx, session)
	if err != nil {
		return Entry{}, err
	}
	p.Notes, p.Pauses = nil, nil
	e := Entry{Plan: p, Standing: standing, Member: m, Attended: m != nil && m.attends(p), Role: role, People: present(members)}
	e.Observers = slices.ContainsFunc(links, func(l Link) bool { return l.Role == event.Observer }) || e.Invited()[event.Observer] > 0
	return e, nil
}

// present leaves out those who were removed.
func present(members []Member) []Member {
	return slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return m.Removed })
}

// Links returns the invitation of each role that has one, in the order focal, coach, facilitator, peer, observer: for
// the planner, facilitators and focal teachers. [ErrRole] for other members.
func (s *Sessions) Links(ctx context.Context, who Identity, session string) ([]Link, error) {
	if err := s.mayInvite(ctx, who, session); err != nil {
		return nil, err
	}
	links, err := s.cfg.Links.ListLinks(ctx, session)
	slices.SortFunc(links, func(a, b Link) int { return slices.Index(roles, a.Role) - slices.Index(roles, b.Role) })
	return links, err
}

// ReplaceLink makes a new invitation for a role; the old one no longer lets anybody in. Who is a member stays one.
func (s *Sessions) ReplaceLink(ctx context.Context, who Identity, session string, role event.Role) (Link, error) {
	if err := s.mayInvite(ctx, who, session); err != nil {
		return Link{}, err
	}
	if !slices.Contains(roles, role) {
		return Link{}, errNoRole()
	}
	l := NewLink(session, role, s.now())
	return l, s.cfg.Links.PutLink(ctx, l)
}

func (s *Sessions) mayInvite(ctx context.Context, who Identity, session string) error {
	card, err := s.Card(ctx, who, session)
	if err == nil && !card.planner(who) && card.You.Role != event.Facilitator && card.You.Role != event.Focal {
		return ErrRole
	}
	return err
}
