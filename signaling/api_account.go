package signaling

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/room/event"
)

// caller is who makes a request, and through which browser.
type caller struct {
	account.Identity

	browser *browser
}

// caller reads who makes a request, as it is at this moment.
func (s *Server) caller(r *http.Request) (caller, error) {
	b, err := s.browsers.of(r)
	if err != nil {
		return caller{}, err
	}
	return caller{Identity: account.Identity{Account: b.account(), Guest: b.guests()}, browser: b}, nil
}

// by is a handler that knows who makes the request.
func (s *Server) by(h func(w http.ResponseWriter, r *http.Request, who caller) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := s.caller(r)
		if err != nil {
			return err
		}
		return h(w, r, who)
	}
}

// signedIn is a caller with an account; errSignIn for anybody else.
func (s *Server) signedIn(r *http.Request) (caller, account.Account, error) {
	c, err := s.caller(r)
	if err != nil {
		return c, account.Account{}, err
	}
	a, err := s.accountOf(r, c)
	if err == nil && a == nil {
		err = errSignIn
	}
	if err != nil {
		return c, account.Account{}, err
	}
	return c, *a, nil
}

// accountOf returns the caller's account; nil if there is none.
func (s *Server) accountOf(r *http.Request, c caller) (*account.Account, error) {
	if c.Account == "" {
		return nil, nil
	}
	a, err := s.people.Account(r.Context(), c.Account)
	if errors.Is(err, account.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &a, nil
}

type accountJSON struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Admin bool   `json:"admin"`
}

type meJSON struct {
	Account *accountJSON `json:"account"`
	Setup   bool         `json:"setup"`
}

type linkJSON struct {
	URL     string    `json:"url"`
	Expires time.Time `json:"expires,omitzero"`
}

func (s *Server) me(w http.ResponseWriter, r *http.Request, c caller) error {
	a, err := s.accountOf(r, c)
	if err != nil {
		return err
	}
	if a != nil {
		writeJSON(w, http.StatusOK, meOf(*a))
		return nil
	}
	setup, err := s.people.NeedsSetup(r.Context())
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, meJSON{Setup: setup})
	return nil
}

func meOf(a account.Account) meJSON {
	return meJSON{Account: &accountJSON{ID: a.ID, Name: a.Name, Email: a.Email, Admin: a.Admin}}
}

// newAccount makes an account, with one of the ways to come by one, and signs it in.
func (s *Server) newAccount(add func(context.Context, account.NewAccount) (account.Account, error)) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var n account.NewAccount
		if err := readJSON(w, r, &n); err != nil {
			return err
		}
		a, err := add(r.Context(), n)
		if err != nil {
			return err
		}
		return s.signInAs(w, r, a)
	}
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	a, err := s.people.SignIn(r.Context(), s.forward.client(r), body.Email, body.Password)
	if err != nil {
		setRetryAfter(w, err)
		return err
	}
	return s.signInAs(w, r, a)
}

// setRetryAfter tells when to come back (RFC 9110 section 10.2.3), if the error knows.
func setRetryAfter(w http.ResponseWriter, err error) {
	var wait account.RetryAfter
	if errors.As(err, &wait) {
		w.Header().Set("Retry-After", seconds(time.Duration(wait)))
	}
}

func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

func (s *Server) signInAs(w http.ResponseWriter, r *http.Request, a account.Account) error {
	b, err := s.browsers.of(r)
	if err != nil {
		return err
	}
	if err := b.signIn(a.ID); err != nil {
		return err
	}
	if err := b.save(w, r); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, meOf(a))
	return nil
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	b, err := s.browsers.of(r)
	if err != nil {
		return err
	}
	name := b.name()
	if err := b.signOut(); err != nil {
		return err
	}
	s.signedOut(name)
	if err := b.save(w, r); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) invite(w http.ResponseWriter, r *http.Request) error {
	_, a, err := s.signedIn(r)
	if err != nil {
		return err
	}
	var body struct {
		Email string `json:"email"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	token, expires, err := s.people.Invite(r.Context(), a.ID, body.Email)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, linkJSON{URL: "/join#" + token, Expires: expires})
	return nil
}

// limited lets each address call h only so often.
func (s *Server) limited(l *limiter, h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if wait, ok := l.take(s.forward.client(r)); !ok {
			w.Header().Set("Retry-After", seconds(wait))
			return event.Errorf("too_many", "Too many tries. Wait a little and try again.")
		}
		return h(w, r)
	}
}
