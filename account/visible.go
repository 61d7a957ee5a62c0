package account

import (
	"context"
	"slices"
)

// Cards returns the sessions that somebody planned or is in, newest first.
func (s *Sessions) Cards(ctx context.Context, who Identity) ([]Card, error) {
	if !who.Known() {
		return []Card{}, nil
	}
	cards, err := s.cfg.Library.ListCards(ctx, who.Account, who.guests(), "")
	for i := range cards {
		cards[i].Plan = cards[i].Plan.only(cards[i].You.ID)
	}
	return cards, err
}

// Card returns one of them; [ErrNotFound] if it is not for who asks.
func (s *Sessions) Card(ctx context.Context, who Identity, session string) (Card, error) {
	if !who.Known() {
		return Card{}, ErrNotFound
	}
	var guests []string
	if id := who.Guest[session]; id != "" {
		guests = []string{id}
	}
	cards, err := s.cfg.Library.ListCards(ctx, who.Account, guests, session)
	if err != nil {
		return Card{}, err
	}
	if len(cards) == 0 {
		return Card{}, ErrNotFound
	}
	cards[0].Plan = cards[0].Plan.only(cards[0].You.ID)
	return cards[0], nil
}

// MaySeeClip reports whether somebody may see a clip: its owner; everybody with an account, if it is the practice clip;
// and the members of the sessions that have it. It is false for a clip that does not exist.
func (s *Sessions) MaySeeClip(ctx context.Context, who Identity, clip string) (bool, error) {
	if !who.Known() {
		return false, nil
	}
	f, err := s.cfg.Library.GetFootage(ctx, clip)
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if who.Account != "" && (f.Owner == who.Account || f.Practice) {
		return true, nil
	}
	ids, err := s.ClipsInSessions(ctx, who)
	return slices.Contains(ids, clip), err
}

// ClipsInSessions returns the ids of the clips that somebody may see through sessions, each once.
func (s *Sessions) ClipsInSessions(ctx context.Context, who Identity) ([]string, error) {
	if !who.Known() {
		return nil, nil
	}
	return s.cfg.Library.ClipsInSessions(ctx, who.Account, who.guests())
}

// ClipViewers returns, for each of the clips, the names of those who can see it through sessions, without its owner: for
// the owner of the clips alone.
func (s *Sessions) ClipViewers(ctx context.Context, clips []string) (map[string][]string, error) {
	if len(clips) == 0 {
		return map[string][]string{}, nil
	}
	return s.cfg.Library.ClipViewers(ctx, clips)
}
