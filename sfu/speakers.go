package sfu

import (
	"slices"
	"sync/atomic"
	"time"
)

// Who speaks is decided every speakerTick from the mean audio level (RFC 6464: 0 is loudest, 127 silence).
const (
	speakerTick   = 100 * time.Millisecond
	startLevel    = 45 // -dBov: louder than this for startTicks begins speech
	keepLevel     = 52 // -dBov: louder than this goes on with it
	startTicks    = 2
	hangoverTicks = 6
)

// levelMeter collects audio levels between two ticks: the reader adds, the room's goroutine takes. The packed value is
// count<<32 | sum.
type levelMeter struct{ packed atomic.Uint64 }

func (m *levelMeter) add(level uint8) { m.packed.Add(1<<32 | uint64(level)) }

func (m *levelMeter) take() (mean int, ok bool) {
	v := m.packed.Swap(0)
	count, sum := v>>32, v&0xffffffff
	if count == 0 {
		return 127, false
	}
	return int(sum / count), true //nolint:gosec // at most 127
}

// speech is the detector of one publication. It is pure.
type speech struct {
	loud, quiet int // ticks in a row
	speaking    bool
}

// tick takes the mean level since the last tick and returns whether the member speaks.
func (s *speech) tick(level int) bool {
	if s.speaking {
		s.quiet++
		if level <= keepLevel {
			s.quiet = 0
		}
		if s.quiet >= hangoverTicks {
			*s = speech{}
		}
		return s.speaking
	}
	s.loud++
	if level > startLevel {
		s.loud = 0
	}
	if s.loud >= startTicks {
		*s = speech{speaking: true}
	}
	return s.speaking
}

// speakers is owned by a room's goroutine.
type speakers struct {
	detectors map[*Publication]*speech
	now       []string
}

func newSpeakers() *speakers { return &speakers{detectors: make(map[*Publication]*speech)} }

// update takes the levels of all microphones and returns who speaks, sorted, and how loud.
func (s *speakers) update(pubs []*Publication) (members []string, levels map[string]int, changed bool) {
	levels = make(map[string]int)
	live := make(map[*Publication]*speech, len(s.detectors))
	for _, p := range pubs {
		if p.info.Source != SourceAudio {
			continue
		}
		d := s.detectors[p]
		if d == nil {
			d = &speech{}
		}
		live[p] = d
		level, _ := p.levels.take()
		if d.tick(level) {
			members = append(members, p.info.Member)
			levels[p.info.Member] = -level
		}
	}
	s.detectors = live
	slices.Sort(members)
	if slices.Equal(members, s.now) {
		return nil, nil, false
	}
	s.now = members
	return slices.Clone(members), levels, true
}
