package room

import (
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

func watching(t *testing.T, m *sim, id string) event.Watching {
	t.Helper()
	who, ok := m.s.view.Member(id)
	if !ok {
		t.Fatalf("%s is not a member", id)
	}
	return who.Watching
}

func TestWhoLooksAroundIsNotWaitedFor(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	wantNames(t, m.do(peer, event.MemberWatch{Watching: event.Own}), "member.changed")
	if events := m.do(peer, event.MemberWatch{Watching: event.Own}); len(events) > 0 {
		t.Fatalf("said twice it gave %v", names(events))
	}
	m.do(focal, event.PlaybackPlay{})
	wantNames(t, m.do(focal, event.PlaybackReady{Seq: m.line().Seq}), "playback.readied", "playback.changed")
	if m.line().Mode != event.Playing {
		t.Fatalf("it %s while somebody looks around", m.line().Mode)
	}
	m.do(peer, event.MemberWatch{})
	if how := watching(t, m, peer); how != event.Along {
		t.Fatalf("came back and watches %q", how)
	}
	m.refused("invalid", peer, event.MemberWatch{Watching: "sideways"})
}

func TestAStartGoesOnWhenWhoIsWaitedForLooksAround(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	m.do(focal, event.PlaybackPlay{})
	m.do(focal, event.PlaybackReady{Seq: m.line().Seq})
	if m.line().Mode != event.Waiting {
		t.Fatalf("it %s before all are ready", m.line().Mode)
	}
	wantNames(t, m.do(peer, event.MemberWatch{Watching: event.Own}), "member.changed", "playback.changed")
}

func TestOneStarvedHoldsUpTheOthersOnce(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	m.do(focal, event.PlaybackPlay{})
	m.do(focal, event.PlaybackReady{Seq: m.line().Seq})
	wantNames(t, m.pass(readyFor), "member.changed", "playback.changed")
	if how := watching(t, m, peer); how != event.Behind {
		t.Fatalf("waited for in vain and watches %q", how)
	}

	m.do(focal, event.PlaybackSeek{Position: middle(500)})
	m.do(focal, event.PlaybackReady{Seq: m.line().Seq})
	if m.line().Mode != event.Playing {
		t.Fatalf("it %s: whoever is behind is waited for again", m.line().Mode)
	}
	wantNames(t, m.do(peer, event.PlaybackReady{Seq: m.line().Seq}), "playback.readied", "member.changed")

	seek := func() event.Mode {
		position := middle(700)
		if m.line().Position == position {
			position = middle(500)
		}
		m.do(focal, event.PlaybackSeek{Position: position})
		m.do(focal, event.PlaybackPlay{}) // where it has come to the end meanwhile
		m.do(focal, event.PlaybackReady{Seq: m.line().Seq})
		return m.line().Mode
	}
	if mode := seek(); mode != event.Playing {
		t.Fatalf("it %s: whoever has just held up the others is waited for again", mode)
	}
	m.do(peer, event.MemberWatch{Watching: event.Behind}) // as clients do that lose and find the line
	m.do(peer, event.MemberWatch{Watching: event.Along})
	if m.now = readyFor + heldOnce - 1; seek() != event.Playing {
		t.Fatalf("it %s: whoever has held up the others of late is waited for again", m.line().Mode)
	}
	if m.now++; seek() != event.Waiting {
		t.Fatalf("it %s: whoever has caught up is not waited for any more", m.line().Mode)
	}
	m.checkJournal()
}

func TestWhoIsReadyLateEachTimeHoldsUpTheOthersOnce(t *testing.T) {
	for what, until := range map[string]func(m *sim){
		"ready at last":      func(m *sim) { m.ready(peer) },
		"gone for a moment":  func(m *sim) { m.lose(peer); m.join(peer) },
		"behind by own word": func(m *sim) { m.do(peer, event.MemberWatch{Watching: event.Behind}); m.do(peer, event.MemberWatch{}) },
		"sought elsewhere":   func(m *sim) { m.do(focal, event.PlaybackSeek{Position: middle(400)}) },
		"stopped":            func(m *sim) { m.do(focal, event.PlaybackStop{}); m.do(focal, event.PlaybackPlay{}) },
		"another speed":      func(m *sim) { m.do(focal, event.PlaybackRate{Rate: 2}) },
		"a pause":            func(m *sim) { m.do(focal, event.PauseCall{}); m.do(focal, event.HoldContinue{Hold: m.s.view.Hold.ID}) },
	} {
		m := newSim(t, testPlan())
		m.join(focal, peer)
		m.do(focal, event.PlaybackPlay{})
		m.ready(focal)
		m.pass(5000)
		until(m)
		m.ready(focal)
		if m.line().Mode != event.Playing {
			t.Errorf("%s: it %s for who was waited for", what, m.line().Mode)
		}
		m.pass(2000)
		m.do(focal, event.PlaybackSeek{Position: middle(700)})
		m.ready(focal)
		if m.line().Mode != event.Playing {
			t.Errorf("%s: it %s again for who held up the others a moment ago", what, m.line().Mode)
		}
		m.checkJournal()
	}
}

func TestWhoIsReadySoonIsWaitedForEachTime(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	m.do(focal, event.PlaybackPlay{})
	m.ready(focal)
	m.pass(heldFor - 1)
	m.ready(peer)
	m.do(focal, event.PlaybackSeek{Position: middle(700)})
	m.ready(focal)
	if m.line().Mode != event.Waiting {
		t.Fatalf("it %s without who needs a moment", m.line().Mode)
	}
}

func TestWhoIsAloneHoldsUpNobody(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal)
	m.do(focal, event.PlaybackPlay{})
	m.pass(5000)
	m.ready(focal)
	m.do(focal, event.PlaybackSeek{Position: middle(700)})
	if m.line().Mode != event.Waiting {
		t.Fatalf("it %s before the only one could play", m.line().Mode)
	}
}

func TestTheFrameOfAPauseSaysThatOneHasCaughtUp(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	m.do(peer, event.MemberWatch{Watching: event.Behind})
	m.do(focal, event.PauseCall{})
	h := m.s.view.Hold
	wantNames(t, m.do(peer, event.HoldConfirm{Hold: h.ID, Frame: h.Frame, Seq: h.Seq}), "hold.confirmed", "member.changed")
	if how := watching(t, m, peer); how != event.Along {
		t.Fatalf("on the frame and watches %q", how)
	}
}

func TestWhoComesInAgainWatchesAlong(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, peer)
	m.do(peer, event.MemberWatch{Watching: event.Own})
	m.lose(peer)
	m.join(peer)
	if how := watching(t, m, peer); how != event.Along {
		t.Fatalf("came in again and watches %q", how)
	}
}

func TestWithoutAClipNobodyWatchesIt(t *testing.T) {
	plan := testPlan()
	plan.Clip = nil
	m := newSim(t, plan)
	m.join(focal)
	m.refused("conflict", focal, event.MemberWatch{Watching: event.Own})
}
