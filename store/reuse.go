package store

import (
	"fmt"
	"time"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/render"
	"github.com/pausepoint/pausepoint/room/event"
)

// What the owner of a clip that was taken back reads of it.
const (
	consentTakenBack = "Somebody in this conversation took back their consent, so the clip was removed. You can delete this entry."
	sessionDeleted   = "The session that this clip was recorded in was deleted, and the clip with it. You can delete this entry."
)

// takeClipsBack leaves of a session's ($1) clips what their owners are to know ($2): the files are for nobody from then on.
const takeClipsBack = `UPDATE clips SET state = 'refused', progress = 0, refusal = $2 WHERE session = $1 AND state <> 'refused'`

// reuse makes a clip, and has its film rendered, once all have agreed; or takes it back.
func (w *journalTx) reuse(session string, b event.ReuseChanged) error {
	switch b.Reuse.State {
	case event.ReuseGranted:
		return w.makeClip(session, b)
	case event.ReuseTakenBack:
		if err := w.exec(`DELETE FROM films WHERE session = $1 AND clip <> ''`, session); err != nil {
			return err
		}
		return w.exec(takeClipsBack, session, consentTakenBack)
	}
	return nil
}

func (w *journalTx) makeClip(session string, b event.ReuseChanged) error {
	asker := w.tx.QueryRowContext(w.ctx, `SELECT COALESCE(m.account, ''), CASE WHEN s.title <> '' THEN s.title ELSE s.focus END
		FROM members m JOIN sessions s ON s.id = m.session WHERE m.session = $1 AND m.id = $2`, session, b.Reuse.By)
	var owner, title string
	if err := asker.Scan(&owner, &title); err != nil {
		return fmt.Errorf("find whose clip it is: %w", err)
	}
	c := clip.OfSession(b.Reuse.Clip, owner, session, title, time.UnixMilli(b.When))
	if err := w.exec(insertClip(), clipValues(c)...); err != nil {
		return err
	}
	return w.exec(askFilm, filmValues(render.Job{
		Session: session, Member: b.Reuse.By, Clip: c.ID, Cards: true, State: render.Waiting, Asked: b.When,
	})...)
}
