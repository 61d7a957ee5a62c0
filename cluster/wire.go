package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Kinds of messages between nodes.
const (
	kindOpen   = "open"   // a line; the body is the greeting
	kindOpened = "opened" // it is
	kindFrame  = "frame"  // on a line
	kindClose  = "close"  // a line; the body says why
	kindAsk    = "ask"    // the body is a question, of which Line is the name
	kindAnswer = "answer"
	kindTell   = "tell"  // everybody
	kindLoad   = "load"  // the body is a session
	kindPulse  = "pulse" // this node to itself: its ear works
)

// envelope is what comes before a message's body, as JSON in one line. Before that, in one line too, is the seal of both, for the channel on
// which the message is.
type envelope struct {
	Kind string `json:"k"`
	From string `json:"f"`
	Run  string `json:"r"` // of it
	Line string `json:"l,omitempty"`
	N    uint64 `json:"n,omitempty"` // counts a line's messages of one direction, from 1
}

// Limits of what waits to be sent.
const (
	maxOut      = 8192
	maxOutBytes = 32 << 20
	maxPipe     = 128 // messages at once
	deafAfter   = 3 * time.Second
	earAgain    = 200 * time.Millisecond
)

// outbox is what waits to be published. publishOn's goroutine takes from it.
type outbox struct {
	queue chan parcel
	bytes atomic.Int64
}

type parcel struct {
	channel string
	message []byte
}

func newOutbox() *outbox { return &outbox{queue: make(chan parcel, maxOut)} }

// put reports false if there is too much already.
func (o *outbox) put(p parcel) bool {
	size := int64(len(p.message))
	if o.bytes.Add(size) <= maxOutBytes {
		select {
		case o.queue <- p:
			return true
		default:
		}
	}
	o.bytes.Add(-size)
	return false
}

// take waits for a parcel, and takes what else is there. It returns nothing once ctx has ended.
func (o *outbox) take(ctx context.Context) []parcel {
	select {
	case p := <-o.queue:
		o.bytes.Add(-int64(len(p.message)))
		return append([]parcel{p}, o.rest(maxPipe-1)...)
	case <-ctx.Done():
		return nil
	}
}

// rest takes what is there, up to a number of parcels.
func (o *outbox) rest(most int) (taken []parcel) {
	for len(taken) < most {
		select {
		case p := <-o.queue:
			o.bytes.Add(-int64(len(p.message)))
			taken = append(taken, p)
		default:
			return taken
		}
	}
	return taken
}

// purposeOn is what messages on a channel are sealed for.
func purposeOn(channel string) string { return "message on " + channel }

// send queues a message to a node. While Redis is away, it is as good as lost on the way: the line notices.
func (n *Node) send(to string, e envelope, body []byte) bool { return n.post(inboxOf(to), e, body) }

func (n *Node) post(channel string, e envelope, body []byte) bool {
	if !n.up() {
		n.counts.dropped.Add(1)
		return true
	}
	if !n.trusts() { // it says nothing before but to itself, and listens to nothing
		return true
	}
	e.From, e.Run = n.cfg.Name, n.id
	head, err := json.Marshal(e)
	if err != nil {
		return false
	}
	text := slices.Concat(head, []byte{'\n'}, body)
	message := slices.Concat([]byte(n.seal(purposeOn(channel), text)), []byte{'\n'}, text)
	if !n.out.put(parcel{channel, message}) {
		n.counts.dropped.Add(1)
		return false
	}
	return true
}

// publishOn sends what is queued until ctx ends, and for a moment after that: the last words of lines are among it.
func (n *Node) publishOn(ctx context.Context) {
	for parcels := n.out.take(ctx); parcels != nil; parcels = n.out.take(ctx) {
		n.publish(context.WithoutCancel(ctx), parcels)
	}
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	for parcels := n.out.rest(maxPipe); parcels != nil && leaving.Err() == nil; parcels = n.out.rest(maxPipe) {
		n.publish(leaving, parcels)
	}
}

func (n *Node) publish(ctx context.Context, parcels []parcel) {
	ctx, cancel := context.WithTimeout(ctx, beatWithin)
	defer cancel()
	_, err := n.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, parcel := range parcels {
			p.Publish(ctx, parcel.channel, parcel.message)
		}
		return nil
	})
	if err != nil {
		n.counts.dropped.Add(uint64(len(parcels)))
		n.log.Debug("messages to other nodes are lost", slog.Any("err", err))
	}
}

// receiveOn owns what arrives, line by line in the order in which it was sent.
func (n *Node) receiveOn(ctx context.Context) {
	for ctx.Err() == nil {
		if err := n.listen(ctx); err != nil && ctx.Err() == nil {
			n.log.Debug("cannot hear other nodes", slog.Any("err", err))
		}
		select {
		case <-time.After(earAgain):
		case <-ctx.Done():
		}
	}
}

// listen hears until nothing comes, not even what this node tells itself.
func (n *Node) listen(ctx context.Context) error {
	ear := n.redis.Subscribe(ctx, inboxOf(n.cfg.Name), everybody)
	silence := context.AfterFunc(ctx, func() { _ = ear.Close() }) // what waits for a message does not look at ctx
	defer func() {
		silence()
		_ = ear.Close()
	}()
	for {
		said, err := ear.ReceiveTimeout(ctx, deafAfter)
		if err != nil {
			return err
		}
		if m, ok := said.(*redis.Message); ok {
			n.hear(ctx, m.Channel, []byte(m.Payload))
		}
	}
}

var (
	errForged  = errors.New("a message that no node of this deployment has sealed")
	errGarbled = errors.New("a message that is none")
)

// open reads what a node said on a channel.
func (n *Node) open(channel string, message []byte) (e envelope, body []byte, err error) {
	seal, text, _ := bytes.Cut(message, []byte("\n"))
	if !n.sealed(purposeOn(channel), text, string(seal)) {
		return e, nil, errForged
	}
	head, body, ok := bytes.Cut(text, []byte("\n"))
	if !ok {
		return e, nil, errGarbled
	}
	return e, body, json.Unmarshal(head, &e)
}

// hear acts on a message, and does not wait for anything. What takes longer may go on until ctx ends.
func (n *Node) hear(ctx context.Context, channel string, message []byte) {
	e, body, err := n.open(channel, message)
	if err != nil {
		n.log.Warn("something else speaks on the channel of this node", slog.Any("err", err))
		return
	}
	switch e.Kind {
	case kindOpen:
		n.accept(e, body)
	case kindOpened, kindFrame, kindClose:
		n.lines.hear(e, body)
	case kindAsk:
		n.served.Go(func() { n.reply(ctx, e, body) })
	case kindAnswer:
		n.asked.answer(e.Line, body)
	case kindTell:
		n.on().Hear(body)
	case kindLoad:
		n.served.Go(func() { n.awaken(ctx, string(body)) })
	}
}

// Tell tells every node, this one too, as far as they can be reached.
func (n *Node) Tell(notice []byte) {
	if !n.up() {
		n.on().Hear(notice)
		return
	}
	n.post(everybody, envelope{Kind: kindTell}, notice)
}
