package recorder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/bits"
	"os"

	"github.com/at-wat/ebml-go"
)

// Recover finishes the segments that a crash left: each file is cut to what is whole in it, its end is read from it, and its row is
// finished. Segments without media are deleted. It must be called before the first Start. It goes on after an error and returns
// all of them; what it could not finish stays for the next time.
func (r *Recorder) Recover(ctx context.Context) (finished int, err error) {
	open, err := r.cfg.Segments.ListUnfinishedSegments(ctx)
	if err != nil {
		return 0, fmt.Errorf("list unfinished segments: %w", err)
	}
	var errs []error
	for _, seg := range open {
		if err := ctx.Err(); err != nil {
			return finished, errors.Join(append(errs, err)...)
		}
		done, err := r.recoverSegment(ctx, seg)
		if err != nil {
			r.cfg.Log.Error("a segment could not be recovered", "segment", seg.ID, "error", err)
			errs = append(errs, fmt.Errorf("recover segment %s: %w", seg.ID, err))
		}
		if done {
			finished++
		}
	}
	return finished, errors.Join(errs...)
}

func (r *Recorder) recoverSegment(ctx context.Context, seg Segment) (bool, error) {
	path, ok := r.files.path(seg.Session, seg.ID)
	if !ok {
		return false, r.cfg.Segments.DeleteSegment(ctx, seg.ID)
	}
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	whole, end := repairWebM(b)
	if end <= 0 {
		return false, r.discard(ctx, seg)
	}
	if err := r.files.sys.Cut(path, int64(len(whole))); err != nil { // what was read may not have been durable, even if nothing is cut
		return false, err
	}
	sum := sha256.Sum256(whole)
	err = r.cfg.Segments.FinishSegment(ctx, seg.ID, seg.Start+end, int64(len(whole)), hex.EncodeToString(sum[:]))
	return err == nil, err
}

// discard deletes a segment without media. Its row outlives its file: a file without a row would be nobody's.
func (r *Recorder) discard(ctx context.Context, seg Segment) error {
	if err := r.files.remove(seg.Session, seg.ID); err != nil {
		return err
	}
	return r.cfg.Segments.DeleteSegment(ctx, seg.ID)
}

// The elements that a segment file consists of (RFC 9559 section 5.1).
const (
	idEBML        = 0x1A45DFA3
	idSegment     = 0x18538067
	idInfo        = 0x1549A966
	idTracks      = 0x1654AE6B
	idCluster     = 0x1F43B675
	idCRC32       = 0xBF
	idTimestamp   = 0xE7
	idSimpleBlock = 0xA3
	idBlockGroup  = 0xA0
	idBlock       = 0xA1
	idDuration    = 0x9B
	idReference   = 0xFB
)

// repairWebM returns what is whole in a file that this package wrote and that a crash cut or spoilt after the last sync, and where
// its media ends, in ms; 0 if there is none. A cluster is whole if its checksum says so: the system may have stored some sectors of
// what was not synced, and not others.
func repairWebM(b []byte) (whole []byte, end int64) {
	for at := 0; ; {
		el, ok := readElement(b[at:])
		if !ok {
			return b[:at], end
		}
		switch {
		case el.id == idSegment:
			at += el.head
			continue
		case !el.whole || el.id == idCluster && !intact(el.body):
			return b[:at], end
		case el.id == idCluster:
			c, _ := readCluster(el.body)
			end = max(end, c.end)
		case el.id != idEBML && el.id != idInfo && el.id != idTracks:
			return b[:at], end
		}
		at += el.head + len(el.body)
	}
}

// intact reports whether a cluster's body is what its checksum was made of; it is the first element (RFC 8794 section 11.3.1).
func intact(body []byte) bool {
	el, ok := readElement(body)
	if !ok || !el.whole || el.id != idCRC32 || len(el.body) != crc32.Size {
		return false
	}
	return binary.LittleEndian.Uint32(el.body) == crc32.ChecksumIEEE(body[el.head+len(el.body):])
}

// readCluster reads a cluster's whole blocks.
func readCluster(b []byte) (c cluster, blocks int) {
	for {
		el, ok := readElement(b)
		if !ok || !el.whole {
			return c, len(c.blocks)
		}
		switch el.id {
		case idTimestamp:
			c.start = int64(min(readUint(el.body), 1<<40))
		case idSimpleBlock:
			block, err := ebml.UnmarshalBlock(bytes.NewReader(el.body), int64(len(el.body)))
			if err != nil {
				return c, len(c.blocks)
			}
			c.put(*block)
		case idBlockGroup:
			c.putGroup(el.body)
			return c, len(c.blocks)
		}
		b = b[el.head+len(el.body):]
	}
}

// put adds a block as it was read. The length of the last frame is not in the file: 20 ms are assumed.
func (c *cluster) put(b ebml.Block) {
	c.blocks = append(c.blocks, b)
	for _, d := range b.Data {
		c.bytes += len(d)
	}
	c.end = max(c.end, c.start+int64(b.Timecode)+20)
}

// putGroup adds the last block of a cluster, with how long it is shown, unless it cannot be read.
func (c *cluster) putGroup(b []byte) {
	var block *ebml.Block
	var shown uint64
	key := true
	for len(b) > 0 {
		el, ok := readElement(b)
		if !ok || !el.whole {
			return
		}
		switch el.id {
		case idBlock:
			block, _ = ebml.UnmarshalBlock(bytes.NewReader(el.body), int64(len(el.body))) // nil with an error
		case idDuration:
			shown = min(readUint(el.body), 1<<40)
		case idReference:
			key = false
		}
		b = b[el.head+len(el.body):]
	}
	if block != nil {
		block.Keyframe = key
		c.put(*block)
		c.until(c.last() + int64(shown))
	}
}

// element is the begin of an EBML element (RFC 8794 section 4).
type element struct {
	id    uint32
	head  int    // length of id and size, bytes
	body  []byte // as much as is there
	whole bool
}

// readElement reports false if not even the head is there.
func readElement(b []byte) (element, bool) {
	idLen := vintLength(b, 4)
	if idLen == 0 || len(b) <= idLen {
		return element{}, false
	}
	sizeLen := vintLength(b[idLen:], 8)
	if sizeLen == 0 {
		return element{}, false
	}
	el := element{id: uint32(readUint(b[:idLen])), head: idLen + sizeLen}
	size := readUint(b[idLen:el.head]) &^ (1 << (7 * sizeLen))
	rest := b[el.head:]
	el.whole = size <= uint64(len(rest))
	el.body = rest[:min(size, uint64(len(rest)))]
	return el, true
}

// vintLength is the length of the variable-size integer that b begins with; 0 if it is not all there.
func vintLength(b []byte, limit int) int {
	if len(b) == 0 {
		return 0
	}
	n := bits.LeadingZeros8(b[0]) + 1
	if n > limit || n > len(b) {
		return 0
	}
	return n
}

// readUint reads up to the last 8 bytes as a big-endian number.
func readUint(b []byte) uint64 {
	var a [8]byte
	b = b[max(0, len(b)-8):]
	copy(a[8-len(b):], b)
	return binary.BigEndian.Uint64(a[:])
}
