package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// session is one that members come into: with a role's token as guests, the first one as who has made it.
type session struct {
	id     string
	tokens map[event.Role]string
	made   bool // by us
}

// host makes sessions with an account, or finds the one that an invitation leads into.
type host struct {
	*visitor

	config Config
}

// open signs in and makes what members will come into. What it returns is to be removed also if it fails halfway.
func (h *host) open(ctx context.Context) ([]*session, error) {
	if h.config.Invitation != "" {
		s, err := h.invited()
		return []*session{s}, err
	}
	if err := h.signIn(ctx); err != nil {
		return nil, err
	}
	var sessions []*session
	for range h.config.Sessions {
		s, err := h.session(ctx)
		if s != nil {
			sessions = append(sessions, s)
		}
		if err != nil {
			return sessions, err
		}
	}
	return sessions, nil
}

func (h *host) signIn(ctx context.Context) error {
	a := h.config.Account
	who := map[string]string{"email": a.Email, "password": a.Password}
	if a.SignUp == "" {
		return h.call(ctx, http.MethodPost, "/api/signin", who, nil)
	}
	path, secret, err := token(a.SignUp, "/join", "/setup")
	if err != nil {
		return err
	}
	who["token"], who["name"] = secret, "Load test"
	return h.call(ctx, http.MethodPost, "/api"+path, who, nil)
}

// invited is the session of the invitation. The link's role is the same for all.
func (h *host) invited() (*session, error) {
	path, secret, err := token(h.config.Invitation, "/s/")
	if err != nil {
		return nil, err
	}
	return &session{
		id: strings.Trim(strings.TrimPrefix(path, "/s/"), "/"), tokens: map[event.Role]string{event.Peer: secret, event.Observer: secret},
	}, nil
}

// session makes a conversation about the practice clip, with an invitation for each role that guests get.
func (h *host) session(ctx context.Context) (*session, error) {
	var made struct{ ID string }
	if err := h.call(ctx, http.MethodPost, "/api/sessions", map[string]any{"practice": true}, &made); err != nil {
		return nil, fmt.Errorf("make a session: %w", err)
	}
	s := &session{id: made.ID, tokens: make(map[event.Role]string), made: true}
	for _, role := range []event.Role{event.Peer, event.Observer} {
		var link struct{ URL string }
		if err := h.call(ctx, http.MethodPost, "/api/sessions/"+s.id+"/invitations", map[string]any{"role": role}, &link); err != nil {
			return s, fmt.Errorf("invite to a session: %w", err)
		}
		var err error
		if _, s.tokens[role], err = token(link.URL, "/s/"); err != nil {
			return s, err
		}
	}
	return s, nil
}

const emptyWithin = time.Minute // four times as long as a lost member may take to come back

// remove deletes a session, as soon as nobody is inside.
func (h *host) remove(ctx context.Context, s *session) error {
	for deadline := time.Now().Add(emptyWithin); ; {
		err := h.call(ctx, http.MethodDelete, "/api/sessions/"+s.id, nil, nil)
		var r *refusal
		if !errors.As(err, &r) || r.status != http.StatusConflict || time.Now().After(deadline) {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}
