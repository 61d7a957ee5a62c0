package signaling

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/room/event"
)

const (
	maxRegulars   = 10_000
	regularWithin = 2 * time.Second // that the database has to answer for somebody who is known without it
)

// regulars remembers who was let into a call. Whoever loses their connection while the database is away comes in again by it, as long as the
// call has not seen them leave. Its methods may be called from any goroutine.
type regulars struct {
	mu    sync.Mutex // guards below
	known map[regularKey]regular
}

type regularKey struct {
	token   [sha256.Size]byte // hash of the cookie's
	session string
}

type regular struct {
	member  account.Member
	browser string // its name
}

func newRegulars() *regulars { return &regulars{known: map[regularKey]regular{}} }

func (rs *regulars) put(key regularKey, who regular) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if len(rs.known) >= maxRegulars {
		clear(rs.known)
	}
	rs.known[key] = who
}

func (rs *regulars) get(key regularKey) (regular, bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	who, ok := rs.known[key]
	return who, ok
}

// signedOut forgets a browser that nobody is signed in with any more.
func (rs *regulars) signedOut(browser string) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for key, who := range rs.known {
		if who.browser == browser {
			delete(rs.known, key)
		}
	}
}

// memberIn finds who comes to a session, and the name of their browser.
func (s *Server) memberIn(r *http.Request, session string) (account.Member, string, error) {
	cookie, err := r.Cookie(cookieName)
	if err != nil { // without one they are nobody
		who, err := s.askMember(r, session)
		return who.member, who.browser, err
	}
	key := regularKey{sha256.Sum256([]byte(cookie.Value)), session}
	known, ok := s.regulars.get(key)
	if ok = ok && s.isInside(known.member); ok {
		ctx, cancel := context.WithTimeout(r.Context(), regularWithin)
		defer cancel()
		r = r.WithContext(ctx)
	}
	who, err := s.askMember(r, session)
	var refused *event.Problem
	switch {
	case err == nil:
		s.regulars.put(key, who)
	case ok && !errors.As(err, &refused):
		return known.member, known.browser, nil
	}
	return who.member, who.browser, err
}

func (s *Server) askMember(r *http.Request, session string) (regular, error) {
	who, err := s.caller(r)
	if err != nil {
		return regular{}, err
	}
	m, err := s.sessions.MemberOf(r.Context(), who.Identity, session)
	return regular{m, who.browser.name()}, err
}

// isInside reports whether a member is in a call here, or away for a moment.
func (s *Server) isInside(m account.Member) bool {
	live, ok := s.calls.house.Live(m.Session)
	return ok && slices.ContainsFunc(live.Inside(), func(in event.Member) bool { return in.ID == m.ID })
}
