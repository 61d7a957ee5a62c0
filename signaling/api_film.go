package signaling

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/ctxio"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/render"
	"github.com/pausepoint/pausepoint/room/event"
)

// filmJSON is what a member is told of their film of a session.
type filmJSON struct {
	State    string  `json:"state"` // none, waiting, rendering, ready, failed
	Progress float64 `json:"progress"`
	Problem  string  `json:"problem"` // a sentence, when it failed
	Bytes    int64   `json:"bytes"`
	Cards    bool    `json:"cards"`
	Captions bool    `json:"captions"`
}

// exporter returns who the caller is in a session of which they may take something out, and what they may see of it.
func (s *Server) exporter(r *http.Request) (account.Member, past, error) {
	m, err := s.member(r)
	if err != nil {
		return m, past{}, err
	}
	p, err := s.past(r.Context(), m)
	if err != nil {
		return m, past{}, err
	}
	if _, ok := recorder.ScopeOf(m.ID, p.may); !ok {
		return m, past{}, errRole
	}
	return m, p, nil
}

// askFilm puts a film in line.
func (s *Server) askFilm(w http.ResponseWriter, r *http.Request) error {
	m, p, err := s.exporter(r)
	if err != nil {
		return err
	}
	var ask struct {
		Cards    bool `json:"cards"`
		Captions bool `json:"captions"`
	}
	if err := readJSON(w, r, &ask); err != nil {
		return err
	}
	end := p.end()
	if end.Recording.State == event.RecordingOn && end.Session.Ended == 0 {
		return event.Errorf("conflict", "The conversation is still being recorded. Make the film when it is over.")
	}
	if len(recorder.OnRecord(p.events)) == 0 {
		return event.Errorf("conflict", "Nothing of this conversation is recorded, so there is no film of it.")
	}
	if err := s.films.Ask(r.Context(), m.Session, m.ID, ask.Cards, ask.Captions); err != nil {
		return fmt.Errorf("ask for a film: %w", err)
	}
	return s.writeFilm(w, r, m, http.StatusAccepted)
}

// film tells how far the caller's film is.
func (s *Server) film(w http.ResponseWriter, r *http.Request) error {
	m, err := s.member(r)
	if err != nil {
		return err
	}
	return s.writeFilm(w, r, m, http.StatusOK)
}

func (s *Server) writeFilm(w http.ResponseWriter, r *http.Request, m account.Member, status int) error {
	out := filmJSON{State: "none"}
	j, err := s.films.Get(r.Context(), m.Session, m.ID)
	switch {
	case err == nil:
		out = filmJSON{
			State: string(j.State), Progress: j.Progress, Problem: j.Problem, Bytes: j.Bytes, Cards: j.Cards, Captions: j.Captions,
		}
	case !errors.Is(err, render.ErrNoJob):
		return fmt.Errorf("look for a film: %w", err)
	}
	writeJSON(w, status, out)
	return nil
}

// dropFilm cancels the caller's film, or removes it.
func (s *Server) dropFilm(w http.ResponseWriter, r *http.Request) error {
	m, err := s.member(r)
	if err != nil {
		return err
	}
	if err := s.films.Drop(r.Context(), m.Session, m.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// filmFile serves the caller's finished film.
func (s *Server) filmFile(w http.ResponseWriter, r *http.Request) error {
	m, _, err := s.exporter(r)
	if err != nil {
		return err
	}
	j, f, err := s.films.Open(r.Context(), m.Session, m.ID)
	if errors.Is(err, render.ErrNoJob) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	h := w.Header()
	h.Set("Content-Type", "video/mp4")
	h.Set("Content-Disposition", `attachment; filename="conversation.mp4"`)
	h.Set("ETag", fmt.Sprintf(`"%d"`, j.Round))
	return s.sendFile(w, r, f, func() error { return s.checkFilm(r.Context(), j) })
}

// checkFilm returns an error once a film is out of date: it was removed, asked for anew, or what it is made of has changed.
func (s *Server) checkFilm(ctx context.Context, j render.Job) error {
	now, err := s.films.Get(ctx, j.Session, j.Member)
	if err == nil && (now.Asked != j.Asked || now.Round != j.Round) {
		err = render.ErrNoJob
	}
	return err
}

// checkSegment returns an error once a segment is for nobody any more.
func (s *Server) checkSegment(ctx context.Context, id string) error {
	g, err := s.segments.GetSegment(ctx, id)
	if err == nil && g.Withdrawn {
		err = recorder.ErrNotFound
	}
	return err
}

// sendFile answers with a file of a session and byte ranges of it, as long as the caller is a member, and there is still something to send.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, f io.ReadSeeker, still func() error) error {
	if err := checkRanges(r); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	ctx, cancel := s.whileMember(w, r, still)
	defer cancel()
	http.ServeContent(w, r, "", time.Time{}, ctxio.ReadSeeker(ctx, f))
	return nil
}

// whileMember returns a context that ends soon after the caller is no member any more, or still returns an error.
func (s *Server) whileMember(w http.ResponseWriter, r *http.Request, still func() error) (context.Context, context.CancelFunc) {
	return whileAllowed(w, r, recheckEvery, func() error {
		if _, err := s.member(r); err != nil {
			return err
		}
		return still()
	})
}

// trackFile sends what was recorded of one source of a member as one file; its name says when in the conversation it begins.
func (s *Server) trackFile(w http.ResponseWriter, r *http.Request) error {
	m, p, err := s.exporter(r)
	if err != nil {
		return err
	}
	kept, err := s.keptOf(r.Context(), m.Session, p)
	if err != nil {
		return err
	}
	for _, of := range recorder.Tracks(kept) {
		if of[0].Member == r.PathValue("member") && of[0].Source == r.PathValue("source") {
			if err := s.recordings.CheckHere(of); err != nil {
				return recordingProblem(err)
			}
			return s.sendTrack(w, r, of, recorder.OnRecord(p.events))
		}
	}
	return errNotFound
}

// keptOf lists what there is to play of a session.
func (s *Server) keptOf(ctx context.Context, session string, p past) ([]recorder.Segment, error) {
	segments, err := s.segmentsOf(ctx, session)
	if err != nil {
		return nil, err
	}
	return recorder.Kept(segments, p.events), nil
}

func (s *Server) sendTrack(w http.ResponseWriter, r *http.Request, segments []recorder.Segment, on []recorder.Interval) error {
	begin := segments[0].Start
	joined := recorder.Joined{Segments: segments}
	for _, i := range on {
		if from := max(i.From, begin); from < i.To {
			joined.Place = append(joined.Place, recorder.Stretch{From: from, To: i.To, At: from - begin})
		}
	}
	// Who takes consent back does so for a time from the begin, so for the first segment if for any.
	ctx, cancel := s.whileMember(w, r, func() error { return s.checkSegment(r.Context(), segments[0].ID) })
	defer cancel()
	joined.Open = func(g recorder.Segment) (io.ReadCloser, error) { return s.openSegment(ctx, g) }
	h := w.Header()
	h.Set("Content-Type", "video/webm")
	if segments[0].Mime == recorder.MimeOpus {
		h.Set("Content-Type", "audio/webm")
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-begins-at-%s.webm"`, segments[0].Source, startName(begin)))
	h.Set("Pausepoint-Start", fmt.Sprint(begin))
	if err := joined.Write(w); err != nil {
		s.log.Error("a track breaks off", slog.String("session", segments[0].Session), slog.Any("err", err))
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now()) // so that nobody takes it for whole
	}
	return nil
}

// startName is a session time in ms as a part of a file's name: 0h12m03.250s.
func startName(ms int64) string {
	return fmt.Sprintf("%dh%02dm%02d.%03ds", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

func (s *Server) openSegment(ctx context.Context, g recorder.Segment) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	_, f, err := s.recordings.Open(ctx, g.Session, g.ID)
	return f, err
}

// prepareFilm says what a film consists of: what its owner may see of the session now.
func (s *Server) prepareFilm(ctx context.Context, j render.Job) (render.Film, error) {
	m := account.Member{Session: j.Session, ID: j.Member}
	p, err := s.past(ctx, m)
	if err != nil {
		return render.Film{}, err
	}
	kept, err := s.keptOf(ctx, j.Session, p)
	if err != nil {
		return render.Film{}, err
	}
	if j.Clip != "" {
		kept = agreedTo(kept, j.Clip, p.end().Reuse)
	}
	film := render.Film{
		Events: p.events, Segments: kept, Cards: j.Cards,
		OpenSegment: func(ctx context.Context, g recorder.Segment) (io.ReadCloser, error) { return s.openSegment(ctx, g) },
	}
	scope, _ := recorder.ScopeOf(m.ID, p.may)
	x := recorder.NewExport(p.events, scope)
	if j.Captions {
		film.Captions = x.Notes
	}
	if x.Clip == nil {
		return film, nil
	}
	beside, err := s.beside(ctx, x.Clip.ID)
	if err != nil || beside == nil { // the film is of the people alone
		return film, err
	}
	film.OpenClip = func(ctx context.Context) (io.ReadCloser, error) {
		return s.library.OpenFile(ctx, beside.ID, clip.Rendition720)
	}
	return film, nil
}
