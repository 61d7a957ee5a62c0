package signaling

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/keeping"
	"github.com/pausepoint/pausepoint/room/event"
)

// keepingJSON is for how long a session is kept, as its members see it.
type keepingJSON struct {
	Days    int        `json:"days"`    // after its last moment; 0 is for ever
	Deletes *time.Time `json:"deletes"` // when it will be, as things are; null for ever, before it has begun, and while it is held
	Held    *time.Time `json:"held"`    // since when a legal hold keeps everything
	Reason  string     `json:"reason"`  // of the legal hold
	Mine    bool       `json:"mine"`    // the caller may change it, and delete the session
}

func keepingOf(c account.Card, who account.Identity) keepingJSON {
	return keepingJSON{
		Days: c.Plan.Keep, Deletes: some(c.Standing.Deletes(c.Plan.Keep)), Held: some(c.Standing.Held), Reason: c.Standing.HeldFor,
		Mine: planned(c, who),
	}
}

func (s *Server) keeping(w http.ResponseWriter, r *http.Request, who caller) error {
	c, err := s.sessions.Card(r.Context(), who.Identity, r.PathValue("id"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, keepingOf(c, who.Identity))
	return nil
}

// keep sets for how long a session that has begun is kept; before, it is a part of the plan.
func (s *Server) keep(w http.ResponseWriter, r *http.Request, who caller) error {
	id := r.PathValue("id")
	c, err := s.sessions.Owned(r.Context(), who.Identity, id)
	if err != nil {
		return err
	}
	var body struct {
		Days int `json:"days"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	if err := account.CheckKeep(body.Days); err != nil {
		return err
	}
	if err := s.begun(r.Context(), id); err != nil {
		return err
	}
	if err := s.change(r.Context(), question{Session: id, Keep: &kept{Member: c.You.ID, Days: int64(body.Days)}}); err != nil {
		return err
	}
	return s.keeping(w, r, who)
}

// begun refuses a session that has not begun: changing its journal would open it.
func (s *Server) begun(ctx context.Context, session string) error {
	journal, err := s.journal.Load(ctx, session)
	if err != nil {
		return fmt.Errorf("load journal: %w", err)
	}
	if len(journal) == 0 {
		return errNotBegun
	}
	return nil
}

// deleteSession removes everything that there is of a session, and keeps a receipt.
func (s *Server) deleteSession(w http.ResponseWriter, r *http.Request, who caller) error {
	id := r.PathValue("id")
	c, err := s.sessions.Owned(r.Context(), who.Identity, id)
	if err != nil {
		return err
	}
	if err := s.keeper.Delete(r.Context(), id, c.You.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) receipts(w http.ResponseWriter, r *http.Request, who caller) error {
	after, err := keeping.ParsePlace(r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	page, err := s.keeper.Receipts(r.Context(), who.Account, slices.Collect(maps.Values(who.Guest)), after)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"receipts": page.Entries, "next": placeOf(page.Next)})
	return nil
}

// placeOf is a place for an address, nil for none.
func placeOf(p *keeping.Place) *string {
	if p == nil {
		return nil
	}
	text := p.String()
	return &text
}

func (s *Server) receipt(w http.ResponseWriter, r *http.Request, who caller) error {
	id := r.PathValue("id")
	receipt, err := s.keeper.Receipt(r.Context(), id, who.Account, who.Guest[id])
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="receipt.json"`)
	writeJSON(w, http.StatusOK, receipt)
	return nil
}

// keptJSON is what an administrator sees of a session: that there is one, not what is in it.
type keptJSON struct {
	ID          string     `json:"id"`
	Kind        event.Kind `json:"kind"`
	Planner     string     `json:"planner"`
	Opened      time.Time  `json:"opened"`
	Duration    int64      `json:"duration"`
	People      int        `json:"people"`
	RecordedFor int64      `json:"recordedFor"`
	Days        int        `json:"days"`
	Held        *time.Time `json:"held"`
	Reason      string     `json:"reason"`
}

func keptOf(k keeping.Kept) keptJSON {
	return keptJSON{
		ID: k.Session, Kind: k.Kind, Planner: k.Planner, Opened: k.Opened, Duration: k.Duration, People: k.People,
		RecordedFor: k.RecordedFor, Days: k.Days, Held: some(k.Held), Reason: k.Reason,
	}
}

// administrator refuses everybody else, for whom there is nothing here.
func (s *Server) administrator(r *http.Request) error {
	who, err := s.caller(r)
	if err != nil {
		return err
	}
	a, err := s.accountOf(r, who)
	if err == nil && (a == nil || !a.Admin) {
		err = account.ErrNotFound
	}
	return err
}

func (s *Server) kept(w http.ResponseWriter, r *http.Request) error {
	if err := s.administrator(r); err != nil {
		return err
	}
	after, err := keeping.ParsePlace(r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	page, err := s.keeper.Kept(r.Context(), after)
	if err != nil {
		return err
	}
	out := make([]keptJSON, 0, len(page.Entries))
	for _, k := range page.Entries {
		out = append(out, keptOf(k))
	}
	writeJSON(w, http.StatusOK, map[string]any{"sessions": out, "next": placeOf(page.Next)})
	return nil
}

// setLegalHold sets or lifts a legal hold. Once it has returned, no server begins to remove another file of the session: each asks the
// database before every one.
func (s *Server) setLegalHold(w http.ResponseWriter, r *http.Request) error {
	if err := s.administrator(r); err != nil {
		return err
	}
	var body legalHold
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	if body.On && strings.TrimSpace(body.Reason) == "" {
		return event.Errorf("invalid", "Write why the session is held. Those who were in it read that.")
	}
	id := r.PathValue("id")
	if err := s.begun(r.Context(), id); err != nil {
		return err
	}
	if err := s.change(r.Context(), question{Session: id, Hold: &body}); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
