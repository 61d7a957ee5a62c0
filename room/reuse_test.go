package room

import (
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
)

// A clip is made of a recording once all who are in it have agreed, and for nobody before.
func TestReuse(t *testing.T) {
	m := newSim(t, testPlan())
	m.join(focal, coach, peer, observer)
	env := func() Env { return Env{Now: m.s.At(), Wall: 77} }
	first, second := m.id(), m.id()
	of := []string{peer, coach}
	ask := func(who string, q ReuseQuestion) func() ([]event.Event, error) {
		return func() ([]event.Event, error) { return m.s.AskReuse(env(), who, q) }
	}
	answer := func(who, clip string, agree bool) func() ([]event.Event, error) {
		return func() ([]event.Event, error) { return m.s.AnswerReuse(env(), who, clip, agree) }
	}
	withdraw := func(who string) func() ([]event.Event, error) {
		return func() ([]event.Event, error) { return m.s.Withdraw(env(), who, false) }
	}
	check := func(steps []reuseStep) {
		t.Helper()
		for _, step := range steps {
			events, err := step.do()
			m.keep(events)
			if got := m.s.view.Reuse; codeOf(err) != step.code || len(events) != step.events || got.State != step.state || len(got.Agreed) != step.agreed {
				t.Fatalf("%s: %v, %d events, now %+v", step.what, err, len(events), got)
			}
		}
	}
	q := ReuseQuestion{Clip: first, Of: of}
	check([]reuseStep{{"while it goes on", ask(coach, q), "conflict", 0, event.NotReused, 0}})
	m.do(focal, event.SessionEnd{})
	check([]reuseStep{
		{"by an observer", ask(observer, q), "forbidden", 0, event.NotReused, 0},
		{"by a peer", ask(peer, q), "forbidden", 0, event.NotReused, 0},
		{"by a stranger", ask(lead, q), "forbidden", 0, event.NotReused, 0},
		{"of nobody", ask(coach, ReuseQuestion{Clip: first}), "conflict", 0, event.NotReused, 0},
		{"of a stranger", ask(coach, ReuseQuestion{Clip: first, Of: []string{lead}}), "invalid", 0, event.NotReused, 0},
		{"without an id", ask(coach, ReuseQuestion{Clip: "clips/1", Of: of}), "invalid", 0, event.NotReused, 0},
		{"an answer to nothing", answer(peer, first, true), "forbidden", 0, event.NotReused, 0},
		{"asked", ask(coach, q), "", 1, event.ReuseAsked, 1},
		{"asked twice", ask(focal, ReuseQuestion{Clip: second, Of: of}), "conflict", 0, event.ReuseAsked, 1},
		{"answered by an observer", answer(observer, first, true), "forbidden", 0, event.ReuseAsked, 1},
		{"an answer to another question", answer(peer, second, true), "forbidden", 0, event.ReuseAsked, 1},
		{"the asker's again", answer(coach, first, true), "", 0, event.ReuseAsked, 1},
		{"declined", answer(peer, first, false), "", 1, event.ReuseDeclined, 1},
		{"too late", answer(peer, first, true), "conflict", 0, event.ReuseDeclined, 1},
		{"asked again", ask(focal, ReuseQuestion{Clip: second, Of: of}), "", 1, event.ReuseAsked, 0},
		{"one agrees", answer(peer, second, true), "", 1, event.ReuseAsked, 1},
		{"twice", answer(peer, second, true), "", 0, event.ReuseAsked, 1},
		{"all agree", answer(coach, second, true), "", 1, event.ReuseGranted, 2},
		{"a change of mind", answer(coach, second, false), "conflict", 0, event.ReuseGranted, 2},
		{"asked for another one", ask(coach, ReuseQuestion{Clip: first, Of: of, Gone: first}), "conflict", 0, event.ReuseGranted, 2},
		{"who is not in it takes back", withdraw(observer), "", 1, event.ReuseGranted, 2},
		{"who is in it takes back", withdraw(peer), "", 2, event.ReuseTakenBack, 2},
		{"an answer after that", answer(peer, second, true), "conflict", 0, event.ReuseTakenBack, 2},
		{"without them", ask(coach, ReuseQuestion{Clip: first, Of: []string{coach}}), "", 1, event.ReuseGranted, 1},
		{"deleted, and asked for again", ask(coach, ReuseQuestion{Clip: second, Of: []string{coach}, Gone: first}), "", 1, event.ReuseGranted, 1},
	})
	for _, e := range m.journal {
		if b, ok := e.Body.(event.ReuseChanged); ok && (b.When != 77 || (e.By == "") != (b.Reuse.State == event.ReuseDeclined || b.Reuse.State == event.ReuseTakenBack)) {
			t.Errorf("the journal has %+v", e)
		}
	}
	m.checkJournal()
}

// reuseStep is one call, what it answers, and what is so afterwards.
type reuseStep struct {
	what   string
	do     func() ([]event.Event, error)
	code   string
	events int
	state  event.ReuseState
	agreed int
}
