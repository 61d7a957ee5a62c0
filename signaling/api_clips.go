package signaling

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
)

// clipJSON is a clip as somebody who may see it sees it.
type clipJSON struct {
	ID           string     `json:"id"`
	Mine         bool       `json:"mine"`
	OwnerName    string     `json:"ownerName"`
	Practice     bool       `json:"practice"`
	Title        string     `json:"title"`
	Focus        string     `json:"focus"`
	Context      string     `json:"context"`
	Purpose      string     `json:"purpose"`
	From         int64      `json:"from"`
	To           int64      `json:"to"`
	State        clip.State `json:"state"`
	Progress     float64    `json:"progress"`
	Size         int64      `json:"size,omitempty"`
	UploadID     string     `json:"uploadId,omitempty"`
	Refusal      string     `json:"refusal,omitempty"`
	Duration     int64      `json:"duration"`
	Frames       int64      `json:"frames"`
	FPSNum       int64      `json:"fpsNum"`
	FPSDen       int64      `json:"fpsDen"`
	Width        int        `json:"width"`
	Height       int        `json:"height"`
	HasAudio     bool       `json:"hasAudio"`
	PupilConsent bool       `json:"pupilConsent"`
	Created      time.Time  `json:"created"`
	Viewers      []string   `json:"viewers,omitempty"`
	Session      string     `json:"session,omitempty"` // whose recording it is, for its owner
}

// clipChange is what an owner changes; nil leaves a field as it is.
type clipChange struct {
	Title        *string `json:"title"`
	Focus        *string `json:"focus"`
	Context      *string `json:"context"`
	From         *int64  `json:"from"`
	To           *int64  `json:"to"`
	PupilConsent *bool   `json:"pupilConsent"`
}

func (c clipChange) edit() clip.Edit {
	return clip.Edit{Title: c.Title, FocusQuestion: c.Focus, Context: c.Context, From: c.From, To: c.To, PupilConsent: c.PupilConsent}
}

// clips answers with the clips that the caller may see, newest first.
func (s *Server) clips(w http.ResponseWriter, r *http.Request, c caller) error {
	if !c.Known() {
		return errSignIn
	}
	list, err := s.visibleClips(r.Context(), c.Identity)
	if err != nil {
		return err
	}
	out, err := s.clipsJSON(r.Context(), c.Identity, list)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"clips": out})
	return nil
}

func (s *Server) visibleClips(ctx context.Context, who account.Identity) ([]clip.Clip, error) {
	var list []clip.Clip
	seen := map[string]bool{}
	if who.Account != "" {
		own, err := s.library.List(ctx, who.Account)
		if err != nil {
			return nil, err
		}
		for _, c := range own {
			list, seen[c.ID] = append(list, c), true
		}
	}
	ids, err := s.sessions.ClipsInSessions(ctx, who)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		c, err := s.library.Get(ctx, id)
		if errors.Is(err, clip.ErrNotFound) {
			continue // deleted by its owner
		}
		if err != nil {
			return nil, err
		}
		list, seen[id] = append(list, c), true
	}
	slices.SortFunc(list, func(a, b clip.Clip) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID)) })
	return list, nil
}

// clipsJSON shows clips that the caller may see. Who else can see them is for their owner alone.
func (s *Server) clipsJSON(ctx context.Context, who account.Identity, list []clip.Clip) ([]clipJSON, error) {
	var own []string
	for _, c := range list {
		if c.OwnedBy(who.Account) {
			own = append(own, c.ID)
		}
	}
	viewers, err := s.sessions.ClipViewers(ctx, own)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	out := make([]clipJSON, 0, len(list))
	for _, c := range list {
		if err := s.nameOf(ctx, c.Owner, names); err != nil {
			return nil, err
		}
		out = append(out, clipOf(c, who.Account, names[c.Owner], viewers[c.ID]))
	}
	return out, nil
}

func (s *Server) nameOf(ctx context.Context, id string, names map[string]string) error {
	if _, known := names[id]; known || id == "" {
		return nil
	}
	a, err := s.people.Account(ctx, id)
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return err
	}
	names[id] = a.Name
	return nil
}

func clipOf(c clip.Clip, by, owner string, viewers []string) clipJSON {
	out := clipJSON{
		ID: c.ID, Mine: c.OwnedBy(by), OwnerName: owner, Practice: c.Practice, Title: c.Title, Focus: c.FocusQuestion,
		Context: c.Context, Purpose: c.Purpose, From: c.From, To: c.To, State: c.State, Progress: c.Progress, Refusal: c.Refusal,
		Duration: c.Duration, Frames: c.Frames, FPSNum: c.FPSNum, FPSDen: c.FPSDen, Width: c.Width, Height: c.Height,
		HasAudio: c.HasAudio, PupilConsent: c.PupilConsent, Created: c.Created, Viewers: viewers,
	}
	if out.Mine {
		out.Session = c.Session
	}
	if out.Mine && c.State == clip.Uploading {
		out.Size, out.UploadID = c.Bytes, c.ID
	}
	return out
}

// visibleClip returns a clip that the caller may see; to anybody else it does not exist.
func (s *Server) visibleClip(r *http.Request) (caller, clip.Clip, error) {
	who, err := s.caller(r)
	if err != nil {
		return who, clip.Clip{}, err
	}
	id := r.PathValue("id")
	ok, err := s.sessions.MaySeeClip(r.Context(), who.Identity, id)
	if err == nil && !ok {
		err = errNotFound
	}
	if err != nil {
		return who, clip.Clip{}, err
	}
	c, err := s.library.Get(r.Context(), id)
	return who, c, err
}

func (s *Server) writeClip(w http.ResponseWriter, r *http.Request, who account.Identity, c clip.Clip) error {
	out, err := s.clipsJSON(r.Context(), who, []clip.Clip{c})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, out[0])
	return nil
}

func (s *Server) clip(w http.ResponseWriter, r *http.Request) error {
	who, c, err := s.visibleClip(r)
	if err != nil {
		return err
	}
	return s.writeClip(w, r, who.Identity, c)
}

func (s *Server) changeClip(w http.ResponseWriter, r *http.Request) error {
	who, _, err := s.visibleClip(r)
	if err != nil {
		return err
	}
	var change clipChange
	if err := readJSON(w, r, &change); err != nil {
		return err
	}
	c, err := s.library.Edit(r.Context(), who.Account, r.PathValue("id"), change.edit())
	if err != nil {
		return err
	}
	return s.writeClip(w, r, who.Identity, c)
}

func (s *Server) deleteClip(w http.ResponseWriter, r *http.Request) error {
	who, _, err := s.visibleClip(r)
	if err != nil {
		return err
	}
	if err := s.keeper.CheckClip(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	if err := s.library.Delete(r.Context(), who.Account, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// clipMedia serves a file of a clip, as long as the right to it lasts.
func (s *Server) clipMedia(w http.ResponseWriter, r *http.Request) error {
	_, c, err := s.visibleClip(r)
	if err != nil {
		return err
	}
	ctx, cancel := whileAllowed(w, r, recheckEvery, func() error {
		_, c, err := s.visibleClip(r)
		if err == nil && c.State != clip.Ready { // it was taken back
			err = errNotFound
		}
		return err
	})
	defer cancel()
	return s.library.Serve(w, r.WithContext(ctx), c, r.PathValue("name"))
}

// uploader tells clip whose account uploads, if it is one at all; it is asked again while an upload goes on.
func (s *Server) uploader(r *http.Request) (string, error) {
	c, err := s.caller(r)
	if err != nil {
		return "", err
	}
	a, err := s.accountOf(r, c)
	if err != nil || a == nil {
		return "", err
	}
	return a.ID, nil
}
