package signaling

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/room/event"
)

// withdrawalJSON is what somebody agreed to in a session, and what there is of them.
type withdrawalJSON struct {
	Consent event.Consent `json:"consent"`
	Removed bool          `json:"removed"` // from the session: its replay is not for them any more
	Files   int           `json:"files"`
	Held    bool          `json:"held"` // by a legal hold: what is taken back is shown to nobody, and removed when that ends
}

// recorded returns who the caller is in what was recorded of a session: they may take back what they agreed to, also if they were
// removed from it.
func (s *Server) recorded(r *http.Request) (account.Member, error) {
	who, err := s.caller(r)
	if err != nil {
		return account.Member{}, err
	}
	m, err := s.sessions.Recorded(r.Context(), who.Identity, r.PathValue("id"))
	if errors.Is(err, account.ErrNotFound) {
		err = errMember
	}
	return m, err
}

// withdrawal says what the caller could take back.
func (s *Server) withdrawal(w http.ResponseWriter, r *http.Request) error {
	m, err := s.recorded(r)
	if err != nil {
		return err
	}
	p, err := s.past(r.Context(), m)
	if err != nil {
		return err
	}
	segments, err := s.segments.ListSegments(r.Context(), m.Session)
	if err != nil {
		return fmt.Errorf("list segments: %w", err)
	}
	out := withdrawalJSON{Consent: p.consent, Removed: m.Removed, Held: p.held}
	for _, g := range segments {
		if g.Member == m.ID {
			out.Files++
		}
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// withdraw takes the caller's consent to being recorded back, at any time after they were in the session.
func (s *Server) withdraw(w http.ResponseWriter, r *http.Request) error {
	m, err := s.recorded(r)
	if err != nil {
		return err
	}
	var body struct {
		RemoveNotes bool `json:"removeNotes"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	if _, err := s.past(r.Context(), m); err != nil { // and no session is opened by it
		return err
	}
	if err := s.change(r.Context(), question{Session: m.Session, Withdraw: &withdrawal{m.ID, body.RemoveNotes}}); err != nil {
		return err
	}
	if _, err := s.films.Restart(r.Context(), m.Session); err != nil { // at once: who removes what was recorded may have to wait
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
