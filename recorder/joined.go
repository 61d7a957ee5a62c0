package recorder

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/at-wat/ebml-go"

	"github.com/pausepoint/pausepoint/sfu/codec"
)

// maxSegment bounds what is read of one file: a minute of a picture has far less.
const maxSegment = 256 << 20

// Stretch is session time [From, To) that lies from At on in another time; all in milliseconds.
type Stretch struct {
	From, To, At int64
}

// Joined writes segments of one source of a member as one WebM file.
type Joined struct {
	Segments []Segment                            // by Start
	Open     func(Segment) (io.ReadCloser, error) // their files
	Place    []Stretch                            // where what is to be in it lies in the file; in order of both times
	Still    bool                                 // sound that is missing before another sound is written as silence
}

// opusSilence is 20 ms in which nothing is heard (RFC 6716 section 3.1): a stereo CELT frame.
var opusSilence = []byte{0xFC, 0xFF, 0xFE}

const silenceLength = 20 // ms

// Write writes the file. A picture begins with a key frame; of segments that overlap, the later one counts.
func (j Joined) Write(w io.Writer) error {
	if len(j.Segments) == 0 || len(j.Place) == 0 {
		return ErrNotFound
	}
	t := &joining{Joined: j, w: w, last: -1, sound: j.Segments[0].Mime == MimeOpus}
	for i, s := range j.Segments {
		until := int64(math.MaxInt64)
		if i+1 < len(j.Segments) {
			until = j.Segments[i+1].Start
		}
		if err := t.segment(s, until); err != nil {
			return fmt.Errorf("join segment %s: %w", s.ID, err)
		}
	}
	return t.finish()
}

// joining is the state of one Write.
type joining struct {
	Joined

	w      io.Writer
	sound  bool
	begun  bool
	open   cluster
	last   int64 // of the newest block, ms in the file
	key    bool  // a key frame is needed
	within int   // the stretch of the newest block
}

func (t *joining) segment(s Segment, until int64) error {
	f, err := t.Open(s)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSegment))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	t.key = !t.sound
	return eachCluster(b, func(c cluster) error {
		for i, block := range c.blocks {
			at := c.start + int64(block.Timecode)
			shown := c.end - at
			if i+1 < len(c.blocks) {
				shown = int64(c.blocks[i+1].Timecode) - int64(block.Timecode)
			}
			if err := t.block(s.Start+at, until, shown, block); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachCluster reads the clusters of a file.
func eachCluster(b []byte, do func(cluster) error) error {
	for len(b) > 0 {
		el, ok := readElement(b)
		if !ok {
			return nil
		}
		if el.id == idSegment {
			b = b[el.head:]
			continue
		}
		if el.id == idCluster {
			c, _ := readCluster(el.body)
			if err := do(c); err != nil {
				return err
			}
		}
		b = b[el.head+len(el.body):]
	}
	return nil
}

// block puts a block in that lies at a session time, if it is before until and in a stretch.
func (t *joining) block(at, until, shown int64, b ebml.Block) error {
	n := slices.IndexFunc(t.Place, func(s Stretch) bool { return s.From <= at && at < s.To })
	if n < 0 || at >= until || len(b.Data) != 1 || len(b.Data[0]) == 0 {
		return nil
	}
	if n != t.within { // what was between is not there to build on
		t.within, t.key = n, !t.sound
	}
	if t.key && !b.Keyframe {
		return nil
	}
	t.key = false
	place := t.Place[n]
	to := place.At + at - place.From
	if err := t.silence(to); err != nil {
		return err
	}
	return t.add(to, min(shown, place.To-at), b.Keyframe, b.Data[0])
}

// silence fills what is missing of sound before a time of the file.
func (t *joining) silence(to int64) error {
	if !t.sound || !t.Still {
		return nil
	}
	for at := t.open.end; at+silenceLength <= to; at += silenceLength {
		if err := t.add(at, silenceLength, true, opusSilence); err != nil {
			return err
		}
	}
	return nil
}

func (t *joining) add(at, shown int64, key bool, data []byte) error {
	if at = max(at, t.last+1); !t.open.fits(at) {
		if err := t.flush(); err != nil {
			return err
		}
	}
	f := frame{key: key, data: data, duration: float64(max(shown, 1))}
	if ticks, ok := codec.OpusTicks(data); ok && t.sound {
		f.duration = float64(ticks) / 48
	}
	t.open.add(at, f)
	if t.last = at; !t.sound {
		t.open.until(at + max(shown, 1))
	}
	return t.begin(data)
}

// begin writes what comes before the first cluster, once the first block is known.
func (t *joining) begin(first []byte) error {
	if t.begun {
		return nil
	}
	t.begun = true
	track := opusTrack(2)
	if !t.sound {
		h, _ := parseVP8Header(first) // no frame is stored of which that cannot be read
		track = vp8Track(h.width, h.height)
	}
	header, err := webmHeader(track, t.duration())
	if err == nil {
		_, err = t.w.Write(header)
	}
	return err
}

// duration is how long the file lasts at most, in ms.
func (t *joining) duration() int64 {
	end := int64(0)
	for _, s := range t.Segments {
		for _, p := range t.Place {
			if to := min(s.End, p.To); to > p.From {
				end = max(end, p.At+to-p.From)
			}
		}
	}
	return end
}

func (t *joining) flush() error {
	if len(t.open.blocks) == 0 {
		return nil
	}
	b, err := t.open.marshal()
	if err == nil {
		_, err = t.w.Write(b)
	}
	t.open = cluster{end: t.open.end}
	return err
}

func (t *joining) finish() error {
	if !t.begun {
		return ErrNotFound
	}
	return t.flush()
}

// Tracks sorts segments, which are in the order of their start, by member and source; the tracks are in the order in which they begin.
func Tracks(segments []Segment) (out [][]Segment) {
	index := map[[2]string]int{}
	for _, s := range segments {
		key := [2]string{s.Member, s.Source}
		n, ok := index[key]
		if !ok {
			n = len(out)
			index[key] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], s)
	}
	return out
}
