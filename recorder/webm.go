package recorder

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/at-wat/ebml-go"
	"github.com/at-wat/ebml-go/webm"
)

const (
	trackNumber   = 1
	matroskaVideo = 1
	matroskaAudio = 2
)

// webmHeader returns what comes before the first cluster (RFC 9559): a segment of unknown size, so that nothing needs to be
// corrected at the end of the file. The duration is in ms, 0 where it is not known.
func webmHeader(track webm.TrackEntry, duration int64) ([]byte, error) {
	doc := struct {
		Header  webm.EBMLHeader `ebml:"EBML"`
		Segment struct {
			Info   webm.Info   `ebml:"Info"`
			Tracks webm.Tracks `ebml:"Tracks"`
		} `ebml:"Segment,size=unknown"`
	}{Header: *webm.DefaultEBMLHeader}
	doc.Segment.Info = webm.Info{TimecodeScale: 1_000_000, MuxingApp: "pausepoint", WritingApp: "pausepoint", Duration: float64(duration)} // ms
	doc.Segment.Tracks.TrackEntry = []webm.TrackEntry{track}
	var b bytes.Buffer
	if err := ebml.Marshal(&doc, &b); err != nil {
		return nil, fmt.Errorf("marshal WebM header: %w", err)
	}
	return b.Bytes(), nil
}

// vp8Track describes a track of VP8 frames of a size in pixels.
func vp8Track(width, height int) webm.TrackEntry {
	return webm.TrackEntry{
		TrackNumber: trackNumber, TrackUID: trackNumber, CodecID: "V_VP8", TrackType: matroskaVideo,
		Video: &webm.Video{PixelWidth: uint64(width), PixelHeight: uint64(height)},
	}
}

// opusTrack describes a track of Opus packets.
func opusTrack(channels uint16) webm.TrackEntry {
	channels = min(max(channels, 1), 2)
	return webm.TrackEntry{
		TrackNumber: trackNumber, TrackUID: trackNumber, CodecID: "A_OPUS", TrackType: matroskaAudio,
		CodecPrivate: opusHead(channels), SeekPreRoll: 80_000_000, // ns, RFC 7845 section 4.6
		Audio: &webm.Audio{SamplingFrequency: 48000, Channels: uint64(channels)},
	}
}

// opusHead is the identification header (RFC 7845 section 5.1), without pre-skip: a call has no begin to trim.
func opusHead(channels uint16) []byte {
	b := append([]byte("OpusHead"), 1, byte(channels), 0, 0)
	b = binary.LittleEndian.AppendUint32(b, 48000)
	return append(b, 0, 0, 0) // gain, mapping family
}

// cluster is a stretch of blocks that is written at once. Times are ms from the begin of the file.
type cluster struct {
	start  int64
	end    int64 // where the last frame ends
	bytes  int
	blocks []ebml.Block
	shown  int64 // how long the last frame is shown, if that is known; else 0
}

// fits reports whether a block at this time belongs to the cluster: it has at most a second, and bounded bytes.
func (c *cluster) fits(at int64) bool {
	return len(c.blocks) == 0 || at-c.start < 1000 && at >= c.start && c.bytes < maxFrame
}

func (c *cluster) add(at int64, f frame) {
	if len(c.blocks) == 0 {
		c.start = at
	}
	c.blocks = append(c.blocks, ebml.Block{
		TrackNumber: trackNumber, Timecode: int16(at - c.start), Keyframe: f.key, Data: [][]byte{f.data},
	})
	c.bytes += len(f.data)
	c.end = max(c.end, at+int64(f.duration+0.5))
}

// last is when the last block begins.
func (c *cluster) last() int64 {
	if len(c.blocks) == 0 {
		return c.start
	}
	return c.start + int64(c.blocks[len(c.blocks)-1].Timecode)
}

// until says that the last frame is shown until at.
func (c *cluster) until(at int64) {
	if len(c.blocks) > 0 && at > c.last() {
		c.shown, c.end = at-c.last(), at
	}
}

// split takes the last block out, into a cluster of its own; the frame before is shown until then.
func (c *cluster) split() cluster {
	n := len(c.blocks) - 1
	block := c.blocks[n]
	size := 0
	for _, d := range block.Data {
		size += len(d)
	}
	tail := cluster{start: c.last(), end: c.end, bytes: size}
	c.blocks, c.bytes = c.blocks[:n], c.bytes-size
	c.until(tail.start)
	block.Timecode = 0
	tail.blocks = []ebml.Block{block}
	return tail
}

// writtenCluster is a cluster as it is in the file. All blocks but the last end where the next begins. The last has a group with its
// duration: a player that estimates it takes a later frame for one after a gap, and drops all until the next key frame
// (Media Source Extensions, coded frame processing).
type writtenCluster struct {
	Timecode    uint64            `ebml:"Timecode"`
	SimpleBlock []ebml.Block      `ebml:"SimpleBlock"`
	BlockGroup  []webm.BlockGroup `ebml:"BlockGroup"`
}

// marshal returns the cluster's bytes, of known size.
func (c *cluster) marshal() ([]byte, error) {
	w := writtenCluster{Timecode: uint64(c.start), SimpleBlock: c.blocks}
	if n := len(c.blocks) - 1; n >= 0 && c.shown > 0 {
		w.SimpleBlock, w.BlockGroup = c.blocks[:n], []webm.BlockGroup{c.lastGroup()}
	}
	doc := struct {
		Cluster writtenCluster `ebml:"Cluster"`
	}{w}
	b := bytes.NewBuffer(make([]byte, 0, c.bytes+16*len(c.blocks)+64))
	if err := ebml.Marshal(&doc, b); err != nil {
		return nil, fmt.Errorf("marshal WebM cluster: %w", err)
	}
	return checked(b.Bytes()), nil
}

// checked puts a checksum at the begin of a cluster (RFC 8794 section 11.3.1).
func checked(cluster []byte) []byte {
	el, _ := readElement(cluster)
	const length = 2 + crc32.Size
	b := make([]byte, 0, len(cluster)+length+8)
	b = binary.BigEndian.AppendUint32(b, idCluster)
	b = binary.BigEndian.AppendUint64(b, 1<<56|uint64(len(el.body)+length)) // a size of 8 bytes
	b = append(b, idCRC32, 0x80|crc32.Size)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(el.body))
	return append(b, el.body...)
}

// lastGroup is the last block with its duration. In a group, a frame is a key frame unless it names another (RFC 9559 section 10.2):
// the one before it, whose time does not matter to decoders.
func (c *cluster) lastGroup() webm.BlockGroup {
	block := c.blocks[len(c.blocks)-1]
	g := webm.BlockGroup{BlockDuration: uint64(c.shown), Block: block}
	if !block.Keyframe {
		g.ReferenceBlock = -1
		if n := len(c.blocks); n > 1 {
			g.ReferenceBlock = int64(c.blocks[n-2].Timecode) - int64(block.Timecode)
		}
	}
	g.Block.Keyframe = false
	return g
}
