package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/keeping"
	"github.com/pausepoint/pausepoint/room/event"
)

// heldAsClip is since when a legal hold keeps another session, whose clip is the recording of a session s; 0 without one.
const heldAsClip = `(SELECT COALESCE(MAX(o.held_since), 0) FROM clips c JOIN sessions o ON o.clip = c.id WHERE c.session = s.id)`

const dayMillis = 24 * 60 * 60 * 1000

// ListDue implements [keeping.Store].
func (s *Store) ListDue(ctx context.Context, now time.Time) ([]string, error) {
	return all(ctx, s.reader, scanString, `SELECT id FROM sessions s WHERE keep_days > 0 AND opened > 0 AND held_since = 0
		AND opened + duration + keep_days * $2 <= $1 AND `+heldAsClip+` = 0 ORDER BY id`, millis(now), dayMillis)
}

// TakeSession implements [keeping.Store].
func (s *Store) TakeSession(
	ctx context.Context, session string, decide func(keeping.Contents) (keeping.Receipt, error),
) (r keeping.Receipt, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		c, err := contentsOf(ctx, tx, session)
		if err != nil {
			return err
		}
		if r, err = decide(c); err != nil {
			return err
		}
		if err := insertReceipt(ctx, tx, r); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, takeClipsBack, session, sessionDeleted); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM sessions WHERE id = $1`, session)
		return err
	})
	return r, err
}

// contentsOf reads what there is of a session, its journal whole.
func contentsOf(ctx context.Context, tx *sql.Tx, session string) (c keeping.Contents, err error) {
	p, err := getSession(ctx, tx, session)
	if errors.Is(err, account.ErrNotFound) {
		return c, keeping.ErrNotFound
	}
	if err != nil {
		return c, err
	}
	c = keeping.Contents{Opened: p.Opened, Duration: p.Duration, Inside: p.Inside, Days: p.Keep, Held: p.Held}
	if c.Held.IsZero() {
		var since int64
		if err := tx.QueryRowContext(ctx, `SELECT `+heldAsClip+` FROM sessions s WHERE s.id = $1`, session).Scan(&since); err != nil {
			return c, fmt.Errorf("see whether its clip is held: %w", err)
		}
		c.Held = fromMillis(since)
	}
	if c.Clips, err = all(ctx, tx, scanMadeClip, `SELECT id, created, duration FROM clips WHERE session = $1 AND state <> 'refused'
		ORDER BY created, id`, session); err != nil {
		return c, fmt.Errorf("list its clips: %w", err)
	}
	rows, err := tx.QueryContext(ctx, `SELECT type, json FROM journal WHERE session = $1 ORDER BY seq`, session)
	if err != nil {
		return c, fmt.Errorf("read the journal: %w", err)
	}
	defer func() { _ = rows.Close() }()
	sum := sha256.New()
	for rows.Next() {
		line, err := scanPair(rows)
		if err != nil {
			return c, fmt.Errorf("read the journal: %w", err)
		}
		_, _ = sum.Write([]byte(line[1] + "\n"))
		c.Events++
		if line[0] != event.Name(event.RecordingErased{}) {
			continue
		}
		var e event.Event
		if err := json.Unmarshal([]byte(line[1]), &e); err != nil {
			return c, fmt.Errorf("read the journal: %w", err)
		}
		c.Erased = append(c.Erased, e.Body.(event.RecordingErased))
	}
	c.Journal = hex.EncodeToString(sum.Sum(nil))
	return c, rows.Err()
}

func scanMadeClip(r row) (c keeping.Clip, err error) {
	var made int64
	err = r.Scan(&c.ID, &made, &c.Duration)
	c.Made = fromMillis(made).UTC()
	return c, err
}

func insertReceipt(ctx context.Context, tx *sql.Tx, r keeping.Receipt) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write the receipt: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO receipts (session, json, begun, listed, done) VALUES ($1, $2, $3, FALSE, 0)`,
		r.Session, string(text), millis(r.Begun))
	if err != nil {
		return fmt.Errorf("insert the receipt: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO receipt_readers (session, member, account)
		SELECT session, id, account FROM members WHERE session = $1`, r.Session)
	if err != nil {
		return fmt.Errorf("insert who may read the receipt: %w", err)
	}
	return nil
}

// PutReceipt implements [keeping.Store].
func (s *Store) PutReceipt(ctx context.Context, r keeping.Receipt) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write the receipt: %w", err)
	}
	done := int64(0)
	if r.Done != nil {
		done = millis(*r.Done)
	}
	res, err := s.writer.ExecContext(ctx, `UPDATE receipts SET json = $2, listed = $3, done = $4
		WHERE session = $1 AND done = 0 AND (NOT listed OR CAST($4 AS BIGINT) > 0)`, r.Session, string(text), r.Listed, done)
	return exactly(res, err, keeping.ErrNotFound)
}

func scanReceipt(r row) (out keeping.Receipt, err error) {
	var text []byte
	if err := r.Scan(&text); err != nil {
		return out, err
	}
	err = json.Unmarshal(text, &out)
	if out.Clips == nil { // it is from before clips were listed
		out.Clips = []keeping.Clip{}
	}
	return out, err
}

// ListOpenReceipts implements [keeping.Store].
func (s *Store) ListOpenReceipts(ctx context.Context) ([]keeping.Receipt, error) {
	return all(ctx, s.reader, scanReceipt, `SELECT json FROM receipts WHERE done = 0 ORDER BY begun, session`)
}

// mayRead is the condition that an account ($1) or one of the guests may read a receipt r.
func mayRead(who string, guests []string) (string, []any) {
	list, args := in([]any{who}, guests[:min(len(guests), maxGuests)])
	return `EXISTS (SELECT 1 FROM receipt_readers m WHERE m.session = r.session
		AND (m.account = $1 OR m.account IS NULL AND m.member IN ` + list + `))`, args
}

// GetReceipt implements [keeping.Store].
func (s *Store) GetReceipt(ctx context.Context, session, who, guest string) (keeping.Receipt, error) {
	condition, args := mayRead(who, []string{guest})
	args = append(args, session)
	r := s.reader.QueryRowContext(ctx, `SELECT r.json FROM receipts r WHERE r.session = $`+lastMark(args)+` AND `+condition, args...)
	return one(r, scanReceipt, keeping.ErrNotFound)
}

// ListReceipts implements [keeping.Store].
func (s *Store) ListReceipts(ctx context.Context, who string, guests []string, after keeping.Place, n int) ([]keeping.Receipt, error) {
	condition, args := mayRead(who, guests)
	first := len(args) + 1
	args = append(args, after.At, after.Session, n)
	rest := fmt.Sprintf(` AND (r.begun < $%[1]d OR r.begun = $%[1]d AND r.session > $%[2]d)
		ORDER BY r.begun DESC, r.session LIMIT $%[3]d`, first, first+1, first+2)
	return all(ctx, s.reader, scanReceipt, `SELECT r.json FROM receipts r WHERE `+condition+rest, args...)
}

// ClipIsHeld implements [keeping.Store].
func (s *Store) ClipIsHeld(ctx context.Context, clip string) (held bool, err error) {
	err = s.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sessions WHERE clip = $1 AND held_since > 0)`, clip).Scan(&held)
	return held, err
}

// ListKept implements [keeping.Store].
func (s *Store) ListKept(ctx context.Context, after keeping.Place, n int) ([]keeping.Kept, error) {
	scan := func(r row) (k keeping.Kept, err error) {
		var opened, held int64
		err = r.Scan(&k.Session, &k.Kind, &k.Planner, &opened, &k.Duration, &k.People, &k.RecordedFor, &k.Days, &held, &k.Reason)
		k.Opened, k.Held = fromMillis(opened), fromMillis(held)
		return k, err
	}
	return all(ctx, s.reader, scan, `SELECT s.id, s.kind, a.name, s.opened, s.duration,
		(SELECT COUNT(*) FROM members m WHERE m.session = s.id AND m.arrived), s.recorded_for, s.keep_days, s.held_since, s.held_for
		FROM sessions s JOIN accounts a ON a.id = s.planner WHERE s.opened > 0 AND (s.held_since > 0) <= $1
			AND ((s.held_since > 0) < $1 OR s.opened < $2 OR s.opened = $2 AND s.id > $3)
		ORDER BY s.held_since > 0 DESC, s.opened DESC, s.id LIMIT $4`, after.Held, after.At, after.Session, n)
}
