package recorder

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"github.com/pausepoint/pausepoint/room/event"
)

// memory is an Index in memory.
type memory struct {
	mu   sync.Mutex
	rows map[string]Segment
	fail error         // what every method returns, if set
	slow time.Duration // how long it takes to add a row
	gets int           // how often one row was asked for
}

func newMemory() *memory { return &memory{rows: map[string]Segment{}} }

func (m *memory) setFail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

func (m *memory) InsertSegment(_ context.Context, s Segment) error {
	time.Sleep(m.slow)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		m.rows[s.ID] = s
	}
	return m.fail
}

func (m *memory) FinishSegment(_ context.Context, id string, end, bytes int64, sum string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.rows[id]
	if m.fail != nil || !ok {
		return cmp.Or(m.fail, ErrNotFound)
	}
	s.End, s.Bytes, s.SHA256, s.Finished = end, bytes, sum, true
	m.rows[id] = s
	return nil
}

func (m *memory) GetSegment(_ context.Context, id string) (Segment, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gets++
	s, ok := m.rows[id]
	if !ok {
		return s, ErrNotFound
	}
	return s, nil
}

func (m *memory) list(keep func(Segment) bool) []Segment {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Segment
	for _, s := range m.rows {
		if keep(s) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Segment) int { return cmp.Or(cmp.Compare(a.Start, b.Start), strings.Compare(a.ID, b.ID)) })
	return out
}

func (m *memory) all() []Segment { return m.list(func(Segment) bool { return true }) }

func (m *memory) ListSegments(_ context.Context, session string) ([]Segment, error) {
	return m.list(func(s Segment) bool { return s.Session == session }), nil
}

func (m *memory) ListUnfinishedSegments(context.Context) ([]Segment, error) {
	return m.list(func(s Segment) bool { return !s.Finished }), nil
}

func (m *memory) ListUnstoredSegments(context.Context) ([]Segment, error) {
	unstored := m.list(func(s Segment) bool { return s.Finished && !s.Stored })
	slices.SortFunc(unstored, func(a, b Segment) int { return strings.Compare(a.ID, b.ID) })
	return unstored, nil
}

func (m *memory) SetSegmentStored(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.rows[id]
	if !ok {
		return ErrNotFound
	}
	s.Stored, s.Elsewhere = true, false
	m.rows[id] = s
	return nil
}

func (m *memory) DeleteSegment(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, id)
	return nil
}

// prove keeps proofs of what was erased in kept, and removes its rows, as a journal does.
func (m *memory) prove(kept *event.RecordingErased) func(event.RecordingErased) error {
	return func(p event.RecordingErased) error {
		*kept = p
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, f := range p.Files {
			delete(m.rows, f.ID)
		}
		return nil
	}
}

func (m *memory) DeleteSegments(_ context.Context, session string) error {
	for _, s := range m.list(func(s Segment) bool { return s.Session == session }) {
		delete(m.rows, s.ID)
	}
	return nil
}

// hall is a Room whose tracks are fed by the test.
type hall struct {
	tracks []Track
}

func (h hall) Tap(started func(Track)) (func(), error) {
	for _, t := range h.tracks {
		started(t)
	}
	return func() {}, nil
}

// feed is a Track that the test writes to.
type feed struct {
	info  TrackInfo
	items chan Item
	asked func() // on a request for a key frame
	trip  func() time.Duration
	once  sync.Once
	quit  chan struct{}
	keys  int
	mu    sync.Mutex
}

func newFeed(info TrackInfo) *feed {
	return &feed{info: info, items: make(chan Item, 4096), quit: make(chan struct{})}
}

func (f *feed) Info() TrackInfo { return f.info }

func (f *feed) Next(ctx context.Context) (Item, error) {
	select {
	case i := <-f.items:
		return i, nil
	default:
	}
	select {
	case i := <-f.items:
		return i, nil
	case <-f.quit:
		return Item{}, io.EOF
	case <-ctx.Done():
		return Item{}, ctx.Err()
	}
}

func (f *feed) RequestKeyFrame() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys++
	if f.asked != nil {
		f.asked()
	}
}

func (f *feed) RoundTrip() time.Duration {
	if f.trip == nil {
		return 0
	}
	return f.trip()
}

func (f *feed) requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keys
}

func (f *feed) Close() { f.once.Do(func() { close(f.quit) }) }

func audioInfo(member string) TrackInfo {
	return TrackInfo{Publication: member + "-audio", Member: member, Source: "audio", Mime: "audio/opus", ClockRate: 48000, Channels: 2}
}

func videoInfo(member string) TrackInfo {
	return TrackInfo{Publication: member + "-camera", Member: member, Source: "camera", Mime: "video/VP8", ClockRate: 90000}
}

// sending describes how samples travel. Times in seconds.
type sending struct {
	delay, jitter float64 // to the server, jitter evenly from 0
	loss          float64 // of packets that are lost for good
	resent        float64 // of packets that come 200 ms later
	ahead         float64 // how far the sender's wall clock is ahead of the true one
	skew          float64 // how much faster its media clock runs, e.g. 1e-4
	drift         float64 // the same of its wall clock
	capture       float64 // from capture to sending
	firstReport   float64 // after the first sample; 0 for never
	reportEvery   float64
	seed          uint64
}

// timed is an item that is to arrive at a time after the begin, in seconds.
type timed struct {
	at   float64
	item Item
}

// packetised turns samples into what arrives, in the order of arrival. captured gives the true time of each sample's RTP timestamp.
func packetised(info TrackInfo, samples []sample, s sending) (out []timed, captured []float64) {
	rnd := rand.New(rand.NewPCG(s.seed, 1))
	var payloader rtp.Payloader = &codecs.OpusPayloader{}
	if isVideo(info.Mime) {
		payloader = &codecs.VP8Payloader{EnablePictureID: true}
	}
	base, seq := rnd.Uint32(), uint16(rnd.Uint32())
	stamp := func(at float64) uint32 {
		return base + uint32(int64(math.Round(at*float64(info.ClockRate)*(1+s.skew))))
	}
	for _, x := range samples {
		captured = append(captured, x.at)
		parts := payloader.Payload(1200, x.data)
		for i, part := range parts {
			p := &rtp.Packet{Header: rtp.Header{
				Version: 2, SequenceNumber: seq, Timestamp: stamp(x.at), SSRC: 7, Marker: i == len(parts)-1,
			}, Payload: part}
			seq++
			at := x.at + s.capture + s.delay + s.jitter*rnd.Float64()
			switch r := rnd.Float64(); {
			case r < s.loss:
				continue
			case r < s.loss+s.resent:
				at += 0.2
			}
			out = append(out, timed{at, Item{Packet: p}})
		}
	}
	begin, end := samples[0].at, samples[len(samples)-1].at
	for at := begin + s.firstReport; s.firstReport > 0 && at < end; at += s.reportEvery {
		ntp := at*(1+s.drift) + s.ahead + 3_900_000_000
		r := SenderReport{NTP: uint64(ntp)<<32 | uint64((ntp-math.Floor(ntp))*(1<<32)), RTP: stamp(at)}
		out = append(out, timed{at + s.delay + s.jitter*rnd.Float64(), Item{Report: &r}})
	}
	slices.SortStableFunc(out, func(a, b timed) int { return cmp.Compare(a.at, b.at) })
	return out, captured
}

// play lets items arrive at their times, until the feed is closed. It is to be called in a synctest bubble.
func play(f *feed, begin time.Time, items []timed) {
	for _, i := range items {
		select {
		case <-time.After(time.Until(begin.Add(time.Duration(i.at * float64(time.Second))))):
		case <-f.quit:
			return
		}
		i.item.Arrival = time.Now()
		f.items <- i.item
	}
}

// quiet is a log for tests.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// plenty is a disk with room.
func plenty(string) (uint64, error) { return 1 << 40, nil }

func newRecorder(t testing.TB, cfg Config) (*Recorder, *memory) {
	t.Helper()
	index, ok := cfg.Segments.(*memory)
	if !ok {
		index = newMemory()
		cfg.Segments = index
	}
	cfg.Dir = cmp.Or(cfg.Dir, t.TempDir())
	cfg.Log = quiet()
	if cfg.Free == nil {
		cfg.Free = plenty
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r, index
}

// sessionClock counts ms from from.
func sessionClock(from float64) func() float64 {
	begin := time.Now()
	return func() float64 { return from + float64(time.Since(begin))/float64(time.Millisecond) }
}

var errTest = errors.New("as the test wants it")

// repeat makes samples of a length in seconds by going round the encoded ones, which begin with a key frame.
func repeat(samples []sample, every, length float64) []sample {
	var out []sample
	for i := 0; float64(i)*every < length; i++ {
		out = append(out, sample{float64(i) * every, samples[i%len(samples)].data})
	}
	return out
}
