package sfu

import (
	"sync"
	"time"
)

const (
	keyframeGap      = 300 * time.Millisecond // at least this long between two requests
	keyframeMaxRetry = 3 * time.Second        // a request is repeated at growing intervals up to this
)

// keyframer coalesces requests for key frames: none is lost, and at most one is sent in keyframeGap. A request is repeated until a key
// frame begins.
type keyframer struct {
	send func() // asks the publisher; called without the lock

	mu      sync.Mutex
	wanted  bool
	stopped bool
	sent    time.Time
	retry   time.Duration
	timer   *time.Timer // nil, or will fire
}

func newKeyframer(send func()) *keyframer { return &keyframer{send: send} }

// request asks for a key frame now, or at the end of the gap.
func (k *keyframer) request() {
	k.mu.Lock()
	if k.stopped {
		k.mu.Unlock()
		return
	}
	k.wanted, k.retry = true, keyframeGap
	wait := keyframeGap - time.Since(k.sent)
	if !k.sent.IsZero() && wait > 0 {
		k.schedule(wait)
		k.mu.Unlock()
		return
	}
	k.mark()
	k.mu.Unlock()
	k.send()
}

// arrived says that a key frame begins.
func (k *keyframer) arrived() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wanted = false
}

func (k *keyframer) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
	if k.timer != nil {
		k.timer.Stop()
	}
}

// mark notes that a request is sent now, and plans to repeat it.
func (k *keyframer) mark() {
	k.sent = time.Now()
	k.schedule(k.retry)
	k.retry = min(2*k.retry, keyframeMaxRetry)
}

func (k *keyframer) schedule(d time.Duration) {
	if k.timer == nil {
		k.timer = time.AfterFunc(d, k.fire)
		return
	}
	k.timer.Reset(d)
}

func (k *keyframer) fire() {
	k.mu.Lock()
	if k.stopped || !k.wanted || time.Since(k.sent) < keyframeGap {
		k.mu.Unlock()
		return
	}
	k.mark()
	k.mu.Unlock()
	k.send()
}
