package cluster

import (
	"context"
	"sync"

	"github.com/google/uuid"
)

// questions are those that wait for an answer. The zero value is ready for use.
type questions struct {
	mu   sync.Mutex
	open map[string]chan []byte
}

func (q *questions) add(id string) <-chan []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open == nil {
		q.open = map[string]chan []byte{}
	}
	answer := make(chan []byte, 1)
	q.open[id] = answer
	return answer
}

func (q *questions) answer(id string, body []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if waiting := q.open[id]; waiting != nil {
		waiting <- body
		delete(q.open, id)
	}
}

func (q *questions) forget(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.open, id)
}

// Ask asks a node, and waits for its answer until ctx ends.
func (n *Node) Ask(ctx context.Context, node string, question []byte) ([]byte, error) {
	if !n.up() {
		return nil, errCutOff
	}
	id := uuid.NewString()
	answer := n.asked.add(id)
	defer n.asked.forget(id)
	if !n.send(node, envelope{Kind: kindAsk, Line: id}, question) {
		return nil, errNowhere
	}
	select {
	case body := <-answer:
		return body, nil
	case <-ctx.Done():
		return nil, wrap("ask "+node, ctx.Err())
	}
}

func (n *Node) reply(ctx context.Context, e envelope, question []byte) {
	n.send(e.From, envelope{Kind: kindAnswer, Line: e.Line}, n.on().Answer(ctx, question))
}
