package store_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store"
)

func someone(token, name string) account.NewAccount {
	return account.NewAccount{Token: token, Name: name, Email: name + "@school.example", Password: goodPassword}
}

func TestFirstAccount(t *testing.T) { everywhere(t, testFirstAccount) }

func testFirstAccount(t *testing.T, at place) {
	w := newWorld(t, at)
	old, err := w.people.SetupToken(w.ctx)
	w.must(err)
	token, err := w.people.SetupToken(w.ctx) // the server started again
	w.must(err)
	if len(token) < 43 || token == old {
		t.Errorf("setup tokens %q and %q", old, token)
	}
	_, err = w.people.SetUp(w.ctx, someone(old, "ana"))
	refused(t, err, "forbidden")
	_, err = w.people.Join(w.ctx, someone(token, "ana")) // not that sort of invitation
	refused(t, err, "forbidden")

	a, err := w.people.SetUp(w.ctx, someone(token, "ana"))
	w.must(err)
	if !a.Admin || a.Name != "ana" || a.Email != "ana@school.example" {
		t.Errorf("made %+v", a)
	}
	_, err = w.people.SetUp(w.ctx, someone(token, "bea"))
	refused(t, err, "forbidden")
	if token, err = w.people.SetupToken(w.ctx); err != nil || token != "" {
		t.Errorf("another setup token %q, %v", token, err)
	}
	if needed, err := w.people.NeedsSetup(w.ctx); err != nil || needed {
		t.Errorf("setup is still needed: %v, %v", needed, err)
	}
}

func TestInvitationIsGoodOnce(t *testing.T) { everywhere(t, testInvitationIsGoodOnce) }

func testInvitationIsGoodOnce(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	token, expires, err := w.people.Invite(w.ctx, ana.ID, " Bea@School.Example ")
	w.must(err)
	if left := time.Until(expires); left > account.InvitationLife || left < account.InvitationLife-time.Hour {
		t.Errorf("expires in %v", left)
	}
	var made atomic.Int32
	var all sync.WaitGroup
	for _, name := range []string{"bea", "bob", "ben", "bix"} {
		all.Go(func() {
			switch _, err := w.people.Join(w.ctx, someone(token, name)); {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, account.ErrSpent):
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 {
		t.Errorf("%d accounts from one invitation", made.Load())
	}
}

func TestInvitationExpires(t *testing.T) { everywhere(t, testInvitationExpires) }

func testInvitationExpires(t *testing.T, at place) {
	w := newWorld(t, at)
	past := time.Now().UTC().Add(-time.Hour)
	inv := account.Invitation{Hash: account.HashToken("late"), Created: past, Expires: past.Add(time.Minute)}
	w.must(w.store.AddInvitation(w.ctx, inv))
	_, err := w.people.Join(w.ctx, someone("late", "ana"))
	refused(t, err, "forbidden")
	err = w.store.AddAccount(w.ctx, account.Account{ID: newID(), Email: "x@y.example", Created: time.Now()}, "x", inv.Hash)
	refused(t, err, "forbidden")
}

func TestJoinRefusesAndKeepsTheInvitation(t *testing.T) {
	everywhere(t, testJoinRefusesAndKeepsTheInvitation)
}

func testJoinRefusesAndKeepsTheInvitation(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	token, _, err := w.people.Invite(w.ctx, ana.ID, "")
	w.must(err)
	for name, change := range map[string]func(*account.NewAccount){
		"short password":    func(n *account.NewAccount) { n.Password = "ninechars" },
		"long password":     func(n *account.NewAccount) { n.Password = strings.Repeat("ä", 257) },
		"password no text":  func(n *account.NewAccount) { n.Password = strings.Repeat("\xff", 12) },
		"email as password": func(n *account.NewAccount) { n.Password = n.Email },
		"no name":           func(n *account.NewAccount) { n.Name = " \u202e\t" },
		"long name":         func(n *account.NewAccount) { n.Name = strings.Repeat("a", 81) },
		"no email":          func(n *account.NewAccount) { n.Email = "bea" },
		"email with name":   func(n *account.NewAccount) { n.Email = "Bea <bea@school.example>" },
		"email with line":   func(n *account.NewAccount) { n.Email = "bea@school.example\nbcc: x" },
	} {
		n := someone(token, "bea")
		change(&n)
		_, err := w.people.Join(w.ctx, n)
		var p *event.Problem
		if !errors.As(err, &p) || p.Code != "invalid" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	taken := someone(token, "bea")
	taken.Email = "ANA@school.example"
	_, err = w.people.Join(w.ctx, taken)
	refused(t, err, "conflict")
	if _, err = w.people.Join(w.ctx, someone(token, "bea")); err != nil {
		t.Errorf("the invitation was lost: %v", err)
	}
}

func TestSignIn(t *testing.T) { everywhere(t, testSignIn) }

func testSignIn(t *testing.T, at place) {
	w := newWorld(t, at)
	token, err := w.people.SetupToken(w.ctx)
	w.must(err)
	ana, err := w.people.SetUp(w.ctx, someone(token, "ana"))
	w.must(err)
	a, err := w.people.SignIn(w.ctx, somewhere, " ANA@school.example", goodPassword)
	if err != nil || a.ID != ana.ID {
		t.Errorf("signed in as %+v, %v", a, err)
	}
	for name, try := range map[string][2]string{
		"wrong password": {"ana@school.example", goodPassword + "."},
		"no password":    {"ana@school.example", ""},
		"unknown":        {"bea@school.example", goodPassword},
		"no email":       {"", goodPassword},
		"huge password":  {"ana@school.example", strings.Repeat("x", 1<<20)},
	} {
		if _, err := w.people.SignIn(w.ctx, somewhere, try[0], try[1]); !errors.Is(err, account.ErrSignIn) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestGuessingAPasswordEnds(t *testing.T) { everywhere(t, testGuessingAPasswordEnds) }

func testGuessingAPasswordEnds(t *testing.T, at place) {
	w := newWorld(t, at)
	var wait account.RetryAfter
	tries := 0
	for ; tries < 50; tries++ {
		_, err := w.people.SignIn(w.ctx, somewhere, "ana@school.example", goodPassword)
		if errors.As(err, &wait) {
			refused(t, err, "too_many")
			break
		}
		if !errors.Is(err, account.ErrSignIn) {
			t.Fatal(err)
		}
	}
	if tries < 5 || tries > 20 || wait <= 0 {
		t.Errorf("stopped after %d tries, for %v", tries, time.Duration(wait))
	}
	if _, err := w.people.SignIn(w.ctx, somewhere, "bea@school.example", goodPassword); !errors.Is(err, account.ErrSignIn) {
		t.Errorf("somebody else at the same school gets %v", err)
	}
}

// Guests who take a link and never come in do not fill a session for good. Who came in, was sent out, prepared a note or has an
// account stays known.
func TestGuestsWhoNeverComeInAreForgotten(t *testing.T) {
	everywhere(t, testGuestsWhoNeverComeInAreForgotten)
}

func testGuestsWhoNeverComeInAreForgotten(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	bea := w.account("bea")
	id := w.plan(ana, account.NewSession{}).Plan.ID
	long := time.Now().Add(-account.GuestLife - time.Minute)
	add := func(name, by string, created time.Time) account.Member {
		m, err := w.store.AddMember(w.ctx, account.Member{
			ID: newID(), Session: id, Account: by, Name: name, Role: event.Coach, Invited: event.Coach, Created: created,
		}, account.MaxMembers)
		w.must(err)
		return m
	}
	came, sent, wrote := add("came", "", long), add("sent", "", long), add("wrote", "", long)
	add("bea", bea.ID, long)
	add("young", "", time.Now().Add(-account.GuestLife+time.Hour))
	w.begin(id)
	w.journal(id, event.MemberJoined{Member: event.Member{ID: came.ID, Role: event.Coach, Presence: event.Here}},
		event.MemberRemoved{Member: event.Member{ID: sent.ID, Role: event.Coach, Presence: event.Left}})
	_, _, err := w.store.UpdatePlan(w.ctx, id, func(p *account.Plan, _ account.Standing) error {
		p.Notes = map[string][]account.PlannedNote{wrote.ID: {{ID: newID(), Text: "look at the hands"}}}
		return nil
	})
	w.must(err)
	for range 5 {
		add("never", "", long)
	}
	const stay = 6 // the planner and those above
	members := func(s *store.Store) int {
		list, err := s.ListMembers(w.ctx, id)
		w.must(err)
		return len(list)
	}
	if n := members(w.store); n != stay+5 {
		t.Fatalf("%d members", n)
	}
	guest := account.Member{ID: newID(), Session: id, Name: "one more", Role: event.Coach, Invited: event.Coach, Created: time.Now()}
	_, err = w.store.AddMember(w.ctx, guest, stay)
	refused(t, err, "full")
	_, err = w.store.AddMember(w.ctx, guest, stay+1)
	w.must(err)
	if n := members(w.store); n != stay+1 {
		t.Errorf("%d members are left", n)
	}

	add("never", "", long)
	again := open(t, at) // it sweeps when it opens
	if n := members(again); n != stay+1 {
		t.Errorf("%d members are left after a start", n)
	}
}
