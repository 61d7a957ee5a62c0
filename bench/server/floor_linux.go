package server

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/pausepoint/pausepoint/bench/wire"
	"github.com/pausepoint/pausepoint/load/shape"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"golang.org/x/sys/unix"
)

// floor sends the media of a lesson to its subscribers, encrypted for each, and does nothing else: nothing arrives, nothing is
// negotiated. No SFU can be cheaper that sends in the same way: with a system call for each packet (sendto), for 32 packets
// (sendmmsg), or for each subscriber and frame (gso: UDP_SEGMENT for packets of equal size, sendmmsg for the rest).
type floor struct {
	fd     int
	send   func(*floorBatch)
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu   sync.Mutex
	subs []*floorSub
	key  bool // somebody new needs a key frame
}

// floorSub is one subscriber, guarded by floor.mu.
type floorSub struct {
	ctx *srtp.Context
	to  unix.RawSockaddrInet4
}

const (
	floorAudio, floorVideo = 1001, 1002
	floorPTAudio           = 111
	floorPTVideo           = 96
	floorBatchSize         = 32
)

func newFloor(kind string) (backend, error) {
	sends := map[string]func(*floorBatch){
		"floor-sendto": (*floorBatch).sendto, "floor-sendmmsg": (*floorBatch).sendmmsg, "floor-gso": (*floorBatch).gso,
	}
	send, ok := sends[kind]
	if !ok {
		return nil, fmt.Errorf("there is no server %q", kind)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	// The size is a wish: the kernel caps it.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 4<<20)
	if err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := &floor{fd: fd, send: send, cancel: cancel}
	f.wg.Go(func() { f.play(ctx) })
	return f, nil
}

func (f *floor) close() error {
	f.cancel()
	f.wg.Wait()
	return unix.Close(f.fd)
}

func (f *floor) join(j *wire.Join, _ func(wire.Message)) (participant, error) {
	if j.Plain == nil {
		return nil, errors.New("the server has no WebRTC: join with an address and keys")
	}
	addr, err := netip.ParseAddrPort(j.Plain.Addr)
	if err != nil || !addr.Addr().Is4() {
		return nil, errors.New("join with the address of an IPv4 socket")
	}
	s := &floorSub{to: unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: addr.Addr().As4()}}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&s.to.Port))[:], addr.Port())
	s.ctx, err = srtp.CreateContext(j.Plain.Key, j.Plain.Salt, srtp.ProtectionProfileAeadAes128Gcm)
	if err != nil {
		return nil, err
	}
	if j.Subscribe {
		f.mu.Lock()
		f.subs, f.key = append(f.subs, s), true
		f.mu.Unlock()
	}
	return floorPeer{f, s}, nil
}

type floorPeer struct {
	floor *floor
	sub   *floorSub
}

func (p floorPeer) signal(*wire.Signal) error { return errors.New("there is nothing to negotiate") }

func (p floorPeer) leave() {
	p.floor.mu.Lock()
	defer p.floor.mu.Unlock()
	p.floor.subs = slices.DeleteFunc(p.floor.subs, func(s *floorSub) bool { return s == p.sub })
}

// play is the goroutine that sends everything.
func (f *floor) play(ctx context.Context) {
	const frame, packet = time.Second / shape.FrameRate, time.Second / shape.AudioRate
	frames := shape.NewFrames(0)
	layers := shape.Layers()
	rate := layers[len(layers)-1]
	audio := &floorStream{header: rtp.Header{Version: 2, PayloadType: floorPTAudio, SSRC: floorAudio}, step: 48000 / shape.AudioRate}
	video := &floorStream{header: rtp.Header{Version: 2, PayloadType: floorPTVideo, SSRC: floorVideo}, step: 90000 / shape.FrameRate}
	batch := newFloorBatch(f.fd)
	nextAudio := time.Now()
	nextVideo := nextAudio.Add(packet / 2)
	for ctx.Err() == nil {
		next := nextAudio
		if nextVideo.Before(next) {
			next = nextVideo
		}
		time.Sleep(time.Until(next))
		f.mu.Lock()
		if next == nextAudio {
			nextAudio = nextAudio.Add(packet)
			f.distribute(batch, audio.stamp([][]byte{make([]byte, shape.OpusBytes)}))
		} else {
			nextVideo = nextVideo.Add(frame)
			frames.Next()
			f.distribute(batch, video.stamp(frames.Payloads(rate, f.key)))
			f.key = false
		}
		f.mu.Unlock()
	}
}

// distribute encrypts packets for each subscriber and sends them.
func (f *floor) distribute(b *floorBatch, packets [][]byte) {
	for _, s := range f.subs {
		for _, p := range packets {
			b.add(s, p)
		}
		if b.full(len(packets)) {
			f.send(b)
			b.n = 0
		}
	}
	f.send(b)
	b.n = 0
}

// floorStream numbers and stamps packets.
type floorStream struct {
	header rtp.Header
	step   uint32
	count  uint32
}

func (s *floorStream) stamp(payloads [][]byte) [][]byte {
	s.header.Timestamp += s.step
	packets := make([][]byte, len(payloads))
	for i, payload := range payloads {
		s.header.SequenceNumber++
		s.header.Marker = i == len(payloads)-1
		shape.Stamp{Stream: s.header.SSRC, Number: s.count, Sent: time.Now().UnixNano()}.Put(payload)
		s.count++
		b := make([]byte, s.header.MarshalSize()+len(payload))
		n, err := s.header.MarshalTo(b)
		if err != nil {
			return nil
		}
		copy(b[n:], payload)
		packets[i] = b
	}
	return packets
}
