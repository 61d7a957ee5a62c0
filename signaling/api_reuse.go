package signaling

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/render"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
)

// reuseJSON is what somebody is told of the clip that a recording may become.
type reuseJSON struct {
	State    string   `json:"state"`    // none, asked, declined, taken-back, granted; for who asks, instead of granted: filming, preparing, ready, failed
	Clip     string   `json:"clip"`     // id of the question, and of the clip
	By       string   `json:"by"`       // name of who asks
	Mine     bool     `json:"mine"`     // the reader asks
	May      bool     `json:"may"`      // the reader may ask
	Asked    bool     `json:"asked"`    // the reader is in it
	Agreed   bool     `json:"agreed"`   // and has agreed
	Waiting  []string `json:"waiting"`  // names of who has not answered, for who asks
	Progress float64  `json:"progress"` // 0 to 1
	Problem  string   `json:"problem"`  // a sentence
}

// reuse tells the caller what they may know of the clip that the recording may become, also if they were removed from the session.
func (s *Server) reuse(w http.ResponseWriter, r *http.Request) error {
	m, err := s.recorded(r)
	if err != nil {
		return err
	}
	return s.writeReuse(w, r, m, http.StatusOK)
}

func (s *Server) writeReuse(w http.ResponseWriter, r *http.Request, m account.Member, status int) error {
	p, err := s.past(r.Context(), m)
	if err != nil {
		return err
	}
	out, err := s.reuseOf(r.Context(), m, p)
	if err != nil {
		return err
	}
	writeJSON(w, status, out)
	return nil
}

func (s *Server) reuseOf(ctx context.Context, m account.Member, p past) (reuseJSON, error) {
	end := p.end()
	q := end.Reuse
	out := reuseJSON{State: "none", Waiting: []string{}}
	out.May = slices.Contains(p.may, event.Record) && !m.Guest() && !m.Removed && end.Session.Ended > 0 && len(recorder.OnRecord(p.events)) > 0
	out.Mine, out.Asked = q.By == m.ID, slices.Contains(q.Of, m.ID)
	if q.State == event.NotReused || !out.Mine && !out.Asked && !out.May {
		return out, nil
	}
	asker, _ := end.Member(q.By)
	out.State, out.Clip, out.By, out.Agreed = string(q.State), q.Clip, asker.Name, slices.Contains(q.Agreed, m.ID)
	if q.State == event.ReuseGranted {
		return out, s.made(ctx, m.Session, q, &out)
	}
	if out.Mine && q.State == event.ReuseAsked {
		for _, id := range q.Of {
			if who, _ := end.Member(id); !slices.Contains(q.Agreed, id) {
				out.Waiting = append(out.Waiting, who.Name)
			}
		}
	}
	return out, nil
}

// made tells whose clip it is how far it is, and others that there is one.
func (s *Server) made(ctx context.Context, session string, q event.Reuse, out *reuseJSON) error {
	c, err := s.library.Get(ctx, q.Clip)
	if errors.Is(err, clip.ErrNotFound) { // its owner deleted it
		*out = reuseJSON{State: "none", May: out.May, Waiting: []string{}}
		return nil
	}
	if err != nil || !out.Mine {
		return err
	}
	switch c.State {
	case clip.Filming:
		return s.filming(ctx, session, q, out)
	case clip.Ready:
		out.State = "ready"
	case clip.Refused:
		out.State, out.Problem = "failed", c.Refusal
	default:
		out.State, out.Progress = "preparing", c.Progress
	}
	return nil
}

func (s *Server) filming(ctx context.Context, session string, q event.Reuse, out *reuseJSON) error {
	j, err := s.films.OfClip(ctx, session, q.By, q.Clip)
	if err != nil && !errors.Is(err, render.ErrNoJob) {
		return fmt.Errorf("look for the film of a clip: %w", err)
	}
	out.State, out.Progress = "filming", j.Progress
	if j.State == render.Failed {
		out.State, out.Problem = "failed", j.Problem
	}
	return nil
}

// askReuse asks everybody who is in the recording whether it may become a clip of the caller's; or tries again to make what all have
// agreed to.
func (s *Server) askReuse(w http.ResponseWriter, r *http.Request) error {
	m, err := s.member(r)
	if err != nil {
		return err
	}
	if m.Guest() {
		return event.Errorf("forbidden", "A clip belongs to somebody with an account here. Ask one of the others to ask for it.")
	}
	p, err := s.past(r.Context(), m)
	if err != nil {
		return err
	}
	if q := p.end().Reuse; q.State == event.ReuseGranted && q.By == m.ID {
		j, err := s.films.OfClip(r.Context(), m.Session, m.ID, q.Clip)
		if err == nil && j.State == render.Failed {
			if err := s.films.Again(r.Context(), j); err != nil {
				return fmt.Errorf("make a clip again: %w", err)
			}
			return s.writeReuse(w, r, m, http.StatusAccepted)
		}
	}
	q, err := s.reuseQuestion(r.Context(), m, p)
	if err != nil {
		return err
	}
	if err := s.change(r.Context(), question{Session: m.Session, Reuse: &reuseAsked{m.ID, q}}); err != nil {
		return err
	}
	s.films.Look()
	return s.writeReuse(w, r, m, http.StatusAccepted)
}

// reuseQuestion names who is to be asked: everybody of whom something is recorded, and whose clip is seen beside them.
func (s *Server) reuseQuestion(ctx context.Context, m account.Member, p past) (q room.ReuseQuestion, err error) {
	kept, err := s.keptOf(ctx, m.Session, p)
	if err != nil {
		return q, err
	}
	for _, g := range kept {
		q.Of = append(q.Of, g.Member)
	}
	end := p.end()
	if end.Clip != nil {
		owner, err := s.ownerOf(ctx, end)
		if err != nil {
			return q, err
		}
		q.Of = append(q.Of, owner...)
	}
	slices.Sort(q.Of)
	q.Of = slices.Compact(q.Of)
	if _, err := s.library.Get(ctx, end.Reuse.Clip); errors.Is(err, clip.ErrNotFound) {
		q.Gone = end.Reuse.Clip
	}
	id, err := uuid.NewV7()
	q.Clip = id.String()
	return q, err
}

// ownerOf names the member whose lesson is seen in a film of a session, if it is anybody's.
func (s *Server) ownerOf(ctx context.Context, end event.View) ([]string, error) {
	c, err := s.beside(ctx, end.Clip.ID)
	if err != nil || c == nil || c.Practice {
		return nil, err
	}
	owner, err := s.sessions.Recorded(ctx, account.Identity{Account: c.Owner}, end.Session.ID)
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return nil, err
	}
	if _, came := end.Member(owner.ID); !came {
		return nil, event.Errorf("conflict", "The clip that was watched belongs to somebody who was not there, so they cannot be asked.")
	}
	return []string{owner.ID}, nil
}

// beside is the clip that a film of a session shows beside the people, if that is somebody's lesson. One that was deleted is not there any more;
// one that is itself a recorded conversation is in no film: those who are in it can take it back.
func (s *Server) beside(ctx context.Context, id string) (*clip.Clip, error) {
	c, err := s.library.Get(ctx, id)
	if errors.Is(err, clip.ErrNotFound) || err == nil && c.Session != "" {
		return nil, nil
	}
	return &c, err
}

// answerReuse takes the answer of somebody who is in the recording.
func (s *Server) answerReuse(w http.ResponseWriter, r *http.Request) error {
	m, err := s.recorded(r)
	if err != nil {
		return err
	}
	var body struct {
		Clip  string `json:"clip"`
		Agree *bool  `json:"agree"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	if body.Agree == nil {
		return event.Errorf("invalid", "The answer is missing. Load the page again.")
	}
	if err := s.begun(r.Context(), m.Session); err != nil {
		return err
	}
	answer := &reuseAnswer{Member: m.ID, Clip: body.Clip, Agree: *body.Agree}
	if err := s.change(r.Context(), question{Session: m.Session, Answer: answer}); err != nil {
		return err
	}
	s.films.Look()
	return s.writeReuse(w, r, m, http.StatusOK)
}

// agreedTo leaves out of what is recorded those who have not agreed that it becomes a clip.
func agreedTo(kept []recorder.Segment, id string, q event.Reuse) []recorder.Segment {
	return slices.DeleteFunc(kept, func(g recorder.Segment) bool {
		return q.State != event.ReuseGranted || q.Clip != id || !slices.Contains(q.Agreed, g.Member)
	})
}
