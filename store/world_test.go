package store_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store"
)

const goodPassword = "four words in a row"

var somewhere = netip.MustParseAddr("192.0.2.7")

// world is a house with a store on the disk.
type world struct {
	t        *testing.T
	ctx      context.Context
	store    *store.Store
	people   *account.People
	sessions *account.Sessions
	epochs   map[string]int64 // of the sessions that were owned
}

func newWorld(t *testing.T, at place) *world {
	t.Helper()
	return worldOf(t, open(t, at))
}

func worldOf(t *testing.T, s *store.Store) *world {
	return &world{
		t: t, ctx: t.Context(), store: s, people: account.NewPeople(s, s, quiet()), sessions: sessionsOf(s), epochs: map[string]int64{},
	}
}

func sessionsOf(s *store.Store) *account.Sessions {
	return account.NewSessions(account.Config{Plans: s, Members: s, Links: s, Library: s, Practice: clip.PracticeID, Log: quiet()})
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func open(t *testing.T, at place) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), at.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// account makes an account without the cost of a password.
func (w *world) account(name string) account.Account {
	w.t.Helper()
	a := account.Account{ID: newID(), Name: name, Email: name + "@school.example", Created: time.Now().UTC()}
	inv := account.Invitation{Hash: account.HashToken(a.ID), Created: a.Created, Expires: a.Created.Add(time.Hour)}
	w.must(w.store.AddInvitation(w.ctx, inv))
	w.must(w.store.AddAccount(w.ctx, a, "x", inv.Hash))
	return a
}

// clip puts a prepared clip of 10 s at 25 frames a second there; of nobody, it is the practice clip.
func (w *world) clip(owner string) clip.Clip {
	w.t.Helper()
	c := clip.Clip{
		ID: newID(), Owner: owner, Title: "Lesson", Purpose: clip.DefaultPurpose, Practice: owner == "", Created: time.Now().UTC(),
		State: clip.Ready, Duration: 10_000_000, Frames: 250, FPSNum: 25, FPSDen: 1, To: 10_000_000, Width: 1280, Height: 720,
	}
	if owner == "" {
		c.ID = clip.PracticeID
	}
	w.must(w.store.InsertClip(w.ctx, c))
	return c
}

func (w *world) plan(by account.Account, n account.NewSession) account.Card {
	w.t.Helper()
	card, err := w.sessions.Create(w.ctx, by, n)
	w.must(err)
	return card
}

// enter shows the link of a role at the door, as an account or as a guest with a name, and returns who that is then.
func (w *world) enter(session string, role event.Role, by *account.Account, name string) (account.Identity, account.Member) {
	w.t.Helper()
	who := account.Identity{Guest: map[string]string{}}
	if by != nil {
		who.Account = by.ID
	}
	e, err := w.sessions.Enter(w.ctx, who, by, session, w.token(session, role), name)
	w.must(err)
	if by == nil {
		who.Guest[session] = e.Member.ID
	}
	return who, *e.Member
}

// token returns the token of a role's link, which it makes if there is none.
func (w *world) token(session string, role event.Role) string {
	w.t.Helper()
	links, err := w.store.ListLinks(w.ctx, session)
	w.must(err)
	for _, l := range links {
		if l.Role == role {
			return l.Token
		}
	}
	l := account.NewLink(session, role, time.Now())
	w.must(w.store.PutLink(w.ctx, l))
	return l.Token
}

// journal appends bodies to a session's journal, a second apart, and waits until they are stored.
func (w *world) journal(session string, bodies ...event.Body) {
	w.t.Helper()
	stored, err := w.store.Load(w.ctx, session)
	w.must(err)
	var events []event.Event
	for _, b := range bodies {
		n := int64(len(stored) + len(events))
		events = append(events, event.Event{Seq: n + 1, At: n * 1000, Body: b})
	}
	w.must(w.append(session, events...))
}

// begin opens a session's journal.
func (w *world) begin(session string) {
	w.t.Helper()
	w.journal(session, event.SessionOpened{Session: event.Session{ID: session, Opened: time.Now().UnixMilli()}})
}

// append appends as the session's owner, which it becomes the first time.
func (w *world) append(session string, events ...event.Event) error {
	if w.epochs[session] == 0 {
		epoch, err := w.store.Own(w.ctx, session)
		if err != nil {
			return err
		}
		w.epochs[session] = epoch
	}
	return appendAll(w.store, session, w.epochs[session], events...)
}

func own(t testing.TB, s *store.Store, session string) int64 {
	t.Helper()
	epoch, err := s.Own(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	return epoch
}

func appendAll(s room.Journal, session string, epoch int64, events ...event.Event) error {
	done := make(chan error, 1)
	s.Append(session, epoch, events, func(err error) { done <- err })
	return <-done
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// refused checks the code of a problem.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	var p *event.Problem
	if !errors.As(err, &p) || p.Code != code {
		t.Errorf("got error %v, want the code %q", err, code)
	}
}

func as(a account.Account) account.Identity { return account.Identity{Account: a.ID} }

func withClip(c clip.Clip) account.Change {
	return account.Change{Clip: account.Optional[string]{Set: true, Value: &c.ID}}
}
