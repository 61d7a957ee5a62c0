package render

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"
)

// State is where a film is in its life.
type State string

// The states.
const (
	Waiting   State = "waiting" // in line, also after a restart
	Rendering State = "rendering"
	Ready     State = "ready"
	Failed    State = "failed" // Problem says what to do
)

// ErrNoJob says that nobody asked for such a film, or that it is not this round's any more.
var ErrNoJob = errors.New("no such film")

// Job is a film that a member asked for. Of each session they have one to take along, which holds what they may see, and is theirs alone;
// and there are those that become clips, with the consent of those who are in them.
type Job struct {
	Session, Member string
	Clip            string // id of the clip that it becomes; empty for a film to take along
	Cards, Captions bool
	State           State
	Progress        float64 // 0 to 1
	Problem         string  // a sentence
	File            string  // key of the finished film's blob; empty before, and for one that becomes a clip
	Bytes           int64
	Asked           int64 // Unix ms
	Tries           int   // begun, and not ended in order
	Round           int64 // grows with each beginning: who works on an older one works in vain
	Until           int64 // Unix ms: whoever renders it has to say so again by then
}

// Jobs is where the rows of films are kept. What a method has returned without an error is durable. Methods may be called from any
// goroutine, and from several servers.
type Jobs interface {
	// AskFilm puts a film in line, in the place of the one that this member had of the session and for the clip.
	AskFilm(ctx context.Context, j Job) error

	// GetFilm returns one row; ErrNoJob if there is none.
	GetFilm(ctx context.Context, session, member, clip string) (Job, error)

	// ClaimFilm takes the oldest film that waits, or whose Until has passed, and makes it Rendering until then, of the next round, with
	// one more try. ErrNoJob if there is none.
	ClaimFilm(ctx context.Context, now, until time.Time) (Job, error)

	// UpdateFilm writes all but who asked, for what and when; ErrNoJob if the row is gone or of another round.
	UpdateFilm(ctx context.Context, j Job) error

	// RestartFilms puts all films of a session in line again, in a new round, but those that have become clips, and returns how many
	// these are.
	RestartFilms(ctx context.Context, session string) (int, error)

	// DropFilms removes the row of what one member takes along of a session, or all rows of the session if it is empty.
	DropFilms(ctx context.Context, session, member string) error
}

// Blobs is where finished films are kept, as clip.Blobs says.
type Blobs interface {
	PutFile(ctx context.Context, key, path string) error
	OpenBlob(ctx context.Context, key string) (io.ReadSeekCloser, error)
	DeleteBlobs(ctx context.Context, prefix string) error
}

// Clips are where films go that become clips.
type Clips interface {
	// TakeFilm makes a clip of the film at path, which is moved away; an error if nobody wants that clip any more.
	TakeFilm(ctx context.Context, clip, path string) error
	// EraseFilms removes the files of the clips of a session that were taken back, and returns how many such clips there are.
	EraseFilms(ctx context.Context, session string) (int, error)
}

// folder is where the films of the job are, apart from those of any other. For one that becomes a clip it stays empty.
func (j Job) folder() string {
	if j.Clip != "" {
		return blobFolder(j.Session, j.Clip)
	}
	return blobFolder(j.Session, j.Member)
}

// blobFolder begins the keys of all films of a session, or of one member of it.
func blobFolder(session, member string) string {
	if member == "" {
		return "films/" + session + "/"
	}
	return "films/" + session + "/" + member + "/"
}

// roundFolder is where the film of one round is: another server may be at the next.
func roundFolder(j Job) string {
	return j.folder() + strconv.FormatInt(j.Round, 10) + "/"
}
