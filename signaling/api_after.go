package signaling

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
)

// maxRanges is how many byte ranges one request may ask for.
const maxRanges = 10

// settleFor bounds how long a replay waits for segments that are being finished.
const settleFor = 5 * time.Second

// member returns who the caller is in a session, for what remains of it: 403 for everybody else, also for who never came in, whether or not
// there is such a session, and from the moment on at which they were removed.
func (s *Server) member(r *http.Request) (account.Member, error) {
	who, err := s.caller(r)
	if err != nil {
		return account.Member{}, err
	}
	m, err := s.sessions.Attendee(r.Context(), who.Identity, r.PathValue("id"))
	if errors.Is(err, account.ErrNotFound) {
		err = errMember
	}
	return m, err
}

// past is a session's journal as one member may see it.
type past struct {
	viewer  room.Viewer
	consent event.Consent // of the member, at the end
	held    bool          // by a legal hold
	may     []event.Action
	events  []event.Event
}

// end is the session as it is now, as the member may see it.
func (p past) end() (v event.View) {
	for _, e := range p.events {
		v.Fold(e)
	}
	return v
}

// past loads a session's journal and leaves out what the member may not see.
func (s *Server) past(ctx context.Context, m account.Member) (past, error) {
	journal, err := s.journal.Load(ctx, m.Session)
	if err != nil {
		return past{}, fmt.Errorf("load journal: %w", err)
	}
	if len(journal) == 0 {
		return past{}, errNotBegun
	}
	journal = room.WithoutWithdrawn(journal)
	var end event.View
	for _, e := range journal {
		end.Fold(e)
	}
	p := past{viewer: room.Viewer{ID: m.ID, Role: m.Role}, held: end.Keeping.Held > 0}
	if known, ok := end.Member(m.ID); ok {
		p.viewer.Role, p.consent = known.Role, known.Consent
	}
	// What somebody may do afterwards does not depend on who else is there.
	p.may = event.May(p.viewer.Role, end.Session.Kind, end.Facilitated(), false)
	var before event.View
	for _, e := range journal {
		if seen, ok := room.Visible(&before, p.viewer, e); ok {
			p.events = append(p.events, seen)
		}
		before.Fold(e)
	}
	return p, nil
}

func (s *Server) replay(w http.ResponseWriter, r *http.Request) error {
	m, err := s.member(r)
	if err != nil {
		return err
	}
	p, err := s.past(r.Context(), m)
	if err != nil {
		return err
	}
	segments, err := s.segmentsOf(r.Context(), m.Session)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, recorder.NewReplay(m.ID, p.may, p.events, segments))
	return nil
}

// segmentsOf lists a session's segments. Who asks right after the session ended must not miss its last minute.
func (s *Server) segmentsOf(ctx context.Context, session string) ([]recorder.Segment, error) {
	settling, cancel := context.WithTimeout(ctx, settleFor)
	s.recordings.Settle(settling, session)
	cancel()
	segments, err := s.segments.ListSegments(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	return segments, nil
}

// measures shows the caller how the conversation went: their own part at once, that of others once these have looked at it.
func (s *Server) measures(w http.ResponseWriter, r *http.Request) error {
	m, err := s.member(r)
	if err != nil {
		return err
	}
	if _, err := s.past(r.Context(), m); err != nil { // and no session is opened by it
		return err
	}
	if err := s.change(r.Context(), question{Session: m.Session, Measures: &m.ID}); err != nil {
		return err
	}
	journal, err := s.journal.Load(r.Context(), m.Session)
	if err != nil {
		return fmt.Errorf("load journal: %w", err)
	}
	writeJSON(w, http.StatusOK, recorder.NewMeasures(journal).For(m.ID))
	return nil
}

// segment serves one recorded file.
func (s *Server) segment(w http.ResponseWriter, r *http.Request) error {
	m, err := s.member(r)
	if err != nil {
		return err
	}
	seg, f, err := s.recordings.Open(r.Context(), m.Session, r.PathValue("segment"))
	if err != nil {
		return recordingProblem(err)
	}
	defer func() { _ = f.Close() }()
	kind, _, _ := strings.Cut(seg.Mime, ";")
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("ETag", `"`+seg.SHA256+`"`)
	return s.sendFile(w, r, f, func() error { return s.checkSegment(r.Context(), seg.ID) })
}

// recordingProblem is what to say of why something recorded cannot be read.
func recordingProblem(err error) error {
	switch {
	case errors.Is(err, recorder.ErrNotFound):
		return errNotFound
	case errors.Is(err, recorder.ErrElsewhere):
		return errElsewhere
	}
	return err
}

// checkRanges refuses a request for too many ranges.
func checkRanges(r *http.Request) error {
	if strings.Count(strings.Join(r.Header.Values("Range"), ","), ",") >= maxRanges {
		return event.Errorf("bad_ranges", "The request asks for too many ranges at once.")
	}
	return nil
}

// recheckEvery is how long a file goes on being sent to somebody who lost the right to it.
const recheckEvery = 2 * time.Second

// whileAllowed returns a context that ends soon after check refuses, and what is being written to w with it: players keep one
// request open for long, and take nothing for long.
func whileAllowed(w http.ResponseWriter, r *http.Request, every time.Duration, check func() error) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if check() != nil && ctx.Err() == nil {
				cancel()
				_ = http.NewResponseController(w).SetWriteDeadline(time.Now())
				return
			}
		}
	}()
	return ctx, cancel
}

// notes collects what the caller may take out of a session.
func (s *Server) notes(r *http.Request) (recorder.Export, error) {
	m, err := s.member(r)
	if err != nil {
		return recorder.Export{}, err
	}
	p, err := s.past(r.Context(), m)
	if err != nil {
		return recorder.Export{}, err
	}
	scope, ok := recorder.ScopeOf(m.ID, p.may)
	if !ok {
		return recorder.Export{}, errRole
	}
	return recorder.NewExport(p.events, scope), nil
}

func (s *Server) notesVTT(w http.ResponseWriter, r *http.Request) error {
	x, err := s.notes(r)
	if err != nil {
		return err
	}
	clock := recorder.ClipClock
	switch r.URL.Query().Get("clock") {
	case "":
		if x.Clip == nil {
			clock = recorder.SessionClock
		}
	case "clip":
	case "session":
		clock = recorder.SessionClock
	default:
		return event.Errorf("invalid", "The clock of the file is clip or session.")
	}
	return writeFile(w, "notes.vtt", "text/vtt; charset=utf-8", func(b *bytes.Buffer) error { return recorder.WriteVTT(b, x, clock) })
}

func (s *Server) notesCSV(w http.ResponseWriter, r *http.Request) error {
	x, err := s.notes(r)
	if err != nil {
		return err
	}
	return writeFile(w, "notes.csv", "text/csv; charset=utf-8", func(b *bytes.Buffer) error { return recorder.WriteCSV(b, x) })
}

func (s *Server) notesJSON(w http.ResponseWriter, r *http.Request) error {
	x, err := s.notes(r)
	if err != nil {
		return err
	}
	return writeFile(w, "notes.json", "application/json", func(b *bytes.Buffer) error { return recorder.WriteJSON(b, x) })
}

// writeFile answers with a file to be saved: whole, or not at all.
func writeFile(w http.ResponseWriter, name, kind string, write func(*bytes.Buffer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	_, _ = b.WriteTo(w) // the client may be gone
	return nil
}
