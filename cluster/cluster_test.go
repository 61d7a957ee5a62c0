package cluster

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Nothing runs on after a node is closed.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// guests are who comes to a node by way of others.
type guests struct {
	came     chan *Line
	greeting string // of the latest
	heard    chan string
}

func newGuests() *guests { return &guests{came: make(chan *Line, 1), heard: make(chan string, 1)} }

func (g *guests) Accept(line *Line, greeting []byte) {
	g.greeting = string(greeting)
	g.came <- line
}

func (g *guests) Answer(_ context.Context, question []byte) []byte {
	return append([]byte("not "), question...)
}
func (g *guests) Hear(notice []byte)                  { g.heard <- string(notice) }
func (g *guests) Load(context.Context, string) error  { return nil }
func (g *guests) LetGo(context.Context, string) error { return nil }
func (g *guests) Abandon(string)                      {}
func (g *guests) Members() int                        { return 0 }

// newNode is a node that has not joined any others.
func newNode(t *testing.T, url, name, region string) (*Node, *guests) {
	t.Helper()
	n, err := New(Config{URL: url, Name: name, Region: region, Capacity: 100, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	n.Trust([]byte("of all nodes"))
	return n, newGuests()
}

// sealedFor is a message for a channel as a node says it.
func (n *Node) sealedFor(channel, text string) []byte {
	return []byte(n.Seal(purposeOn(channel), text) + "\n" + text)
}

// wired are two nodes with a wire between them, on which messages get lost that the test says.
func wired(t *testing.T, lost func(e envelope) bool) (a, b *Node, atB *guests) {
	t.Helper()
	a, atA := newNode(t, "redis://127.0.0.1:1", "a", "")
	b, atB = newNode(t, "redis://127.0.0.1:1", "b", "")
	carry := func(from, to *Node) {
		for parcels := from.out.take(t.Context()); parcels != nil; parcels = from.out.take(t.Context()) {
			for _, p := range parcels {
				if e, _, err := to.open(p.channel, p.message); err != nil || !lost(e) {
					to.hear(t.Context(), p.channel, p.message)
				}
			}
		}
	}
	for n, g := range map[*Node]Handler{a: atA, b: atB} {
		n.handler.Store(&g)
		n.seen.Store(&sight{at: time.Now()})
		t.Cleanup(func() {
			if err := n.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
	}
	var carried sync.WaitGroup
	t.Cleanup(carried.Wait) // before they are closed
	carried.Go(func() { carry(a, b) })
	carried.Go(func() { carry(b, a) })
	return a, b, atB
}

func nothingIsLost(envelope) bool { return false }
