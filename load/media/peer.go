package media

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/load/stats"
)

// Config is what a peer does.
type Config struct {
	Index     int       // among an engine's peers: no two publishers send in step, nor the same
	Simulcast bool      // publishes three layers instead of one
	Loss      float64   // of the packets to it
	Began     time.Time // when it began to join
}

// Peer is the media of one member: a connection that publishes and one that receives, each once it is negotiated. One goroutine
// negotiates; the rest may be called from any.
type Peer struct {
	engine *Engine
	config Config
	meter  *meter
	ctx    context.Context //nolint:containedctx // the life of the peer
	cancel context.CancelFunc

	mu  sync.Mutex
	pub *publisher
	sub *receiver
}

// Peer makes a peer, which lives until it is closed, or ctx ends.
func (e *Engine) Peer(ctx context.Context, c Config) *Peer {
	p := &Peer{engine: e, config: c, meter: &meter{period: &e.period, began: c.Began}}
	p.ctx, p.cancel = context.WithCancel(ctx)
	return p
}

// Offer begins to publish a microphone and a camera, or goes on with that on a new connection. It returns the description for the
// server, and the sources in it by mid.
func (p *Peer) Offer() (sdp string, sources map[string]string, err error) {
	pub := p.publisher()
	if pub == nil {
		pub = newPublisher(&p.engine.period, p.config.Index, p.config.Simulcast)
	} else {
		p.drop(pub.link)
	}
	link, err := p.engine.link(p.ctx, pub)
	if err != nil {
		return "", nil, err
	}
	p.mu.Lock()
	p.pub = pub
	pub.move(link)
	p.mu.Unlock()
	link.wg.Go(pub.play)
	return pub.offer(), map[string]string{"0": "audio", "1": "camera"}, nil
}

// Answered takes the server's answer to the offer.
func (p *Peer) Answered(sdp string) error {
	d, err := parseSDP(sdp)
	if err != nil {
		return err
	}
	pub := p.publisher()
	if pub == nil {
		return errors.New("an answer without an offer")
	}
	pub.negotiated(d)
	// The client offered actpass: it is the DTLS client unless the server wants to be.
	pub.link.start(d, true, d.setup != "active")
	return nil
}

// Answer accepts the server's offer, on the connection there is or a new one, and returns the answer.
func (p *Peer) Answer(sdp string) (string, error) {
	d, err := parseSDP(sdp)
	if err != nil {
		return "", err
	}
	sub, err := p.receiver()
	if err != nil {
		return "", err
	}
	sub.link.mu.Lock()
	sub.negotiated(d)
	sub.link.mu.Unlock()
	sub.link.start(d, false, true)
	return answerSDP(d, sub.link.local), nil
}

// Forget gives up the connection that receives. The server's next offer is for a new one.
func (p *Peer) Forget() {
	p.mu.Lock()
	sub := p.sub
	p.sub = nil
	p.mu.Unlock()
	if sub != nil {
		p.drop(sub.link)
	}
}

func (p *Peer) drop(l *link) {
	p.engine.forget(l)
	l.close()
}

// Plain receives without WebRTC: it returns where packets shall be sent to, and the keys of their SRTP (AEAD_AES_128_GCM).
func (p *Peer) Plain() (addr string, key, salt []byte, err error) {
	key, salt = make([]byte, 16), make([]byte, 12)
	_, _ = rand.Read(key)
	_, _ = rand.Read(salt)
	sub, err := p.receiver()
	if err != nil {
		return "", nil, nil, err
	}
	sub.codecs[ptOpus], sub.kinds[ptOpus] = &codec{name: "OPUS"}, "audio"
	sub.codecs[ptVP8], sub.kinds[ptVP8] = &codec{name: "VP8"}, "video"
	return sub.link.local.addr.String(), key, salt, sub.link.plain(key, salt)
}

// receiver returns the subscribe side; the first call makes it.
func (p *Peer) receiver() (*receiver, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sub != nil {
		return p.sub, nil
	}
	sub := newReceiver(p.meter, p.config.Loss, uint64(p.config.Index)) //nolint:gosec // an index
	link, err := p.engine.link(p.ctx, sub)
	if err != nil {
		return nil, err
	}
	sub.link = link
	p.sub = sub
	return sub, nil
}

func (p *Peer) publisher() *publisher {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pub
}

func (p *Peer) links() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	var links []*link
	if p.pub != nil {
		links = append(links, p.pub.link)
	}
	if p.sub != nil {
		links = append(links, p.sub.link)
	}
	return links
}

// Publishing reports whether what is published gets to the server.
func (p *Peer) Publishing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pub == nil {
		return false
	}
	p.pub.link.mu.Lock()
	defer p.pub.link.mu.Unlock()
	return p.pub.ready
}

// Err is what went wrong with the connections so far.
func (p *Peer) Err() error {
	var errs []error
	for _, l := range p.links() {
		_, err := l.state()
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Close ends both connections.
func (p *Peer) Close() {
	p.cancel()
	for _, l := range p.links() {
		p.drop(l)
	}
}

// Sent is what a peer has published in the measured period, in packets, each once.
type Sent struct {
	Audio, Video uint64 // video is that of the best layer
	Resent       uint64 // on request, at any time
}

// Sent is what was published so far.
func (p *Peer) Sent() Sent {
	pub := p.publisher()
	if pub == nil {
		return Sent{}
	}
	return Sent{Audio: pub.audio.measured.Load(), Video: pub.top().measured.Load(), Resent: pub.resent.Load()}
}

// FirstVideo is how long it took from Began until a key frame began to arrive; 0 before.
func (p *Peer) FirstVideo() time.Duration { return time.Duration(p.meter.firstVideo.Load()) }

// Received is what has come to a peer, of what was sent in the measured period, in packets, each once.
type Received struct {
	Latency      stats.Histogram // from the sender's clock to the kernel's time of arrival
	Audio, Video uint64
	Top          uint64        // video of the best layer
	FirstMedia   time.Duration // since Began, at any time; 0 if there was none
	Nacks, PLIs  uint64        // requests, at any time, as is the rest
	Recovered    uint64        // packets that came after they were asked for
	Garbled      uint64        // packets that could not be decrypted
	Profile      string        // of SRTP; empty before there is a connection
}

// Received is what has come so far.
func (p *Peer) Received() Received {
	p.mu.Lock()
	sub := p.sub
	p.mu.Unlock()
	if sub == nil {
		return Received{}
	}
	sub.link.mu.Lock()
	defer sub.link.mu.Unlock()
	m := p.meter
	return Received{
		Latency: m.latency, Audio: m.audio, Video: m.video, Top: m.top, FirstMedia: time.Duration(m.firstMedia.Load()),
		Nacks: m.nacks.Load(), PLIs: m.plis.Load(), Recovered: m.recovered.Load(), Garbled: m.undecryptable.Load(),
		Profile: sub.link.profile,
	}
}
