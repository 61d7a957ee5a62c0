// Package clip keeps lesson clips: it takes uploads, prepares them with ffmpeg
// for synchronised playback, and serves the result with byte ranges.
//
// A clip's life: an upload begins (uploading), or a film of a recorded session is
// to be one (filming); it is complete (waiting), is being
// prepared (preparing), and ends as ready or, if the file is no video that can
// be shown, as refused with a sentence that says why. Everything that a restart
// needs is in the Catalog and in the folder of uploads; nothing is only in memory.
//
// Clip time is an integer of microseconds in the prepared file, whose frame n is
// shown over [n·den/num, (n+1)·den/num) seconds; a player that wants frame n seeks to its middle.
package clip

import (
	"context"
	"io"
	"time"
)

// State is where a clip is in its life.
type State string

// The states of a clip, in the order in which they come.
const (
	Uploading State = "uploading" // bytes are still missing
	Filming   State = "filming"   // the film of a session that it is to be is not there yet
	Waiting   State = "waiting"   // complete, in line for preparation
	Preparing State = "preparing" // ffmpeg is at work, Progress moves
	Ready     State = "ready"     // can be served
	Refused   State = "refused"   // cannot be shown, or was taken back; Refusal says why
)

// DefaultPurpose is the purpose of every clip that somebody uploads.
const DefaultPurpose = "learning, never evaluation"

// PracticeID is the id of the practice clip, the same on every server.
const PracticeID = "00000000-0000-7000-8000-0000000c11b5"

// Clip is one lesson clip: what its owner says about it, and what is known of
// its file. Times of creation are UTC. All fields are stored; which of them a
// reader may see is up to who serves them.
type Clip struct {
	ID            string // UUIDv7; also the id of its upload
	Owner         string // account id; empty for the practice clip
	Session       string // whose recording it is; empty for other clips
	Title         string
	FocusQuestion string
	Context       string // the context card
	Purpose       string
	From          int64 // chosen range [From, To), µs of clip time
	To            int64

	PupilConsent   bool // the owner states that consent and opt-outs of pupils are respected
	PupilConsentAt time.Time
	Practice       bool // visible to every account
	Created        time.Time

	State    State
	Progress float64 // of the preparation, 0..1
	Refusal  string
	Attempts int // preparations begun and not ended in order; bounds files that kill the server

	Node   string    // the server that has the upload, or prepares the practice clip; empty where there is one server
	Leased time.Time // until when the preparation is that server's, if it is not heard of any more

	Filename string // as the uploader named it; shown, never used as a path
	Bytes    int64  // length of the uploaded file, as announced

	Duration int64 // µs, Frames·FPSDen/FPSNum
	Frames   int64
	FPSNum   int64
	FPSDen   int64
	Width    int // of the 720p rendition
	Height   int
	HasAudio bool // false: the sound track is silence
	Prepared time.Time
}

// Filter selects clips; its empty fields select everything.
type Filter struct {
	Owner   string  // this account's clips, and every practice clip
	Session string  // made of the recording of this session
	States  []State // in one of these states
}

// Catalog is where clips' rows are kept: one row for each [Clip], every field of it.
// What a method has returned without an error is durable. Methods may be called
// from any goroutine.
type Catalog interface {
	// InsertClip adds a row; [ErrExists] if the id is taken.
	InsertClip(ctx context.Context, c Clip) error

	// GetClip returns one row; [ErrNotFound] if there is none.
	GetClip(ctx context.Context, id string) (Clip, error)

	// UpdateClip reads the row, calls change with it, and writes it back, all in one
	// transaction; it returns what was written. An error of change leaves the row as it
	// was and is returned as it is. [ErrNotFound] if there is no such row. change
	// does no I/O and may be called again if the transaction is retried.
	UpdateClip(ctx context.Context, id string, change func(*Clip) error) (Clip, error)

	// ListClips returns the rows that f selects, oldest first (by Created, then ID).
	ListClips(ctx context.Context, f Filter) ([]Clip, error)

	// DeleteClip removes a row; no error if there is none.
	DeleteClip(ctx context.Context, id string) error
}

// Blobs is where prepared files are kept. Keys are made by this package alone:
// "clips/<uuid>/<name>" with names of [a-z0-9.-]. Methods may be called from any goroutine.
type Blobs interface {
	// PutFile stores the local file at path under key, replacing what was there. It is
	// durable and complete, or not there at all, when PutFile returns. The file may
	// be moved away: the caller does not use it again.
	PutFile(ctx context.Context, key, path string) error

	// OpenBlob opens a blob for reading at any offset; an error that
	// errors.Is fs.ErrNotExist if there is none.
	OpenBlob(ctx context.Context, key string) (io.ReadSeekCloser, error)

	// DeleteBlobs removes every blob whose key begins with prefix ("clips/<uuid>/").
	DeleteBlobs(ctx context.Context, prefix string) error
}

// blobPrefix begins the keys of everything that was prepared for a clip.
func blobPrefix(id string) string { return "clips/" + id + "/" }
