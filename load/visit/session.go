package visit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/room/event"
)

// Account is who makes sessions.
type Account struct {
	Email, Password string
	SignUp          string // link (/join#token or /setup#token) by which the account is made first; empty if there is one
}

// Session is one that members come into: with a role's token as guests, the first one as who has made it.
type Session struct {
	ID     string
	Tokens map[event.Role]string
	Made   bool // by us
}

// SignIn signs in, with a new account if there is a link for that.
func (v *Visitor) SignIn(ctx context.Context, a Account) error {
	who := map[string]string{"email": a.Email, "password": a.Password}
	if a.SignUp == "" {
		return v.Call(ctx, http.MethodPost, "/api/signin", who, nil)
	}
	path, secret, err := token(a.SignUp, "/join", "/setup")
	if err != nil {
		return err
	}
	who["token"], who["name"] = secret, "Load test"
	return v.Call(ctx, http.MethodPost, "/api"+path, who, nil)
}

// Invited is the session that an invitation leads into. The link's role is the same for all.
func Invited(invitation string) (*Session, error) {
	path, secret, err := token(invitation, "/s/")
	if err != nil {
		return nil, err
	}
	return &Session{
		ID: strings.Trim(strings.TrimPrefix(path, "/s/"), "/"), Tokens: map[event.Role]string{event.Peer: secret, event.Observer: secret},
	}, nil
}

// Make makes a conversation about the practice clip, with an invitation for each role that guests get.
func (v *Visitor) Make(ctx context.Context) (*Session, error) {
	var made struct{ ID string }
	if err := v.Call(ctx, http.MethodPost, "/api/sessions", map[string]any{"practice": true}, &made); err != nil {
		return nil, fmt.Errorf("make a session: %w", err)
	}
	s := &Session{ID: made.ID, Tokens: make(map[event.Role]string), Made: true}
	for _, role := range []event.Role{event.Peer, event.Observer} {
		var link struct{ URL string }
		if err := v.Call(ctx, http.MethodPost, "/api/sessions/"+s.ID+"/invitations", map[string]any{"role": role}, &link); err != nil {
			return s, fmt.Errorf("invite to a session: %w", err)
		}
		var err error
		if _, s.Tokens[role], err = token(link.URL, "/s/"); err != nil {
			return s, err
		}
	}
	return s, nil
}

const emptyWithin = time.Minute // four times as long as a lost member may take to come back

// Remove deletes a session, as soon as nobody is inside.
func (v *Visitor) Remove(ctx context.Context, s *Session) error {
	for deadline := time.Now().Add(emptyWithin); ; {
		err := v.Call(ctx, http.MethodDelete, "/api/sessions/"+s.ID, nil, nil)
		var r *refusal
		if !errors.As(err, &r) || r.status != http.StatusConflict || time.Now().After(deadline) {
			return err
		}
		if err := Pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// token is what a link has behind its # sign, after one of the paths.
func token(link string, paths ...string) (path, token string, err error) {
	u, err := url.Parse(link)
	if err == nil && u.Fragment != "" {
		for _, p := range paths {
			if strings.HasPrefix(u.Path, p) {
				return u.Path, u.Fragment, nil
			}
		}
	}
	return "", "", fmt.Errorf("the link %q is not one of %s#…", link, strings.Join(paths, "#… or "))
}
