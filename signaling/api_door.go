package signaling

import (
	"errors"
	"net/http"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
)

type doorSessionJSON struct {
	ID        string     `json:"id"`
	Kind      event.Kind `json:"kind"`
	Title     string     `json:"title"`
	Focus     string     `json:"focus"`
	Purpose   string     `json:"purpose"`
	Recorded  bool       `json:"recorded"`
	Keep      int        `json:"keep"`
	Scheduled *time.Time `json:"scheduled"`
	Minutes   int        `json:"minutes"`
	State     string     `json:"state"`
	ClipTitle string     `json:"clipTitle,omitempty"`
	Clip      string     `json:"clip,omitempty"` // for members, who may fetch it
}

type doorMemberJSON struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	Role  event.Role `json:"role"`
	Guest bool       `json:"guest"`
}

type doorJSON struct {
	Session   doorSessionJSON    `json:"session"`
	Member    *doorMemberJSON    `json:"member"`
	Attended  bool               `json:"attended"`
	Role      event.Role         `json:"role"`
	Inside    []personJSON       `json:"inside"`
	Invited   map[event.Role]int `json:"invited"`
	Observers bool               `json:"observers"`
}

func (s *Server) door(w http.ResponseWriter, r *http.Request, who caller) error {
	e, err := s.sessions.Door(r.Context(), who.Identity, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.writeDoor(w, r, e)
}

// knock shows an invitation. A guest's membership is kept with the browser before anything is answered.
func (s *Server) knock(w http.ResponseWriter, r *http.Request, who caller) error {
	var body struct {
		Token string `json:"token"`
		Name  string `json:"name"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	a, err := s.accountOf(r, who)
	if err != nil {
		return err
	}
	session := r.PathValue("id")
	e, err := s.sessions.Enter(r.Context(), who.Identity, a, session, body.Token, body.Name)
	if err != nil {
		return err
	}
	if e.Member != nil && e.Member.Guest() && who.Guest[session] != e.Member.ID {
		if err := who.browser.enter(session, e.Member.ID); err != nil {
			return err
		}
		if err := who.browser.save(w, r); err != nil {
			return err
		}
	}
	return s.writeDoor(w, r, e)
}

func (s *Server) writeDoor(w http.ResponseWriter, r *http.Request, e account.Entry) error {
	p := e.Plan
	out := doorJSON{
		Session: doorSessionJSON{
			ID: p.ID, Kind: p.Kind, Title: p.Title, Focus: p.Focus, Purpose: p.Purpose, Recorded: p.Recorded, Keep: p.Keep,
			Scheduled: some(p.Scheduled), Minutes: p.Minutes, State: e.Standing.State(),
		},
		Attended: e.Attended, Role: e.Role, Inside: inside(e.People), Invited: e.Invited(), Observers: e.Observers,
	}
	if m := e.Member; m != nil {
		out.Member = &doorMemberJSON{ID: m.ID, Name: m.Name, Role: m.Role, Guest: m.Guest()}
	}
	if p.Clip != "" {
		c, err := s.library.Get(r.Context(), p.Clip)
		if err != nil && !errors.Is(err, clip.ErrNotFound) {
			return err
		}
		out.Session.ClipTitle = c.Title
		if e.Member != nil {
			out.Session.Clip = c.ID
		}
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// calendar is a session in a calendar's form (RFC 5545). The invitation's token is not in it: calendars are shared.
func (s *Server) calendar(w http.ResponseWriter, r *http.Request, who caller) error {
	card, err := s.sessions.Card(r.Context(), who.Identity, r.PathValue("id"))
	if err != nil {
		return err
	}
	p := card.Plan
	if p.Scheduled.IsZero() {
		return event.Errorf("not_found", "No time is set for this session. Set one in its plan first.")
	}
	cal := ics.NewCalendarFor("Pausepoint")
	cal.SetMethod(ics.MethodPublish)
	entry := cal.AddEvent(p.ID + "@pausepoint")
	entry.SetDtStampTime(p.Created)
	entry.SetStartAt(p.Scheduled)
	entry.SetEndAt(p.Scheduled.Add(time.Duration(p.Minutes) * time.Minute))
	entry.SetSummary(p.Title)
	entry.SetDescription(p.Focus)
	entry.SetURL(s.base(r) + "/s/" + p.ID)
	h := w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="session.ics"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(cal.Serialize())) // the client may be gone
	return nil
}

// base is the address under which people open this server.
func (s *Server) base(r *http.Request) string {
	if s.publicURL != "" {
		return s.publicURL
	}
	if s.forward.secure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
