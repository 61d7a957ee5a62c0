package store

import (
	"context"
	"errors"
	"slices"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
)

// Limits of a list.
const (
	maxCards  = 500
	maxGuests = 500 // memberships of one browser; those beyond do not count
)

// GetFootage implements [account.Library].
func (s *Store) GetFootage(ctx context.Context, id string) (account.Footage, error) {
	c, err := getClip(ctx, s.reader, id)
	if errors.Is(err, clip.ErrNotFound) {
		return account.Footage{}, account.ErrNotFound
	}
	if err != nil {
		return account.Footage{}, err
	}
	f := account.Footage{ID: c.ID, Owner: c.Owner, Title: c.Title, Practice: c.Practice}
	if c.State == clip.Ready {
		f.Duration, f.Frames, f.FPSNum, f.FPSDen, f.From, f.To = c.Duration, c.Frames, c.FPSNum, c.FPSDen, c.From, c.To
	}
	return f, nil
}

// theirs is the condition that a session s is planned by the account, or has the account or one of the guests as a
// member who was not removed. An account that was removed does not come back through what its browser got as a guest.
func theirs(who string, guests []string) (string, []any) {
	list, args := in([]any{who}, guests[:min(len(guests), maxGuests)])
	return `(s.planner = $1
		OR EXISTS (SELECT 1 FROM members m WHERE m.session = s.id AND NOT m.removed AND m.account = $1)
		OR EXISTS (SELECT 1 FROM members m WHERE m.session = s.id AND NOT m.removed AND m.account IS NULL AND m.id IN ` + list + `)
			AND NOT EXISTS (SELECT 1 FROM members m WHERE m.session = s.id AND m.removed AND m.account = $1))`, args
}

// ClipsInSessions implements [account.Library].
func (s *Store) ClipsInSessions(ctx context.Context, who string, guests []string) ([]string, error) {
	condition, args := theirs(who, guests)
	return all(ctx, s.reader, scanString, `SELECT DISTINCT s.clip FROM sessions s WHERE s.clip IS NOT NULL AND `+condition, args...)
}

func scanString(r row) (v string, err error) {
	err = r.Scan(&v)
	return v, err
}

// ClipViewers implements [account.Library].
func (s *Store) ClipViewers(ctx context.Context, clips []string) (map[string][]string, error) {
	list, args := in(nil, clips)
	pairs, err := all(ctx, s.reader, scanPair, `SELECT DISTINCT s.clip, m.name FROM sessions s
		JOIN clips c ON c.id = s.clip
		JOIN members m ON m.session = s.id
		WHERE s.clip IN `+list+` AND NOT m.removed AND (m.account IS NULL OR c.owner IS NULL OR m.account <> c.owner)
		ORDER BY m.name`, args...)
	if err != nil {
		return nil, err
	}
	names := make(map[string][]string, len(clips))
	for _, id := range clips {
		names[id] = []string{}
	}
	for _, p := range pairs {
		names[p[0]] = append(names[p[0]], p[1])
	}
	return names, nil
}

func scanPair(r row) (p [2]string, err error) {
	err = r.Scan(&p[0], &p[1])
	return p, err
}

// ListCards implements [account.Library].
func (s *Store) ListCards(ctx context.Context, who string, guests []string, session string) ([]account.Card, error) {
	condition, args := theirs(who, guests)
	if session != "" {
		args = append(args, session)
		condition += " AND s.id = $" + lastMark(args)
	}
	args = append(args, maxCards)
	sessions, err := all(ctx, s.reader, scanSession, selectSessions+`WHERE `+condition+`
		ORDER BY CASE WHEN s.scheduled > 0 THEN s.scheduled ELSE s.created END DESC, s.id DESC LIMIT $`+lastMark(args), args...)
	if err != nil || len(sessions) == 0 {
		return []account.Card{}, err
	}
	return s.cards(ctx, sessions, who, guests)
}

// cards adds people and notes to sessions.
func (s *Store) cards(ctx context.Context, sessions []planned, who string, guests []string) ([]account.Card, error) {
	ids := make([]string, len(sessions))
	for i, p := range sessions {
		ids[i] = p.ID
	}
	people, err := s.peopleOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	notes, err := s.notesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	cards := make([]account.Card, 0, len(sessions))
	for _, p := range sessions {
		you := youAmong(people[p.ID], who, guests)
		p.Standing.Notes = countFor(you, notes[p.ID])
		cards = append(cards, account.Card{Plan: p.Plan, Standing: p.Standing, You: you, People: slices.DeleteFunc(people[p.ID], isRemoved)})
	}
	return cards, nil
}

func isRemoved(m account.Member) bool { return m.Removed }

func (s *Store) peopleOf(ctx context.Context, sessions []string) (map[string][]account.Member, error) {
	list, args := in(nil, sessions)
	members, err := all(ctx, s.reader, scanMember, selectMembers+`WHERE m.session IN `+list+` ORDER BY m.created, m.id`, args...)
	if err != nil {
		return nil, err
	}
	by := map[string][]account.Member{}
	for _, m := range members {
		by[m.Session] = append(by[m.Session], m)
	}
	return by, nil
}

// youAmong finds who asks: by account first, then as a guest. A planner who was removed is still found.
func youAmong(members []account.Member, who string, guests []string) account.Member {
	if i := slices.IndexFunc(members, func(m account.Member) bool { return who != "" && m.Account == who }); i >= 0 {
		return members[i]
	}
	if i := slices.IndexFunc(members, func(m account.Member) bool { return m.Guest() && !m.Removed && slices.Contains(guests, m.ID) }); i >= 0 {
		return members[i]
	}
	return account.Member{}
}

// notesCount is how many notes an author has of one visibility.
type notesCount struct {
	session    string
	author     string
	visibility event.Visibility
	n          int
}

func scanNotesCount(r row) (c notesCount, err error) {
	err = r.Scan(&c.session, &c.author, &c.visibility, &c.n)
	return c, err
}

func (s *Store) notesOf(ctx context.Context, sessions []string) (map[string][]notesCount, error) {
	list, args := in(nil, sessions)
	counts, err := all(ctx, s.reader, scanNotesCount, `SELECT session, author, visibility, COUNT(*) FROM session_notes
		WHERE session IN `+list+` GROUP BY session, author, visibility`, args...)
	if err != nil {
		return nil, err
	}
	by := map[string][]notesCount{}
	for _, c := range counts {
		by[c.session] = append(by[c.session], c)
	}
	return by, nil
}

// countFor counts the notes that a member may read, by the rule of the live session.
func countFor(you account.Member, counts []notesCount) (n int) {
	coaching := you.Role == event.Coach || you.Role == event.Facilitator
	for _, c := range counts {
		if c.author == you.ID || c.visibility == event.Shared || c.visibility == event.Coaches && coaching {
			n += c.n
		}
	}
	return n
}
