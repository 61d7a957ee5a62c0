package transport

import (
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v4/replaydetector"
)

const (
	replayWindow  = 1024 // packets
	maxRTPIndex   = 1<<48 - 1
	maxRTCPIndex  = 1<<31 - 1
	maxStreams    = 256    // SSRCs that one member may use, and the same number for RTCP
	maxEarly      = 64     // packets that are kept until the keys are there
	authenticator = 16 + 4 // bytes at most that encryption adds: a GCM tag, and an SRTCP index
)

// MaxPacket is the size of the largest RTP or RTCP packet that is sent, in bytes, before encryption. Above about 1200 bytes, IP may
// have to fragment it.
const MaxPacket = maxDatagram - authenticator

// profiles are in the order of preference: AES-GCM costs a third of AES-CM with SHA-1.
func profiles() []dtls.SRTPProtectionProfile {
	return []dtls.SRTPProtectionProfile{
		dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80,
	}
}

// incoming decrypts. mu is held while the handler handles a packet.
type incoming struct {
	mu      sync.Mutex
	context *srtp.Context
	rtp     rtp.Header
	rtcp    rtcp.Header
	early   []early // that came before the keys were there
	fresh   bool    // the SSRC of the packet in hand is new
	streams int
}

// early is a packet that came before the keys.
type early struct {
	raw     []byte
	arrival time.Time
}

// outgoing encrypts.
type outgoing struct {
	mu      sync.Mutex
	context *srtp.Context
	rtp     rtp.Header
	rtcp    rtcp.Header
}

// exchange makes the contexts of both directions from what DTLS agreed on (RFC 5764 section 4.2).
func (c *Conn) exchange(conn *dtls.Conn, dials bool) (in, out *srtp.Context, err error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return nil, nil, errNoSRTP
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return nil, nil, errNoSRTP
	}
	cfg := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err = cfg.ExtractSessionKeysFromDTLS(&state, dials); err != nil {
		return nil, nil, err
	}
	out, err = srtp.CreateContext(cfg.Keys.LocalMasterKey, cfg.Keys.LocalMasterSalt, cfg.Profile)
	if err != nil {
		return nil, nil, err
	}
	in, err = srtp.CreateContext(cfg.Keys.RemoteMasterKey, cfg.Keys.RemoteMasterSalt, cfg.Profile,
		srtp.SRTPReplayDetectorFactory(c.in.newDetector(maxRTPIndex)),
		srtp.SRTCPReplayDetectorFactory(c.in.newDetector(maxRTCPIndex)))
	return in, out, err
}

// newDetector makes replay detectors. It is asked for one whenever the SSRC of a packet is new.
func (i *incoming) newDetector(most uint64) func() replaydetector.ReplayDetector {
	return func() replaydetector.ReplayDetector {
		i.fresh = true
		return replaydetector.New(replayWindow, most)
	}
}

// receive decrypts a packet and has it handled. It reports false if it is dropped.
func (c *Conn) receive(b *Batch, p *path, raw []byte, arrival time.Time) bool {
	c.in.mu.Lock()
	ready := c.in.context != nil
	ok := ready && c.decrypt(b, raw, arrival) || !ready && c.keep(raw, arrival)
	spray := c.in.streams > 2*maxStreams
	c.in.mu.Unlock()
	if ok && ready {
		c.hear(p, c.net.instant(arrival))
	}
	if spray {
		c.net.log.Warn("a member used too many SSRCs", "remote", p.remote.String())
		c.fail(Failed)
	}
	return ok
}

// decrypt wants in.mu.
func (c *Conn) decrypt(b *Batch, raw []byte, arrival time.Time) bool {
	if c.State().final() {
		return false
	}
	c.in.fresh = false
	var plain []byte
	var err error
	control := isRTCP(raw)
	if control {
		plain, err = c.in.context.DecryptRTCP(raw, raw, &c.in.rtcp)
	} else {
		plain, err = c.in.context.DecryptRTP(raw, raw, &c.in.rtp)
	}
	if err != nil {
		return false
	}
	if c.in.fresh {
		c.in.streams++
	}
	if control {
		c.handler.HandleRTCP(b, plain, arrival)
	} else {
		c.handler.HandleRTP(b, plain, arrival)
	}
	return true
}

// keep keeps what came before the keys: the member may send as soon as it has heard the end of the handshake, and begins with a key
// frame.
func (c *Conn) keep(raw []byte, arrival time.Time) bool {
	if len(c.in.early) >= maxEarly || !c.pipe.used() {
		return false
	}
	c.in.early = append(c.in.early, early{raw: append([]byte(nil), raw...), arrival: arrival})
	return true
}

// begin puts the keys to use, and handles what came early.
func (c *Conn) begin(in, out *srtp.Context) {
	c.out.mu.Lock()
	c.out.context = out
	c.out.mu.Unlock()
	if !c.change(Connected) {
		return
	}
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.in.context = in
	if len(c.in.early) == 0 {
		return
	}
	b := c.net.NewBatch()
	for _, e := range c.in.early {
		c.decrypt(b, e.raw, e.arrival)
	}
	c.in.early = nil
	b.Flush()
}

// SendRTP encrypts a packet into b, and b.Flush sends it. It allocates nothing; h and payload are free again when it returns. It
// reports false if nothing will be sent: the connection is not Connected (or Silent), or the packet exceeds MaxPacket. Two packets
// with the same SSRC and sequence number must be the same: what is sent again in another form goes by RTX (RFC 4588).
func (c *Conn) SendRTP(b *Batch, h *rtp.Header, payload []byte) bool {
	size := h.MarshalSize() + len(payload) + padding(h)
	p := c.selected.Load()
	if p == nil || size > MaxPacket || !c.State().live() {
		return false
	}
	room := b.room(size + authenticator)
	n, err := h.MarshalTo(room[:size])
	if err != nil {
		return false
	}
	copy(room[n:size], payload)
	if pad := padding(h); pad != 0 {
		tail := room[size-pad : size]
		clear(tail)
		tail[pad-1] = byte(pad)
	}
	c.out.mu.Lock()
	sealed, err := c.out.context.EncryptRTP(room, room[:size], &c.out.rtp)
	c.out.mu.Unlock()
	if err != nil {
		return false
	}
	b.commit(p, sealed)
	return true
}

// padding is how many bytes follow the payload.
func padding(h *rtp.Header) int {
	if !h.Padding {
		return 0
	}
	return int(h.PaddingSize)
}

// SendRTCP encrypts a compound packet into b, like SendRTP.
func (c *Conn) SendRTCP(b *Batch, raw []byte) bool {
	p := c.selected.Load()
	if p == nil || len(raw) > MaxPacket || !c.State().live() {
		return false
	}
	room := b.room(len(raw) + authenticator)
	plain := append(room, raw...)
	c.out.mu.Lock()
	sealed, err := c.out.context.EncryptRTCP(room, plain, &c.out.rtcp)
	c.out.mu.Unlock()
	if err != nil {
		return false
	}
	b.commit(p, sealed)
	return true
}
