package account

import (
	"context"
	"errors"
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// only returns the plan with the notes of one member alone.
func (p Plan) only(member string) Plan {
	notes := map[string][]PlannedNote{}
	if own := p.Notes[member]; len(own) > 0 {
		notes[member] = own
	}
	p.Notes = notes
	return p
}

// NotesOf returns a member's own notes; never nil.
func (p Plan) NotesOf(member string) []PlannedNote {
	return append([]PlannedNote{}, p.Notes[member]...)
}

// Plan returns what is prepared, with who's own notes alone: for the planner and members who prepare pauses. [ErrNotFound] for
// strangers, [ErrRole] for other members.
func (s *Sessions) Plan(ctx context.Context, who Identity, session string) (Card, error) {
	card, err := s.Card(ctx, who, session)
	if err == nil && !card.prepares(who) {
		return Card{}, ErrRole
	}
	return card, err
}

// prepares reports whether You may see and change what is prepared.
func (c Card) prepares(who Identity) bool { return c.planner(who) || preparer(c.You.Role) }

func (c Card) planner(who Identity) bool { return who.Account != "" && who.Account == c.Plan.Planner }

func preparer(r event.Role) bool {
	return slices.Contains(event.May(r, event.Conversation, false, false), event.Prepare)
}

// Change changes a plan: the planner everything, members who prepare pauses those and their own notes. [ErrBegun] once the
// session has begun.
func (s *Sessions) Change(ctx context.Context, who Identity, session string, c Change) (Card, error) {
	card, err := s.Plan(ctx, who, session)
	if err != nil {
		return Card{}, err
	}
	if c.plannersOnly() && !card.planner(who) {
		return Card{}, event.Errorf("forbidden", "Only who planned the session can change that.")
	}
	footage, err := s.footageFor(ctx, who.Account, c, card.Plan)
	if err != nil {
		return Card{}, err
	}
	card.Plan, card.Standing, err = s.cfg.Plans.UpdatePlan(ctx, session, func(p *Plan, standing Standing) error {
		if !standing.Opened.IsZero() {
			return ErrBegun
		}
		if p.Clip != card.Plan.Clip { // somebody else changed it just now: footage is of another clip
			return event.Errorf("conflict", "The plan was changed by somebody else just now. Look at it again, then repeat your change.")
		}
		return c.apply(p, card.You, footage)
	})
	card.Plan = card.Plan.only(card.You.ID)
	return card, err
}

// Owned returns a session for its planner, who alone may say for how long it is kept, and delete it.
func (s *Sessions) Owned(ctx context.Context, who Identity, session string) (Card, error) {
	card, err := s.Card(ctx, who, session)
	if err == nil && !card.planner(who) {
		err = event.Errorf("forbidden", "Only who planned the session can do that.")
	}
	return card, err
}

// Opening returns what a session begins with, but for the clip, whose id it returns too (or an empty one). It is not
// filtered: for the room alone.
func (s *Sessions) Opening(ctx context.Context, session string) (Opening, string, error) {
	p, _, err := s.cfg.Plans.GetPlan(ctx, session)
	if err != nil {
		return Opening{}, "", err
	}
	footage, err := s.footageFor(ctx, "", Change{}, p)
	if err != nil {
		return Opening{}, "", err
	}
	members, err := s.cfg.Members.ListMembers(ctx, session)
	if err != nil {
		return Opening{}, "", err
	}
	if _, _, ok := footage.frames(); !ok {
		return p.opening(members, nil), "", nil
	}
	return p.opening(members, footage), p.Clip, nil
}
