package signaling

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"

	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
)

const (
	taped = "the-session"
	amara = "01890000-0000-7000-8000-00000000000a"
	ben   = "01890000-0000-7000-8000-00000000000b"
)

// slowJournal keeps one session's journal, and commits when it is told to.
type slowJournal struct {
	mu      sync.Mutex
	stored  []event.Event
	epoch   int64
	held    bool
	waiting []func(error)
}

func (j *slowJournal) Own(context.Context, string) (int64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.epoch++
	return j.epoch, nil
}

func (j *slowJournal) Disown(context.Context, string, int64) error { return nil }

func (j *slowJournal) Load(context.Context, string) ([]event.Event, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.stored), nil
}

func (j *slowJournal) Append(_ string, _ int64, events []event.Event, done func(error)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	events = slices.Clone(events)
	commit := func(err error) {
		if err == nil {
			j.stored = append(j.stored, events...)
		}
		done(err)
	}
	if j.held {
		j.waiting = append(j.waiting, commit)
		return
	}
	commit(nil)
}

// hold lets no commit through until commit is called.
func (j *slowJournal) hold() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.held = true
}

// commit ends the oldest n commits that wait, and holds the others.
func (j *slowJournal) commit(n int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, commit := range j.waiting[:n] {
		commit(err)
	}
	j.waiting = j.waiting[n:]
}

// letGo holds nothing back any more.
func (j *slowJournal) letGo(err error) {
	j.mu.Lock()
	waiting := len(j.waiting)
	j.held = false
	j.mu.Unlock()
	j.commit(waiting, err)
}

// Plan implements room.Plans.
func (*slowJournal) Plan(context.Context, string) (room.Plan, error) {
	return room.Plan{Session: event.Session{Kind: event.Conversation}}, nil
}

// rows is an index in memory.
type rows struct {
	recorder.Index
	mu  sync.Mutex
	all []recorder.Segment
}

func (x *rows) InsertSegment(_ context.Context, s recorder.Segment) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.all = append(x.all, s)
	return nil
}

func (x *rows) FinishSegment(_ context.Context, id string, end, size int64, sum string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	i := slices.IndexFunc(x.all, func(s recorder.Segment) bool { return s.ID == id })
	x.all[i].End, x.all[i].Bytes, x.all[i].SHA256, x.all[i].Finished = end, size, sum, true
	return nil
}

func (x *rows) SetSegmentStored(context.Context, string) error { return nil }

func (x *rows) ListSegments(context.Context, string) ([]recorder.Segment, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.all), nil
}

// stageDoor is a media room in which each member has a microphone; what is tapped is a new track each time.
type stageDoor struct {
	mu     sync.Mutex
	refuse error
	mics   []*mic
}

func (d *stageDoor) Tap(started func(recorder.Track)) (stop func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refuse != nil {
		return nil, d.refuse
	}
	for _, member := range []string{amara, ben} {
		m := &mic{member: member, items: make(chan recorder.Item, 1024), quit: make(chan struct{})}
		d.mics = append(d.mics, m)
		started(m)
	}
	return func() {}, nil
}

// mic is a tapped microphone.
type mic struct {
	member string
	items  chan recorder.Item
	once   sync.Once
	quit   chan struct{}
}

func (m *mic) Info() recorder.TrackInfo {
	return recorder.TrackInfo{Publication: m.member, Member: m.member, Source: "audio", Mime: "audio/opus", ClockRate: 48000, Channels: 2}
}

func (m *mic) Next(ctx context.Context) (recorder.Item, error) {
	select {
	case i := <-m.items:
		return i, nil
	case <-m.quit:
		return recorder.Item{}, io.EOF
	case <-ctx.Done():
		return recorder.Item{}, ctx.Err()
	}
}

func (m *mic) RequestKeyFrame()         {}
func (m *mic) RoundTrip() time.Duration { return 0 }
func (m *mic) Close()                   { m.once.Do(func() { close(m.quit) }) }

// silentConn is a member's connection that keeps nothing.
type silentConn struct{ _ int }

func (*silentConn) Send([]byte) bool { return true }
func (*silentConn) Close(event.Bye)  {}

// studio is a session with real rooms and a real recorder in a synctest bubble.
type studio struct {
	*testing.T
	dir      string
	journal  *slowJournal
	rows     *rows
	door     *stageDoor
	recorder *recorder.Recorder
	house    *room.House
	troubles *troubles
	room     *room.Room
	conns    map[string]*silentConn
	seq      uint16
	ids      int
}

func newStudio(t *testing.T, dir string) *studio {
	s := &studio{T: t, dir: dir, journal: &slowJournal{}, rows: &rows{}, door: &stageDoor{}, conns: map[string]*silentConn{}}
	quiet := slog.New(slog.DiscardHandler)
	var err error
	s.recorder, err = recorder.New(recorder.Config{
		Dir: dir, Segments: s.rows, Log: quiet, Notify: func(n recorder.Notice) { s.troubles.hear(n) },
		Free: func(string) (uint64, error) { return 1 << 40, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.troubles = newTroubles(func(session string, said said) {
		if r, ok := s.house.Live(session); ok {
			r.RecordingNotice(said.reason, said.from, said.to)
		}
	})
	tape := newTape(s.recorder, func(string) recorder.Room { return s.door }, s.troubles, quiet)
	s.house = room.NewHouse(room.Config{
		Journal: s.journal, Plans: s.journal, Before: tape.before,
		Observe: func(session string, events []event.Event) { tape.observe(session, events, s.house) },
	})
	s.enter(amara)
	s.enter(ben)
	return s
}

func (s *studio) end() {
	if err := s.house.Close(s.Context()); err != nil {
		s.Error(err)
	}
	if err := s.recorder.Close(); err != nil {
		s.Error(err)
	}
	s.troubles.close(s.Context())
}

// enter lets a member in, who agrees to being recorded.
func (s *studio) enter(member string) {
	s.Helper()
	s.conns[member] = &silentConn{}
	var err error
	who := room.Identity{ID: member, Name: "Name", Role: event.Focal}
	s.room, err = s.house.Connect(s.Context(), taped, who, s.conns[member], event.Hello{Consent: event.Agreed})
	if err != nil {
		s.Fatal(err)
	}
	synctest.Wait()
}

// do sends a command, and waits until the room has done what it can do without the journal.
func (s *studio) do(member string, c event.Command) {
	s.ids++
	s.room.Handle(member, s.conns[member], fmt.Sprintf("01890000-0000-7000-8000-%012d", s.ids), c)
	synctest.Wait()
}

// say lets everybody say a word for two seconds, in packets of 20 ms that each have it.
func (s *studio) say(word string) {
	for range 100 {
		s.seq++
		s.door.mu.Lock()
		for _, m := range s.door.mics {
			p := &rtp.Packet{
				Header:  rtp.Header{Version: 2, SequenceNumber: s.seq, Timestamp: uint32(s.seq) * 960},
				Payload: append([]byte{0xf8}, word...),
			}
			select {
			case m.items <- recorder.Item{Arrival: time.Now(), Packet: p}:
			case <-m.quit:
			}
		}
		s.door.mu.Unlock()
		time.Sleep(20 * time.Millisecond)
	}
	synctest.Wait()
}

// stored lists the words of a list that are on the disk, once nothing is being recorded any more.
func (s *studio) stored(words ...string) (found []string) {
	s.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, taped, "*.webm"))
	if err != nil {
		s.Fatal(err)
	}
	for _, word := range words {
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				s.Fatal(err)
			}
			if bytes.Contains(b, []byte(word)) {
				found = append(found, word)
				break
			}
		}
	}
	return found
}

// wantStored checks which of some words are on the disk.
func (s *studio) wantStored(words []string, want ...string) {
	s.Helper()
	if got := s.stored(words...); !slices.Equal(got, want) {
		s.Errorf("on the disk are %q, want %q", got, want)
	}
}

// inStudio runs a test in a synctest bubble.
func inStudio(t *testing.T, test func(s *studio)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, dir)
		test(s)
	})
}

// What is said after the press is not on the disk, however long the journal takes to keep it.
func TestOffTheRecordBeforeItIsDurable(t *testing.T) {
	for name, off := range map[string]event.Command{
		"off the record": event.RecordingStop{}, "consent taken back": event.MemberConsent{}, "the end": event.SessionEnd{},
	} {
		t.Run(name, func(t *testing.T) {
			inStudio(t, func(s *studio) {
				s.do(amara, event.RecordingStart{})
				s.say("on-the-record")
				s.journal.hold()
				s.do(ben, off)
				s.say("after-the-press")
				s.journal.letGo(nil)
				s.say("off-the-record")
				s.end()
				s.wantStored([]string{"on-the-record", "after-the-press", "off-the-record"}, "on-the-record")
			})
		})
	}
}

// A recording that was ended before its begin became durable does not begin; the next one does, once it is durable.
func TestARecordingThatIsOverDoesNotBegin(t *testing.T) {
	inStudio(t, func(s *studio) {
		s.journal.hold()
		s.do(amara, event.RecordingStart{})
		s.do(ben, event.RecordingStop{})
		s.do(amara, event.RecordingStart{})
		s.say("while-all-wait")
		s.journal.commit(1, nil)
		synctest.Wait()
		s.say("begun-and-ended")
		s.journal.commit(1, nil)
		synctest.Wait()
		s.say("off-the-record")
		s.journal.letGo(nil)
		synctest.Wait()
		s.say("begun-again")
		s.do(ben, event.RecordingStop{})
		s.end()
		s.wantStored([]string{"while-all-wait", "begun-and-ended", "off-the-record", "begun-again"}, "begun-again")
	})
}

// When it cannot be kept that the recording has ended, people come back to a session that is recorded on.
func TestAnEndThatIsNotDurable(t *testing.T) {
	inStudio(t, func(s *studio) {
		s.do(amara, event.RecordingStart{})
		s.say("on-the-record")
		s.journal.hold()
		s.do(ben, event.RecordingStop{})
		s.say("after-the-press")
		s.journal.letGo(errors.New("the disk is full"))
		<-s.room.Done()
		s.enter(amara)
		s.say("recorded-on")
		s.do(amara, event.RecordingStop{})
		s.end()
		s.wantStored([]string{"on-the-record", "after-the-press", "recorded-on"}, "on-the-record", "recorded-on")
	})
}

// Who takes their consent back, agrees again, and is recorded again at once loses what was recorded before, and nothing else.
func TestAgreeingAgainAtOnce(t *testing.T) {
	inStudio(t, func(s *studio) {
		s.do(amara, event.RecordingStart{})
		s.say("to-be-removed")
		s.do(ben, event.MemberConsent{})
		s.do(ben, event.MemberConsent{Agree: true})
		s.do(amara, event.RecordingStart{})
		s.say("recorded-again")
		s.journal.mu.Lock()
		var erasure recorder.Erasure
		for _, e := range s.journal.stored {
			if x, ok := recorder.ErasureOf(taped, e); ok {
				erasure = x
			}
		}
		s.journal.mu.Unlock()
		proved := 0
		check := func(context.Context) error { return nil }
		if err := s.recorder.Erase(s.Context(), erasure, check, func(p event.RecordingErased) error { proved = len(p.Files); return nil }); err != nil {
			s.Fatal(err)
		}
		s.say("recorded-on")
		s.end()
		if proved != 1 {
			s.Errorf("%d files are proved to be gone, want that of the first recording", proved)
		}
		for _, x := range s.rows.all {
			kept := []string(nil)
			if b, err := os.ReadFile(filepath.Join(s.dir, taped, x.ID+".webm")); err == nil {
				for _, word := range []string{"to-be-removed", "recorded-again", "recorded-on"} {
					if bytes.Contains(b, []byte(word)) {
						kept = append(kept, word)
					}
				}
			}
			want := []string{"recorded-again", "recorded-on"}
			switch before := x.Start < erasure.Until; {
			case before && x.Member == ben:
				want = nil
			case before:
				want = []string{"to-be-removed"}
			}
			if !slices.Equal(kept, want) {
				s.Errorf("the file of %s from %d on has %q, want %q", x.Member, x.Start, kept, want)
			}
		}
	})
}

// Whose recording cannot begin is told so, as long as it is said to be on. The next one is another matter.
func TestARecordingThatCannotBegin(t *testing.T) {
	inStudio(t, func(s *studio) {
		latest := func() (r event.Recording) {
			for _, e := range s.journal.stored {
				if b, ok := e.Body.(event.RecordingChanged); ok {
					r = b.Recording
				}
			}
			return r
		}
		s.door.refuse = errors.New("the media room is closed")
		s.do(amara, event.RecordingStart{})
		time.Sleep(2 * gapFor)
		synctest.Wait()
		if r := latest(); r.State != event.RecordingOn || r.Reason != notBegun || r.MissingTo != 0 {
			s.Errorf("told of a recording that did not begin: %+v", r)
		}
		s.door.refuse = nil
		s.do(amara, event.RecordingStop{})
		s.do(amara, event.RecordingStart{})
		s.say("recorded")
		if r := latest(); r.State != event.RecordingOn || r.Reason != "" {
			s.Errorf("told of the next recording: %+v", r)
		}
		s.end()
		s.wantStored([]string{"recorded"}, "recorded")
	})
}
