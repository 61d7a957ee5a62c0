package cluster

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// dialled is a line from a to b, at both its ends.
func dialled(t *testing.T, a *Node, atB *guests) (near, far *Line) {
	t.Helper()
	near, err := a.Dial(t.Context(), "b", []byte("good morning"))
	if err != nil {
		t.Fatal(err)
	}
	far = <-atB.came
	if atB.greeting != "good morning" {
		t.Errorf("b is greeted with %q", atB.greeting)
	}
	return near, far
}

// ends takes what is left of a line, and returns how much it was and what the other end closed with.
func ends(l *Line) (frames []string, bye []byte) {
	for frame, ok := l.Next(); ok; frame, ok = l.Next() {
		frames = append(frames, string(frame))
	}
	return frames, l.Bye()
}

func TestLineKeepsTheOrder(t *testing.T) {
	a, _, atB := wired(t, nothingIsLost)
	near, far := dialled(t, a, atB)
	const count = 200
	for _, way := range []struct{ from, to *Line }{{near, far}, {far, near}} {
		for i := range count {
			if !way.from.Send(fmt.Append(nil, i)) {
				t.Fatalf("frame %d is not taken", i)
			}
		}
		for i := range count {
			if frame, ok := way.to.Next(); !ok || string(frame) != fmt.Sprint(i) {
				t.Fatalf("frame %d is %q, %v", i, frame, ok)
			}
		}
	}
	far.Send([]byte("at last"))
	far.Close([]byte("ended"))
	if frames, bye := ends(near); len(frames) != 1 || string(bye) != "ended" {
		t.Errorf("it ends with %q and %q", frames, bye)
	}
	if far.Send([]byte("late")) {
		t.Error("a line that is closed takes a frame")
	}
	<-far.Done()
	near.Close(nil)
	if a.lines.count() != 0 {
		t.Errorf("%d lines are left", a.lines.count())
	}
}

// What is lost is not passed over: the line breaks at both ends, after what came before.
func TestLineBreaksWhereAFrameIsLost(t *testing.T) {
	a, _, atB := wired(t, func(e envelope) bool { return e.Kind == kindFrame && e.N == 4 }) // the third: open is the first
	near, far := dialled(t, a, atB)
	for i := range 5 {
		near.Send(fmt.Append(nil, i))
	}
	if frames, bye := ends(near); len(frames) != 0 || len(bye) > 0 {
		t.Errorf("at its near end: %q, %q", frames, bye)
	}
	<-far.Done()
	if frames, bye := ends(far); len(frames) > 2 || len(bye) > 0 {
		t.Errorf("at its far end: %q, %q", frames, bye)
	}
}

// Nobody takes what comes: a line does not fill the memory.
func TestLineBreaksWhereTooMuchWaits(t *testing.T) {
	for name, c := range map[string]struct{ count, size int }{"many": {maxHeard + 1, 1}, "large": {9, 1 << 20}} {
		t.Run(name, func(t *testing.T) {
			a, _, atB := wired(t, nothingIsLost)
			near, far := dialled(t, a, atB)
			for range c.count {
				near.Send(make([]byte, c.size))
			}
			<-far.Done()
			if _, bye := ends(near); len(bye) > 0 {
				t.Errorf("it ends with %q", bye)
			}
		})
	}
}

func TestNobodyElseSpeaksOnALine(t *testing.T) {
	a, b, atB := wired(t, nothingIsLost)
	_, far := dialled(t, a, atB)
	for _, message := range []string{
		`{"k":"frame","f":"c","l":"` + far.id + `","n":2}` + "\nforged",
		`{"k":"close","f":"a","l":"another line","n":2}` + "\n",
		`{"k":"frame"`, "no head", "\n", "",
		`{"k":"what is this?","f":"a"}` + "\n",
	} {
		b.hear(t.Context(), inboxOf("b"), b.sealedFor(inboxOf("b"), message))
	}
	far.Close([]byte("still here"))
	if len(far.heard) > 0 {
		t.Errorf("it heard %q", <-far.heard)
	}
}

// Whoever can publish in Redis, and has no key, speaks for no node: neither in words of their own, nor in those that a node said to somebody else.
func TestNobodySpeaksWithoutTheKey(t *testing.T) {
	a, b, atB := wired(t, nothingIsLost)
	_, far := dialled(t, a, atB)
	stranger, _ := newNode(t, "redis://127.0.0.1:1", "a", "")
	stranger.Trust([]byte("of others"))
	opens, goesOn := `{"k":"open","f":"a","r":"1","l":"forged","n":1}`+"\n"+`{"identity":"anybody"}`, `{"k":"frame","f":"a","l":"`+far.id+`","n":2}`+"\nforged"
	for _, message := range [][]byte{
		[]byte(opens), []byte("\n" + opens), stranger.sealedFor(inboxOf("b"), opens), stranger.sealedFor(inboxOf("b"), goesOn),
		a.sealedFor(inboxOf("c"), opens), a.sealedFor(everybody, goesOn),
		[]byte(string(a.sealedFor(inboxOf("b"), goesOn)) + " and more"),
	} {
		b.hear(t.Context(), inboxOf("b"), message)
		if b.lines.count() != 1 || len(far.heard) > 0 {
			t.Fatalf("%d lines and %d frames after %q", b.lines.count(), len(far.heard), message)
		}
	}
	b.hear(t.Context(), inboxOf("b"), a.sealedFor(inboxOf("b"), goesOn))
	if frame, ok := far.Next(); !ok || string(frame) != "forged" {
		t.Errorf("what has the key says %q, %v", frame, ok)
	}
}

// Where a node's pages are is believed of that node alone.
func TestPagesAreSealed(t *testing.T) {
	s := newSquare(t)
	a, b := s.node("a", ""), s.node("b", "")
	s.node("c", "")
	b.cfg.Pages = "http://10.0.0.7:8080"
	b.draining.Store(true) // so the roll is read anew
	s.beats(b)
	s.beats(a)
	if got := a.seen.Load().pages["b"]; got != b.cfg.Pages {
		t.Errorf("the pages of b are %q", got)
	}
	said, err := a.redis.HGet(t.Context(), nodeKey("b"), "pages").Result()
	s.must(err)
	for name, forged := range map[string]string{"b": strings.Replace(said, "10.0.0.7", "192.0.2.1", 1), "c": said} {
		s.must(a.redis.HSet(t.Context(), nodeKey(name), "pages", forged).Err())
		s.must(a.redis.Del(t.Context(), rollKey).Err())
		now, err := a.enrol(t.Context())
		s.must(err)
		if pages := now.nodes[name].pages; pages != "" {
			t.Errorf("%s is at %q", name, pages)
		}
	}
}

func TestAsk(t *testing.T) {
	a, _, _ := wired(t, nothingIsLost)
	if answer, err := a.Ask(t.Context(), "b", []byte("so")); err != nil || string(answer) != "not so" {
		t.Errorf("answered %q, %v", answer, err)
	}
	deaf, _, _ := wired(t, func(e envelope) bool { return e.Kind == kindAnswer })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if answer, err := deaf.Ask(ctx, "b", []byte("so")); err == nil {
		t.Errorf("answered %q by nobody", answer)
	}
	if len(deaf.asked.open) > 0 {
		t.Error("a question is kept that nobody waits for")
	}
}

// Without Redis nobody is reached, and whoever wanted to is told so at once.
func TestCutOff(t *testing.T) {
	n, g := newNode(t, "redis://127.0.0.1:1", "a", "")
	handler := Handler(g)
	n.handler.Store(&handler)
	if _, err := n.Dial(t.Context(), "b", nil); err != errCutOff {
		t.Errorf("dialled: %v", err)
	}
	if _, err := n.Ask(t.Context(), "b", nil); err != errCutOff {
		t.Errorf("asked: %v", err)
	}
	n.Tell([]byte("here"))
	if said := <-g.heard; said != "here" {
		t.Errorf("heard %q of itself", said)
	}
}
