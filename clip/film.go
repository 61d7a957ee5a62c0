package clip

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/pausepoint/pausepoint/room/event/text"
)

// errTakenBack says that a clip of a recorded session is not to be one any more.
var errTakenBack = errors.New("the clip was taken back")

// OfSession is the clip that the recording of a session is to become: it waits for the film.
func OfSession(id, owner, session, title string, now time.Time) Clip {
	named := "Conversation"
	if title != "" {
		named = text.Cut(text.Line("Conversation: "+title), MaxTitle)
	}
	return Clip{
		ID: id, Owner: owner, Session: session, Title: named, Purpose: DefaultPurpose,
		State: Filming, Created: now.UTC(), Filename: "conversation.mp4",
	}
}

// TakeFilm makes an upload of the film at path, which is moved away, for the clip that waits for it; [ErrNotFound] if that was deleted or
// taken back. For one that has its film nothing happens.
func (l *Library) TakeFilm(ctx context.Context, id, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look at the film: %w", err)
	}
	c, err := l.Get(ctx, id)
	if err != nil || c.State != Filming {
		return unlessFilmed(c, err)
	}
	if err := errors.Join(os.Rename(path, l.uploads.path(id)), l.uploads.syncDir()); err != nil {
		return fmt.Errorf("take the film: %w", err)
	}
	c, err = l.catalog.UpdateClip(ctx, id, func(c *Clip) error {
		if c.State != Filming {
			return errTakenBack
		}
		c.State, c.Node, c.Bytes = Waiting, l.node, info.Size()
		return nil
	})
	if err != nil {
		return errors.Join(unlessFilmed(c, err), l.uploads.removeFile(id))
	}
	l.preparer.wake()
	return nil
}

// unlessFilmed is nil for a clip that has its film.
func unlessFilmed(c Clip, err error) error {
	if errors.Is(err, errTakenBack) || err == nil && c.State == Refused {
		return ErrNotFound
	}
	return err
}

// EraseFilms removes the files of the clips of a session that were taken back, and returns how many such clips there are. With an error a
// server may still have files of one: call it again.
func (l *Library) EraseFilms(ctx context.Context, session string) (int, error) {
	clips, err := l.catalog.ListClips(ctx, Filter{Session: session, States: []State{Refused}})
	if err != nil {
		return 0, fmt.Errorf("list clips of a session: %w", err)
	}
	for _, c := range clips {
		if l.now().Before(c.Leased) || !l.mine(c) && c.Node != "" && c.Prepared.IsZero() {
			err = errors.Join(err, fmt.Errorf("clip %s: a server still has it in its hands", c.ID))
			continue
		}
		err = errors.Join(err, l.forget(ctx, c))
	}
	return len(clips), err
}

// forget removes the files of a clip that was taken back, and says that no server has any.
func (l *Library) forget(ctx context.Context, c Clip) error {
	if err := l.removeFiles(ctx, c); err != nil {
		return err
	}
	_, err := l.catalog.UpdateClip(ctx, c.ID, func(c *Clip) error {
		c.Node, c.Leased = "", time.Time{}
		return nil
	})
	if errors.Is(err, ErrNotFound) { // its owner deleted it
		return nil
	}
	return err
}

// forgetMine does so for those that waited for this server's preparation.
func (l *Library) forgetMine(ctx context.Context) error {
	refused, err := l.catalog.ListClips(ctx, Filter{States: []State{Refused}})
	if err != nil {
		return fmt.Errorf("list clips that were taken back: %w", err)
	}
	for _, c := range refused {
		if c.Session != "" && c.Node != "" && c.Node == l.node {
			err = errors.Join(err, l.forget(ctx, c))
		}
	}
	return err
}
