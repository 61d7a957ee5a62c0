package negotiate

import (
	"fmt"
	"slices"
	"strconv"
)

const protocol = "UDP/TLS/RTP/SAVPF"

// Header extensions that the server offers where it sends.
const (
	idMID = iota + 1
	idTransportCC
	idOrientation
	idLevel
)

// Track is what a section sends.
type Track struct {
	Codec     Codec  // as it was published: the payload types are chosen here
	StreamID  string // the media stream; what one member publishes is played in sync
	TrackID   string
	SSRC, RTX uint32 // RTX is 0 if there are no retransmissions
}

// Sending is one media section of a connection on which the server sends. Its place and mid are its own for good.
type Sending struct {
	MID   string
	Audio bool
	track *Track // nil if nothing is sent
	state sectionState
}

type sectionState int

const (
	idle    sectionState = iota // nothing is sent, as the member knows
	used                        // a track
	leaving                     // nothing is sent any more, which the member has not answered yet
	dead                        // the member refused it
)

// Accepted is what a member has agreed to receive in a section. The zero value says nothing.
type Accepted struct {
	Codec       Codec // PayloadType and RTX are those to send with
	RED         uint8 // payload type of RED around Opus, 0 if not accepted
	NACK        bool  // lost packets may be asked for, and there is a stream to repeat them on
	TransportCC uint8 // id of the extension, 0 if not accepted
	Orientation uint8
	Level       uint8
}

// Sections are the media sections of one connection on which the server sends, in their order. Sections that are not used any
// more are used again for tracks of their kind, but only after the member has answered an offer without the old one: a browser tells of a
// new track only then.
type Sections struct {
	list  []*Sending
	types []Codec // that tracks had
	mids  int
}

// Len returns how many sections there are, used or not.
func (s *Sections) Len() int { return len(s.list) }

// Add finds or makes a section for a track. It reports false if there are no more sections, or if the codec is none that
// is sent.
func (s *Sections) Add(t Track) (*Sending, bool) {
	codec, ok := sent(t.Codec)
	if !ok {
		return nil, false
	}
	t.Codec = codec
	audio := codec.MimeType == Opus
	for _, sec := range s.list {
		if sec.state == idle && sec.Audio == audio || sec.state == dead {
			if sec.state == dead { // RFC 8829 section 5.2.2: with a new mid, it may even be of another kind
				sec.MID, sec.Audio = s.mid(), audio
			}
			sec.track, sec.state = &t, used
			s.note(codec)
			return sec, true
		}
	}
	if len(s.list) == MaxSections {
		return nil, false
	}
	sec := &Sending{MID: s.mid(), Audio: audio, track: &t, state: used}
	s.list = append(s.list, sec)
	s.note(codec)
	return sec, true
}

// note remembers a codec for the sections that are idle.
func (s *Sections) note(c Codec) {
	if !slices.ContainsFunc(s.types, func(t Codec) bool { return t.PayloadType == c.PayloadType }) {
		s.types = append(s.types, c)
	}
}

func (s *Sections) mid() string {
	s.mids++
	return strconv.Itoa(s.mids - 1)
}

// Remove ends a section's track.
func (s *Sections) Remove(sec *Sending) {
	if sec.state == used {
		sec.track, sec.state = nil, leaving
	}
}

// Offer writes the offer.
func (s *Sections) Offer(l Local) string {
	var w writer
	var mids []string
	for _, sec := range s.list {
		if sec.state != dead {
			mids = append(mids, sec.MID)
		}
	}
	w.session(l, mids, true)
	first := true
	for _, sec := range s.list {
		if sec.state == dead {
			w.refuse(sec.kind(), protocol, "0", sec.MID)
			continue
		}
		s.write(&w, sec, l, first)
		first = false
	}
	return w.String()
}

func (s *Sections) write(w *writer, sec *Sending, l Local, first bool) {
	list := s.codecs(sec)
	w.media(sec.kind(), protocol, list)
	w.transport(l, "actpass", sec.MID, first)
	if sec.track == nil {
		w.line("a=inactive")
	} else {
		w.line("a=sendonly")
		w.line("a=msid:", sec.track.StreamID, " ", sec.track.TrackID)
	}
	w.extensions(sec.extensions())
	w.codecs(list)
	if sec.track != nil {
		w.sources(sec.track)
	}
}

// codecs are what a section offers: its track's, or while there is none what any track of its kind had.
func (s *Sections) codecs(sec *Sending) []Codec {
	var list []Codec
	switch {
	case sec.track != nil:
		list = []Codec{sec.track.Codec}
	default:
		for _, t := range s.types {
			if (t.MimeType == Opus) == sec.Audio {
				list = append(list, t)
			}
		}
	}
	if !sec.Audio {
		return list
	}
	return append([]Codec{redSent}, list...)
}

func (sec *Sending) kind() string {
	if sec.Audio {
		return "audio"
	}
	return "video"
}

func (sec *Sending) extensions() []Extension {
	list := []Extension{{ID: idMID, URI: ExtMID}, {ID: idTransportCC, URI: ExtTransportCC}}
	if !sec.Audio {
		list = append(list, Extension{ID: idOrientation, URI: ExtOrientation})
	}
	return list
}

// sources names the SSRCs (RFC 5576).
func (w *writer) sources(t *Track) {
	ssrcs := []uint32{t.SSRC}
	if t.RTX != 0 && t.Codec.RTX != 0 {
		ssrcs = append(ssrcs, t.RTX)
		w.line("a=ssrc-group:FID ", long(t.SSRC), " ", long(t.RTX))
	}
	for _, n := range ssrcs {
		w.line("a=ssrc:", long(n), " cname:", t.StreamID)
		w.line("a=ssrc:", long(n), " msid:", t.StreamID, " ", t.TrackID)
	}
}

func long(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// Answer reads the member's answer to the newest offer: what it accepts, by section. Sections without a track are not among
// them. After an error the sections are as they were.
func (s *Sections) Answer(text string) (Transport, map[*Sending]Accepted, error) {
	d, t, err := read(text)
	if err != nil {
		return t, nil, err
	}
	if len(d.MediaDescriptions) != len(s.list) {
		return t, nil, fmt.Errorf("%w: an answer has as many media sections as its offer", ErrBad)
	}
	for i, m := range d.MediaDescriptions {
		mid, _ := m.Attribute("mid")
		if mid != s.list[i].MID && (mid != "" || m.MediaName.Port.Value != 0) || m.MediaName.Media != s.list[i].kind() {
			return t, nil, fmt.Errorf("%w: its media sections are not those of the offer", ErrBad)
		}
	}
	accepted := make(map[*Sending]Accepted)
	for i, m := range d.MediaDescriptions {
		sec := s.list[i]
		_, inactive := m.Attribute("inactive")
		switch {
		case refused(m):
			sec.track, sec.state = nil, dead
		case sec.state == leaving:
			sec.state = idle
		case sec.state == used && !inactive:
			if a, ok := sec.accept(codecs(m), extensions(m, sec.Audio)); ok {
				accepted[sec] = a
			}
		}
	}
	return t, accepted, nil
}

// accept compares an answered section with what was offered.
func (sec *Sending) accept(answered []Codec, extensions []Extension) (a Accepted, ok bool) {
	i := slices.IndexFunc(answered, func(c Codec) bool {
		return c.PayloadType == sec.track.Codec.PayloadType && c.MimeType == sec.track.Codec.MimeType
	})
	if i < 0 {
		return a, false
	}
	a.Codec = sec.track.Codec
	a.Codec.RTX = 0
	if answered[i].RTX == sec.track.Codec.RTX {
		a.Codec.RTX = answered[i].RTX
	}
	a.NACK = a.Codec.RTX != 0 && answered[i].NACK()
	for _, c := range answered {
		if c.MimeType == RED && c.PayloadType == redSent.PayloadType {
			a.RED = redSent.PayloadType
		}
	}
	for _, e := range extensions {
		switch {
		case e.ID == idTransportCC && e.URI == ExtTransportCC:
			a.TransportCC = e.ID
		case e.ID == idOrientation && e.URI == ExtOrientation:
			a.Orientation = e.ID
		case e.ID == idLevel && e.URI == ExtAudioLevel:
			a.Level = e.ID
		}
	}
	return a, true
}

// Refused reports whether the member refused the section in its newest answer.
func (sec *Sending) Refused() bool { return sec.state == dead }
