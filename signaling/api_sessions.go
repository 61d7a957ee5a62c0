package signaling

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
)

type personJSON struct {
	Name string     `json:"name"`
	Role event.Role `json:"role"`
}

type cardJSON struct {
	ID          string       `json:"id"`
	Kind        event.Kind   `json:"kind"`
	Title       string       `json:"title"`
	Focus       string       `json:"focus"`
	Clip        *string      `json:"clip"`
	Scheduled   *time.Time   `json:"scheduled"`
	Minutes     int          `json:"minutes"`
	State       string       `json:"state"`
	Opened      *time.Time   `json:"opened"`
	Duration    int64        `json:"duration"`
	Mine        bool         `json:"mine"`
	Role        event.Role   `json:"role"`
	People      []personJSON `json:"people"`
	Inside      int          `json:"inside"`
	Notes       int          `json:"notes"`
	Pauses      int          `json:"pauses"`
	RecordedFor int64        `json:"recordedFor"`
}

type planJSON struct {
	ID        string                `json:"id"`
	Mine      bool                  `json:"mine"`
	Role      event.Role            `json:"role"`
	Begun     bool                  `json:"begun"`
	Ended     bool                  `json:"ended"`
	Kind      event.Kind            `json:"kind"`
	Title     string                `json:"title"`
	Focus     string                `json:"focus"`
	Purpose   string                `json:"purpose"`
	Clip      *string               `json:"clip"`
	ClipCard  *clipJSON             `json:"clipCard"`
	Scheduled *time.Time            `json:"scheduled"`
	Minutes   int                   `json:"minutes"`
	Recorded  bool                  `json:"recorded"`
	Keep      int                   `json:"keep"`
	Pauses    []event.Pause         `json:"pauses"`
	Notes     []account.PlannedNote `json:"notes"`
}

type roleLinkJSON struct {
	Role event.Role `json:"role"`
	URL  string     `json:"url"`
}

// some is a pointer to a value, or nil for the zero one: JSON then says null.
func some[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// pausesOf is how many pauses a session has: prepared ones before it began, those that happened afterwards.
func pausesOf(c account.Card) int {
	if c.Standing.Opened.IsZero() {
		return len(c.Plan.Pauses)
	}
	return c.Standing.Pauses
}

func (s *Server) cardOf(c account.Card, who account.Identity) cardJSON {
	people := make([]personJSON, 0, len(c.People))
	for _, m := range c.People {
		people = append(people, personJSON{m.Name, m.Role})
	}
	return cardJSON{
		ID: c.Plan.ID, Kind: c.Plan.Kind, Title: c.Plan.Title, Focus: c.Plan.Focus, Clip: some(c.Plan.Clip),
		Scheduled: some(c.Plan.Scheduled), Minutes: c.Plan.Minutes, State: c.Standing.State(), Opened: some(c.Standing.Opened),
		Duration: c.Standing.Duration, Mine: planned(c, who), Role: c.You.Role, People: people, Inside: c.Standing.Inside,
		Notes: c.Standing.Notes, Pauses: pausesOf(c), RecordedFor: c.Standing.RecordedFor,
	}
}

// planned reports whether the caller planned the session.
func planned(c account.Card, who account.Identity) bool {
	return who.Account != "" && c.Plan.Planner == who.Account
}

// inside lists who is in a call now, on whichever server.
func inside(members []account.Member) []personJSON {
	people := []personJSON{}
	for _, m := range members {
		if m.Inside {
			people = append(people, personJSON{m.Name, m.Role})
		}
	}
	return people
}

func (s *Server) planOf(ctx context.Context, c account.Card, who account.Identity) (planJSON, error) {
	p := c.Plan
	out := planJSON{
		ID: p.ID, Mine: planned(c, who), Role: c.You.Role, Begun: !c.Standing.Opened.IsZero(), Ended: c.Standing.Ended,
		Kind: p.Kind, Title: p.Title, Focus: p.Focus, Purpose: p.Purpose, Clip: some(p.Clip), Scheduled: some(p.Scheduled),
		Minutes: p.Minutes, Recorded: p.Recorded, Keep: p.Keep, Pauses: append([]event.Pause{}, p.Pauses...), Notes: p.NotesOf(c.You.ID),
	}
	if p.Clip == "" {
		return out, nil
	}
	k, err := s.library.Get(ctx, p.Clip)
	if errors.Is(err, clip.ErrNotFound) {
		return out, nil // its owner has deleted it
	}
	if err != nil {
		return out, err
	}
	cards, err := s.clipsJSON(ctx, who, []clip.Clip{k})
	if err != nil {
		return out, err
	}
	out.ClipCard = &cards[0]
	return out, nil
}

func (s *Server) writePlan(w http.ResponseWriter, r *http.Request, status int, c account.Card, who account.Identity) error {
	out, err := s.planOf(r.Context(), c, who)
	if err != nil {
		return err
	}
	writeJSON(w, status, out)
	return nil
}

func (s *Server) listSessions(w http.ResponseWriter, r *http.Request, who caller) error {
	if !who.Known() {
		return errSignIn
	}
	cards, err := s.sessions.Cards(r.Context(), who.Identity)
	if err != nil {
		return err
	}
	out := make([]cardJSON, 0, len(cards))
	for _, c := range cards {
		out = append(out, s.cardOf(c, who.Identity))
	}
	writeJSON(w, http.StatusOK, map[string]any{"sessions": out})
	return nil
}

func (s *Server) createSession(w http.ResponseWriter, r *http.Request) error {
	who, a, err := s.signedIn(r)
	if err != nil {
		return err
	}
	var n account.NewSession
	if err := readJSON(w, r, &n); err != nil {
		return err
	}
	c, err := s.sessions.Create(r.Context(), a, n)
	if err != nil {
		return err
	}
	return s.writePlan(w, r, http.StatusCreated, c, who.Identity)
}

func (s *Server) session(w http.ResponseWriter, r *http.Request, who caller) error {
	c, err := s.sessions.Card(r.Context(), who.Identity, r.PathValue("id"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, s.cardOf(c, who.Identity))
	return nil
}

func (s *Server) plan(w http.ResponseWriter, r *http.Request, who caller) error {
	c, err := s.sessions.Plan(r.Context(), who.Identity, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.writePlan(w, r, http.StatusOK, c, who.Identity)
}

func (s *Server) changePlan(w http.ResponseWriter, r *http.Request, who caller) error {
	// What somebody may not see is not even read about.
	if _, err := s.sessions.Plan(r.Context(), who.Identity, r.PathValue("id")); err != nil {
		return err
	}
	var change account.Change
	if err := readJSON(w, r, &change); err != nil {
		return err
	}
	c, err := s.sessions.Change(r.Context(), who.Identity, r.PathValue("id"), change)
	if err != nil {
		return err
	}
	return s.writePlan(w, r, http.StatusOK, c, who.Identity)
}

func (s *Server) links(w http.ResponseWriter, r *http.Request, who caller) error {
	links, err := s.sessions.Links(r.Context(), who.Identity, r.PathValue("id"))
	if err != nil {
		return err
	}
	out := make([]roleLinkJSON, 0, len(links))
	for _, l := range links {
		out = append(out, roleLinkJSON{l.Role, sessionURL(l)})
	}
	writeJSON(w, http.StatusOK, map[string]any{"links": out})
	return nil
}

func sessionURL(l account.Link) string { return "/s/" + l.Session + "#" + l.Token }

func (s *Server) replaceLink(w http.ResponseWriter, r *http.Request, who caller) error {
	if _, err := s.sessions.Card(r.Context(), who.Identity, r.PathValue("id")); err != nil {
		return err
	}
	var body struct {
		Role event.Role `json:"role"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	l, err := s.sessions.ReplaceLink(r.Context(), who.Identity, r.PathValue("id"), body.Role)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, linkJSON{URL: sessionURL(l)})
	return nil
}
