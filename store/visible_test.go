package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/room/event"
)

func TestWhoSeesWhat(t *testing.T) { everywhere(t, testWhoSeesWhat) }

func testWhoSeesWhat(t *testing.T, at place) {
	w := newWorld(t, at)
	owner, member, stranger, removed := w.account("owner"), w.account("member"), w.account("stranger"), w.account("removed")
	practice, mine, other := w.clip(""), w.clip(owner.ID), w.clip(owner.ID)
	id := w.plan(owner, account.NewSession{Change: withClip(mine)}).Plan.ID
	asMember, _ := w.enter(id, event.Peer, &member, "")
	asGuest, _ := w.enter(id, event.Observer, nil, "Gus")
	asRemoved, m := w.enter(id, event.Peer, &removed, "")
	asOut, g := w.enter(id, event.Peer, nil, "Out")
	w.begin(id)
	w.journal(id, event.MemberRemoved{Member: event.Member{ID: m.ID, Role: event.Peer, Presence: event.Left}},
		event.MemberRemoved{Member: event.Member{ID: g.ID, Role: event.Peer, Presence: event.Left}})
	both := account.Identity{Account: removed.ID, Guest: asGuest.Guest} // sent out, with a guest's cookie

	for name, c := range map[string]struct {
		who                            account.Identity
		session, mine, other, practice bool
	}{
		"owner":                    {as(owner), true, true, true, true},
		"member":                   {asMember, true, true, false, true},
		"guest":                    {asGuest, true, true, false, false},
		"stranger":                 {as(stranger), false, false, false, true},
		"removed":                  {asRemoved, false, false, false, true},
		"removed guest":            {asOut, false, false, false, false},
		"nobody":                   {account.Identity{}, false, false, false, false},
		"guest of another session": {account.Identity{Guest: map[string]string{newID(): asMember.Account}}, false, false, false, false},
		"member's id as a guest's": {account.Identity{Guest: map[string]string{id: memberID(w, id, member)}}, false, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			sees := func(clip string) bool {
				ok, err := w.sessions.MaySeeClip(w.ctx, c.who, clip)
				w.must(err)
				return ok
			}
			if sees(mine.ID) != c.mine || sees(other.ID) != c.other || sees(practice.ID) != c.practice || sees(newID()) {
				t.Errorf("sees %v, %v, %v", sees(mine.ID), sees(other.ID), sees(practice.ID))
			}
			cards, err := w.sessions.Cards(w.ctx, c.who)
			w.must(err)
			_, err = w.sessions.Card(w.ctx, c.who, id)
			_, doorErr := w.sessions.Door(w.ctx, c.who, id)
			if (len(cards) == 1) != c.session || (err == nil) != c.session || (doorErr == nil) != c.session {
				t.Errorf("has %d cards, %v, %v", len(cards), err, doorErr)
			}
			if !c.session {
				refused(t, err, "not_found")
				refused(t, doorErr, "not_found")
			}
		})
	}
	if ok, err := w.sessions.MaySeeClip(w.ctx, both, mine.ID); err != nil || ok {
		t.Errorf("who was sent out sees the clip as a guest: %v, %v", ok, err)
	}
	viewers, err := w.sessions.ClipViewers(w.ctx, []string{mine.ID, other.ID})
	if got := fmt.Sprint(viewers[mine.ID], viewers[other.ID]); err != nil || got != "[Gus member] []" {
		t.Errorf("viewers %s, %v", got, err)
	}
}

func memberID(w *world, session string, a account.Account) string {
	w.t.Helper()
	m, err := w.store.FindMember(w.ctx, session, a.ID)
	w.must(err)
	return m.ID
}

func TestEntering(t *testing.T) { everywhere(t, testEntering) }

func testEntering(t *testing.T, at place) {
	w := newWorld(t, at)
	ana, bea := w.account("ana"), w.account("bea")
	id := w.plan(ana, account.NewSession{}).Plan.ID
	nobody := account.Identity{}

	_, err := w.sessions.Enter(w.ctx, nobody, nil, id, "wrong", "Gus")
	refused(t, err, "not_found")
	_, err = w.sessions.Enter(w.ctx, nobody, nil, newID(), w.token(id, event.Peer), "Gus")
	refused(t, err, "not_found")
	_, err = w.sessions.Enter(w.ctx, nobody, nil, id, w.token(id, event.Peer), " \u202e")
	refused(t, err, "invalid")

	e, err := w.sessions.Enter(w.ctx, nobody, nil, id, w.token(id, event.Coach), "")
	if err != nil || e.Member != nil || e.Role != event.Coach || len(e.People) != 1 || e.Observers {
		t.Errorf("before a name: %+v, %v", e, err)
	}
	_, watching := w.enter(id, event.Observer, &bea, "")
	_, coaching := w.enter(id, event.Coach, &bea, "")
	_, still := w.enter(id, event.Peer, &bea, "")
	if watching.ID != coaching.ID || still.ID != coaching.ID || coaching.Role != event.Coach || still.Role != event.Coach {
		t.Errorf("went in as %+v, %+v, %+v", watching, coaching, still)
	}
	gus, first := w.enter(id, event.Peer, nil, "Gus")
	e, err = w.sessions.Enter(w.ctx, gus, nil, id, w.token(id, event.Peer), "Gustav")
	if err != nil || e.Member.ID != first.ID || e.Member.Name != "Gus" || !e.Member.Guest() || e.Invited()[event.Peer] != 1 || !e.Observers {
		t.Errorf("came back as %+v, %v", e, err)
	}
}

func TestAReplacedLinkLetsNobodyIn(t *testing.T) { everywhere(t, testAReplacedLinkLetsNobodyIn) }

func testAReplacedLinkLetsNobodyIn(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	id := w.plan(ana, account.NewSession{}).Plan.ID
	old := w.token(id, event.Peer)
	peer, _ := w.enter(id, event.Peer, nil, "Pia")
	_, err := w.sessions.ReplaceLink(w.ctx, peer, id, event.Peer)
	refused(t, err, "forbidden")
	_, err = w.sessions.Links(w.ctx, peer, id)
	refused(t, err, "forbidden")
	_, err = w.sessions.ReplaceLink(w.ctx, as(ana), id, "owner")
	refused(t, err, "invalid")
	l, err := w.sessions.ReplaceLink(w.ctx, as(ana), id, event.Peer)
	w.must(err)
	_, err = w.sessions.Enter(w.ctx, account.Identity{}, nil, id, old, "Max")
	refused(t, err, "not_found")
	_, err = w.sessions.Enter(w.ctx, account.Identity{}, nil, id, l.Token, "Max")
	w.must(err)
	_, err = w.sessions.Door(w.ctx, peer, id) // who is in stays in
	w.must(err)
	links, err := w.sessions.Links(w.ctx, as(ana), id)
	w.must(err)
	roles := []event.Role{}
	for _, l := range links {
		roles = append(roles, l.Role)
	}
	if !slices.Equal(roles, []event.Role{event.Coach, event.Facilitator, event.Peer}) {
		t.Errorf("links for %v", roles)
	}
}

func TestWhoWasRemovedStaysOut(t *testing.T) { everywhere(t, testWhoWasRemovedStaysOut) }

func testWhoWasRemovedStaysOut(t *testing.T, at place) {
	w := newWorld(t, at)
	ana, bea := w.account("ana"), w.account("bea")
	id := w.plan(ana, account.NewSession{}).Plan.ID
	token := w.token(id, event.Peer)
	who, m := w.enter(id, event.Peer, &bea, "")
	w.begin(id)
	w.journal(id, event.MemberRemoved{Member: event.Member{ID: m.ID, Role: event.Peer, Presence: event.Left}})

	_, err := w.sessions.Enter(w.ctx, who, &bea, id, token, "")
	refused(t, err, "forbidden")
	_, err = w.sessions.Enter(w.ctx, account.Identity{}, nil, id, token, "Somebody else") // the same link, another name
	refused(t, err, "not_found")
	_, err = w.sessions.MemberOf(w.ctx, who, id)
	refused(t, err, "forbidden")
	w.enter(id, event.Peer, nil, "Pia") // the link was replaced, not taken away
	if card, err := w.sessions.Card(w.ctx, as(ana), id); err != nil || len(card.People) != 2 {
		t.Errorf("people are %+v, %v", card.People, err)
	}
}

func TestASessionThatIsOverTakesNobodyIn(t *testing.T) {
	everywhere(t, testASessionThatIsOverTakesNobodyIn)
}

func testASessionThatIsOverTakesNobodyIn(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	id := w.plan(ana, account.NewSession{}).Plan.ID
	token := w.token(id, event.Peer)
	peer, _ := w.enter(id, event.Peer, nil, "Pia")
	w.begin(id)
	w.journal(id, event.SessionEnded{Session: event.Session{ID: id, Ended: 1000}})
	_, err := w.sessions.Enter(w.ctx, account.Identity{}, nil, id, token, "Max")
	refused(t, err, "forbidden")
	_, err = w.sessions.Enter(w.ctx, peer, nil, id, token, "")
	w.must(err)
}

func TestCardsFollowTheJournal(t *testing.T) { everywhere(t, testCardsFollowTheJournal) }

func testCardsFollowTheJournal(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	id := w.plan(ana, account.NewSession{}).Plan.ID
	coach, m := w.enter(id, event.Coach, nil, "Carl")
	me := memberID(w, id, ana)
	here := func(id string, role event.Role) event.MemberJoined {
		return event.MemberJoined{Member: event.Member{ID: id, Role: role, Presence: event.Here}}
	}
	note := func(id, author string, v event.Visibility) event.NoteAdded {
		return event.NoteAdded{Note: event.Note{ID: id, Author: author, Visibility: v}}
	}
	w.begin(id)
	w.journal(id,
		here(me, event.Focal), here(m.ID, event.Coach), // 1 s, 2 s
		event.RecordingChanged{Recording: event.Recording{State: event.RecordingOn}}, // 3 s
		event.HoldBegan{Hold: event.Hold{ID: "h"}},
		note("a", me, event.Private), note("b", me, event.Shared), note("c", m.ID, event.Coaches),
		note("d", m.ID, event.Shared), event.NoteRemoved{ID: "d"},
		event.NoteEdited{Note: event.Note{ID: "b", Author: me, Visibility: event.Private}},
		event.RecordingChanged{Recording: event.Recording{State: event.OffTheRecord}}, // 11 s
		event.RecordingChanged{Recording: event.Recording{State: event.RecordingOn}},
		event.MemberLost{Member: event.Member{ID: me, Role: event.Focal, Presence: event.Away}},
		event.MemberChanged{Member: event.Member{ID: m.ID, Role: event.Peer, Presence: event.Here}}, // 14 s
	)
	mine, err := w.sessions.Card(w.ctx, as(ana), id)
	w.must(err)
	s := mine.Standing
	if s.State() != "live" || s.Duration != 14_000 || s.Inside != 1 || s.Notes != 2 || s.Pauses != 1 || s.RecordedFor != 10_000 {
		t.Errorf("stands at %+v", s)
	}
	theirs, err := w.sessions.Card(w.ctx, coach, id)
	w.must(err)
	if theirs.Standing.Notes != 1 || theirs.You.Role != event.Peer || !theirs.You.Arrived {
		t.Errorf("the guest has %d notes, is %+v", theirs.Standing.Notes, theirs.You)
	}
	w.journal(id, event.SessionEnded{})
	if mine, err = w.sessions.Card(w.ctx, as(ana), id); err != nil || mine.Standing.State() != "ended" || mine.Standing.Inside != 0 {
		t.Errorf("ended as %+v, %v", mine.Standing, err)
	}
}

func TestNobodyIsInsideAfterAStart(t *testing.T) { everywhere(t, testNobodyIsInsideAfterAStart) }

func testNobodyIsInsideAfterAStart(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	id := w.plan(ana, account.NewSession{}).Plan.ID
	w.begin(id)
	w.journal(id, event.MemberJoined{Member: event.Member{ID: memberID(w, id, ana), Role: event.Focal, Presence: event.Here}})
	if _, standing, err := open(t, at).GetPlan(w.ctx, id); err != nil || standing.Inside != 0 || standing.State() != "live" {
		t.Errorf("stands at %+v, %v", standing, err)
	}
}

func TestCardsAreNewestFirst(t *testing.T) { everywhere(t, testCardsAreNewestFirst) }

func testCardsAreNewestFirst(t *testing.T, at place) {
	w := newWorld(t, at)
	ana := w.account("ana")
	var want []string
	for _, body := range []string{`{"scheduled":"2040-01-02T00:00:00Z"}`, `{"scheduled":"2040-01-01T00:00:00Z"}`, `{}`, `{"scheduled":"2021-01-01T00:00:00Z"}`} {
		want = append(want, w.plan(ana, account.NewSession{Change: change(t, body)}).Plan.ID)
	}
	cards, err := w.sessions.Cards(w.ctx, as(ana))
	w.must(err)
	for i, c := range cards {
		if c.Plan.ID != want[i] {
			t.Errorf("card %d is %+v", i, c.Plan)
		}
	}
}
