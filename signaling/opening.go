package signaling

import (
	"context"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
)

// openings is room.Plans: what sessions open with, from what was planned and from the clip as it is then.
type openings struct {
	sessions *account.Sessions
	library  *clip.Library
}

func (o openings) Plan(ctx context.Context, session string) (room.Plan, error) {
	opening, clipID, err := o.sessions.Opening(ctx, session)
	if err != nil {
		return room.Plan{}, err
	}
	p := room.Plan{Session: opening.Session, Pauses: opening.Pauses, Notes: opening.Notes, Keep: int64(opening.Keep)}
	if clipID == "" {
		return p, nil
	}
	c, err := o.library.Get(ctx, clipID)
	if err != nil {
		return room.Plan{}, err
	}
	p.Clip = eventClip(c)
	return p, nil
}

func eventClip(c clip.Clip) *event.Clip {
	return &event.Clip{
		ID: c.ID, Title: c.Title, Focus: c.FocusQuestion, Context: c.Context, Duration: c.Duration, Frames: c.Frames,
		FPSNum: c.FPSNum, FPSDen: c.FPSDen, From: c.From, To: c.To, Width: c.Width, Height: c.Height,
	}
}
