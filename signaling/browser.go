package signaling

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

const (
	cookieName   = "pausepoint"
	cookieLife   = 30 * 24 * time.Hour
	maxGuestings = 200 // sessions that one browser may be a guest of; the rest would only swell its row
	keyAccount   = "account"
	keyGuest     = "guest"
	keyName      = "browser" // of the browser, which stays the same when its token is renewed
)

// guestings are the members that a browser without an account is, by session.
type guestings map[string]string

// browsers keeps what the server knows of each browser: whose account is signed in, and which guests it is. The cookie holds
// a random token, of which the store holds a hash. Nothing is kept in a request's context: whoever asks twice,
// asks the store twice, so that signing out counts at once.
type browsers struct {
	manager *scs.SessionManager
	forward forwarding
}

func newBrowsers(store scs.Store, forward forwarding) *browsers {
	m := scs.New()
	m.Store, m.HashTokenInStore = store, true
	m.Lifetime = cookieLife
	m.Cookie.Name = cookieName
	m.Cookie.HttpOnly, m.Cookie.SameSite, m.Cookie.Path = true, http.SameSiteLaxMode, "/"
	return &browsers{manager: m, forward: forward}
}

// browser is one browser, as its row in the store was when it was read.
type browser struct {
	ctx context.Context //nolint:containedctx // scs keeps a row in a context
	all *browsers
}

// of reads the row of the browser that made the request; a new one if it has none.
func (b *browsers) of(r *http.Request) (*browser, error) {
	token := ""
	if cookie, err := r.Cookie(cookieName); err == nil && len(cookie.Value) < 128 {
		token = cookie.Value
	}
	ctx, err := b.manager.Load(r.Context(), token)
	if err != nil {
		return nil, fmt.Errorf("read what is known of the browser: %w", err)
	}
	return &browser{ctx: ctx, all: b}, nil
}

// account is the id of the account that is signed in; empty if none is.
func (b *browser) account() string { return b.all.manager.GetString(b.ctx, keyAccount) }

// name tells the browser from others; empty for one that nobody has signed in or entered with.
func (b *browser) name() string { return b.all.manager.GetString(b.ctx, keyName) }

// baptise gives the browser a name, if it has none.
func (b *browser) baptise() {
	if b.name() == "" {
		b.all.manager.Put(b.ctx, keyName, rand.Text())
	}
}

// guests are the members that the browser is as a guest. They are kept as JSON: what is in the store then does not depend on Go's names.
func (b *browser) guests() guestings {
	var g guestings
	if text := b.all.manager.GetString(b.ctx, keyGuest); text == "" || json.Unmarshal([]byte(text), &g) != nil {
		return nil
	}
	return g
}

// signIn makes the browser that of an account, under a new token: one that somebody planted is worth nothing.
func (b *browser) signIn(account string) error {
	if err := b.all.manager.RenewToken(b.ctx); err != nil {
		return fmt.Errorf("renew the token of the browser: %w", err)
	}
	b.all.manager.Put(b.ctx, keyAccount, account)
	b.baptise()
	return nil
}

// signOut forgets the browser, its guests too.
func (b *browser) signOut() error {
	if err := b.all.manager.Destroy(b.ctx); err != nil {
		return fmt.Errorf("forget the browser: %w", err)
	}
	return nil
}

// enter makes the browser a guest of a session.
func (b *browser) enter(session, member string) error {
	next := guestings{session: member}
	for s, m := range b.guests() {
		if len(next) < maxGuestings && s != session {
			next[s] = m
		}
	}
	if err := b.all.manager.RenewToken(b.ctx); err != nil {
		return fmt.Errorf("renew the token of the browser: %w", err)
	}
	text, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("write the guests of the browser: %w", err)
	}
	b.all.manager.Put(b.ctx, keyGuest, string(text))
	b.baptise()
	return nil
}

// save writes the row back and sets the cookie. It comes before anything else is written to w.
func (b *browser) save(w http.ResponseWriter, r *http.Request) error {
	m := b.all.manager
	cookie := &http.Cookie{
		Name: cookieName, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: b.all.forward.secure(r), MaxAge: -1,
	}
	switch m.Status(b.ctx) {
	case scs.Unmodified:
		return nil
	case scs.Modified:
		token, _, err := m.Commit(b.ctx)
		if err != nil {
			return fmt.Errorf("keep what is known of the browser: %w", err)
		}
		cookie.Value, cookie.MaxAge = token, int(cookieLife/time.Second)
	case scs.Destroyed:
	}
	http.SetCookie(w, cookie)
	return nil
}
