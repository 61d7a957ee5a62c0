package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room"
	"github.com/pausepoint/pausepoint/room/event"
)

// maxRows is how many events one statement inserts.
const maxRows = 500

// journalTx is a transaction that writes events, and what lists of sessions show of them.
type journalTx struct {
	ctx    context.Context
	tx     *sql.Tx
	values []any            // of rows that are not inserted yet
	latest map[string]int64 // session time of the latest event
}

func newJournalTx(ctx context.Context, tx *sql.Tx) *journalTx {
	return &journalTx{ctx: ctx, tx: tx, latest: map[string]int64{}}
}

// claim sees that an owner is the latest, and that nobody becomes one before the transaction ends.
func (w *journalTx) claim(o owner) error {
	res, err := w.tx.ExecContext(w.ctx, `UPDATE leases SET written = $3 WHERE session = $1 AND epoch = $2`,
		o.session, o.epoch, time.Now().UnixMilli())
	return exactly(res, err, room.ErrNotOwner)
}

// unstored is what of some events is not in the journal yet, as a former try may have left them there.
func (w *journalTx) unstored(session string, events []event.Event, tail int64) ([]event.Event, error) {
	first := events[0].Seq
	stored, err := all(w.ctx, w.tx, scanString, `SELECT json FROM journal WHERE session = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq`,
		session, first, min(first+int64(len(events))-1, tail))
	if err != nil {
		return nil, fmt.Errorf("see what is stored: %w", err)
	}
	for i, text := range stored {
		want, err := json.Marshal(events[i])
		if err != nil || string(want) != text {
			return events, err
		}
	}
	return events[len(stored):], nil
}

// tail is the seq of a session's last event, 0 without one.
func (w *journalTx) tail(session string) (int64, error) {
	var seq int64
	err := w.tx.QueryRowContext(w.ctx, `SELECT COALESCE(MAX(seq), 0) FROM journal WHERE session = $1`, session).Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("find the end of the journal: %w", err)
	}
	return seq, nil
}

func (w *journalTx) insert(session string, e event.Event) error {
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write event %d: %w", e.Seq, err)
	}
	w.values = append(w.values, session, e.Seq, e.At, e.By, event.Name(e.Body), string(text))
	w.latest[session] = e.At
	if err := w.project(session, e); err != nil {
		return fmt.Errorf("project event %d (%s): %w", e.Seq, event.Name(e.Body), err)
	}
	if len(w.values) < maxRows*journalColumns {
		return nil
	}
	return w.flush()
}

const journalColumns = 6

// flush inserts what waits for that, with one statement.
func (w *journalTx) flush() error {
	if len(w.values) == 0 {
		return nil
	}
	var query strings.Builder
	query.WriteString(`INSERT INTO journal (session, seq, at, member, type, json) VALUES `)
	for i := range len(w.values) / journalColumns {
		if i > 0 {
			query.WriteString(", ")
		}
		n := i * journalColumns
		_, _ = fmt.Fprintf(&query, "($%d, $%d, $%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4, n+5, n+6)
	}
	if err := w.exec(query.String(), w.values...); err != nil {
		return fmt.Errorf("insert events: %w", err)
	}
	w.values = w.values[:0]
	return nil
}

// finish writes what is left, and what changes with every event once for the whole transaction.
func (w *journalTx) finish() error {
	if err := w.flush(); err != nil {
		return err
	}
	for session, at := range w.latest {
		if err := w.exec(`UPDATE sessions SET duration = $2 WHERE id = $1 AND duration < $2`, session, at); err != nil {
			return fmt.Errorf("set the duration: %w", err)
		}
	}
	return nil
}

func (w *journalTx) exec(query string, args ...any) error {
	_, err := w.tx.ExecContext(w.ctx, query, args...)
	return err
}

// project keeps the facts of sessions and members up with the journal.
func (w *journalTx) project(session string, e event.Event) error {
	switch b := e.Body.(type) {
	case event.SessionOpened:
		return w.opened(session, b)
	case event.SessionEnded:
		return w.ended(session, e.At)
	case event.MemberJoined:
		return w.member(session, b.Member)
	case event.MemberChanged:
		return w.member(session, b.Member)
	case event.MemberLost:
		return w.member(session, b.Member)
	case event.MemberLeft:
		return w.member(session, b.Member)
	case event.MemberRemoved:
		return w.removed(session, b.Member)
	case event.HoldBegan:
		return w.exec(`UPDATE sessions SET held = held + 1 WHERE id = $1`, session)
	case event.NoteAdded:
		return w.note(session, b.Note)
	case event.NoteEdited:
		return w.note(session, b.Note)
	case event.NoteRemoved:
		return w.exec(`DELETE FROM session_notes WHERE session = $1 AND id = $2`, session, b.ID)
	case event.MemberWithdrew:
		return w.withdrew(session, e, b)
	case event.RecordingErased:
		return w.erased(session, b)
	case event.KeepingChanged:
		return w.exec(`UPDATE sessions SET keep_days = $2, held_since = $3, held_for = $4 WHERE id = $1`,
			session, b.Keeping.Days, b.Keeping.Held, b.Keeping.Reason)
	case event.ReuseChanged:
		return w.reuse(session, b)
	case event.RecordingChanged:
		return w.recording(session, b.Recording.State == event.RecordingOn, e.At)
	}
	return nil
}

func (w *journalTx) opened(session string, b event.SessionOpened) error {
	if err := w.exec(`UPDATE sessions SET opened = $2 WHERE id = $1`, session, b.Session.Opened); err != nil {
		return err
	}
	for _, n := range b.Notes {
		if err := w.note(session, n); err != nil {
			return err
		}
	}
	return nil
}

func (w *journalTx) ended(session string, at int64) error {
	if err := w.recording(session, false, at); err != nil {
		return err
	}
	if err := w.exec(`UPDATE members SET inside = FALSE WHERE session = $1`, session); err != nil {
		return err
	}
	return w.exec(`UPDATE sessions SET ended = TRUE WHERE id = $1`, session)
}

func (w *journalTx) member(session string, m event.Member) error {
	return w.exec(`UPDATE members SET role = $3, inside = $4, arrived = TRUE WHERE session = $1 AND id = $2`,
		session, m.ID, string(m.Role), m.Presence == event.Here)
}

// removed also replaces the link that the member came with: it would let them in again under another name.
func (w *journalTx) removed(session string, m event.Member) error {
	err := w.exec(`UPDATE members SET role = $3, inside = FALSE, arrived = TRUE, removed = TRUE WHERE session = $1 AND id = $2`,
		session, m.ID, string(m.Role))
	if err != nil {
		return err
	}
	l := account.NewLink(session, "", time.Now())
	return w.exec(`UPDATE links SET token = $3, hash = $4, created = $5
		WHERE session = $1 AND role = (SELECT invited FROM members WHERE session = $1 AND id = $2)`,
		session, m.ID, l.Token, hexHash(account.HashToken(l.Token)), millis(l.Created))
}

func (w *journalTx) note(session string, n event.Note) error {
	return w.exec(`INSERT INTO session_notes (session, id, author, visibility) VALUES ($1, $2, $3, $4)
		ON CONFLICT (session, id) DO UPDATE SET visibility = excluded.visibility`,
		session, n.ID, n.Author, string(n.Visibility))
}

// withdrew remembers what is to be removed until it is. Films that have it are for nobody from then on, also under a legal hold.
func (w *journalTx) withdrew(session string, e event.Event, b event.MemberWithdrew) error {
	if b.Notes {
		if err := w.exec(`DELETE FROM session_notes WHERE session = $1 AND author = $2`, session, b.Member.ID); err != nil {
			return err
		}
	}
	if err := w.exec(restartFilms, session); err != nil {
		return err
	}
	erasure, _ := recorder.ErasureOf(session, e)
	return w.exec(`INSERT INTO erasures (session, member, until) VALUES ($1, $2, $3)
		ON CONFLICT (session, member) DO UPDATE SET until = excluded.until`, session, erasure.Member, erasure.Until)
}

// erased forgets what was to be removed, and the segments that are proved to be gone.
func (w *journalTx) erased(session string, b event.RecordingErased) error {
	for _, f := range b.Files {
		if err := w.exec(`DELETE FROM segments WHERE session = $1 AND id = $2`, session, f.ID); err != nil {
			return err
		}
	}
	return w.exec(`DELETE FROM erasures WHERE session = $1 AND member = $2 AND until <= $3`, session, b.Member, b.Until)
}

// recording sums what is recorded. A recording that is said to be on again (by a room that came back) goes on.
func (w *journalTx) recording(session string, on bool, at int64) error {
	if on {
		return w.exec(`UPDATE sessions SET recording_since = $2 WHERE id = $1 AND recording_since < 0`, session, at)
	}
	return w.exec(`UPDATE sessions SET recorded_for = recorded_for + $2 - recording_since, recording_since = -1
		WHERE id = $1 AND recording_since >= 0`, session, at)
}
