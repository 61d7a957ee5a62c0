package recorder

import (
	"context"
	"errors"
)

// ErrNotFound says that there is no such segment.
var ErrNotFound = errors.New("no such segment")

// ErrElsewhere says that a segment is on another server's disk, and not in the Vault yet.
var ErrElsewhere = errors.New("another server has not stored it yet")

// The media types of segments, for MediaSource.
const (
	MimeVP8  = `video/webm; codecs="vp8"`
	MimeOpus = `audio/webm; codecs="opus"`
)

// Segment is one recorded file: a stretch of one publication. Times are session time in milliseconds.
type Segment struct {
	ID          string // UUIDv7; also names the file
	Session     string
	Member      string
	Publication string
	Source      string // audio, camera, screen or screen-audio
	Mime        string // MimeVP8 or MimeOpus
	Start       int64  // of media time 0 in the file
	End         int64  // where the last frame ends; 0 until finished
	Bytes       int64  // 0 until finished
	SHA256      string // lower-case hexadecimal; empty until finished
	Finished    bool
	Stored      bool // no server's disk has its file: it is in the Vault, or gone for good
	Elsewhere   bool // its file is on another server's disk, and not in the Vault; which server that is, the Index knows
	Withdrawn   bool // consent was taken back for it: it is for nobody any more, and goes
}

// Index is where the rows of segments are kept: one for each [Segment], every field of it but Withdrawn, which follows from the
// journal. What a method has returned
// without an error is durable. Methods may be called from any goroutine.
type Index interface {
	// InsertSegment adds the row of a segment that begins.
	InsertSegment(ctx context.Context, s Segment) error

	// FinishSegment sets End, Bytes and SHA256, and Finished. ErrNotFound if there is no such row.
	FinishSegment(ctx context.Context, id string, end, bytes int64, sha256 string) error

	// GetSegment returns one row; ErrNotFound if there is none.
	GetSegment(ctx context.Context, id string) (Segment, error)

	// ListSegments returns a session's rows by Start, then ID.
	ListSegments(ctx context.Context, session string) ([]Segment, error)

	// ListUnfinishedSegments returns the rows of all sessions whose Finished is false, by ID.
	ListUnfinishedSegments(ctx context.Context) ([]Segment, error)

	// ListUnstoredSegments returns the rows of all sessions whose Finished is true and whose Stored is false, by ID.
	ListUnstoredSegments(ctx context.Context) ([]Segment, error)

	// SetSegmentStored sets Stored. ErrNotFound if there is no such row.
	SetSegmentStored(ctx context.Context, id string) error

	// DeleteSegment removes a row; no error if there is none.
	DeleteSegment(ctx context.Context, id string) error

	// DeleteSegments removes a session's rows.
	DeleteSegments(ctx context.Context, session string) error
}
