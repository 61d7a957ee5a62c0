package sfu

import (
	"sync/atomic"

	"github.com/pion/interceptor"
)

// streamLimit is an interceptor that counts the streams of one connection. It exists because a member may spray SSRCs, each of
// which costs memory until the connection closes.
type streamLimit struct {
	excess func()
}

// NewInterceptor implements interceptor.Factory.
func (l streamLimit) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &streamCounter{excess: l.excess}, nil
}

type streamCounter struct {
	interceptor.NoOp
	excess func()
	seen   atomic.Int64
}

// BindRemoteStream implements interceptor.Interceptor.
func (c *streamCounter) BindRemoteStream(_ *interceptor.StreamInfo, r interceptor.RTPReader) interceptor.RTPReader {
	if c.seen.Add(1) == maxRemoteSSRCs+1 {
		c.excess()
	}
	return r
}
