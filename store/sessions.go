package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/room/event"
)

// planned is a session's row.
type planned struct {
	account.Plan
	account.Standing
}

const selectSessions = `SELECT s.id, s.planner, s.kind, s.title, s.focus, s.purpose, s.clip, s.scheduled, s.minutes, s.recorded,
	s.pauses, s.notes, s.created, s.opened, s.ended, s.duration, s.held, s.recorded_for, s.recording_since, s.keep_days, s.held_since, s.held_for,
	(SELECT COUNT(*) FROM members m WHERE m.session = s.id AND m.inside) FROM sessions s `

func scanSession(r row) (p planned, err error) {
	var clip sql.NullString
	var pauses, notes []byte
	var scheduled, created, opened, since, held int64
	err = r.Scan(&p.ID, &p.Planner, &p.Kind, &p.Title, &p.Focus, &p.Purpose, &clip, &scheduled, &p.Minutes, &p.Recorded,
		&pauses, &notes, &created, &opened, &p.Ended, &p.Duration, &p.Standing.Pauses, &p.RecordedFor, &since, &p.Keep, &held, &p.HeldFor, &p.Inside)
	if err != nil {
		return p, err
	}
	p.Clip, p.Scheduled, p.Created, p.Opened = clip.String, fromMillis(scheduled), fromMillis(created), fromMillis(opened)
	p.Held = fromMillis(held)
	if since >= 0 { // it is being recorded
		p.RecordedFor += p.Duration - since
	}
	if err := json.Unmarshal(pauses, &p.Plan.Pauses); err != nil {
		return p, fmt.Errorf("prepared pauses: %w", err)
	}
	if err := json.Unmarshal(notes, &p.Plan.Notes); err != nil {
		return p, fmt.Errorf("prepared notes: %w", err)
	}
	return p, nil
}

// planTexts are the columns of a plan that hold JSON.
func planTexts(p account.Plan) (pauses, notes string, err error) {
	a, err := json.Marshal(append([]event.Pause{}, p.Pauses...))
	if err != nil {
		return "", "", fmt.Errorf("write pauses: %w", err)
	}
	if p.Notes == nil {
		p.Notes = map[string][]account.PlannedNote{}
	}
	b, err := json.Marshal(p.Notes)
	if err != nil {
		return "", "", fmt.Errorf("write notes: %w", err)
	}
	return string(a), string(b), nil
}

// AddSession implements [account.Plans].
func (s *Store) AddSession(ctx context.Context, p account.Plan, planner account.Member, links []account.Link) error {
	pauses, notes, err := planTexts(p)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions
			(id, planner, kind, title, focus, purpose, clip, scheduled, minutes, recorded, pauses, notes, created, keep_days)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			p.ID, p.Planner, string(p.Kind), p.Title, p.Focus, p.Purpose, null(p.Clip), millis(p.Scheduled), p.Minutes, p.Recorded,
			pauses, notes, millis(p.Created), p.Keep)
		if err != nil {
			return fmt.Errorf("insert session: %w", err)
		}
		if err := insertMember(ctx, tx, planner); err != nil {
			return err
		}
		for _, l := range links {
			if err := putLink(ctx, tx, l); err != nil {
				return err
			}
		}
		return nil
	})
}

// GetPlan implements [account.Plans].
func (s *Store) GetPlan(ctx context.Context, session string) (account.Plan, account.Standing, error) {
	p, err := getSession(ctx, s.reader, session)
	if err != nil {
		return p.Plan, p.Standing, err
	}
	err = s.reader.QueryRowContext(ctx, `SELECT COUNT(*) FROM session_notes WHERE session = $1 AND visibility = 'shared'`,
		session).Scan(&p.Standing.Notes)
	if err != nil {
		return p.Plan, p.Standing, fmt.Errorf("count notes: %w", err)
	}
	return p.Plan, p.Standing, nil
}

func getSession(ctx context.Context, q querier, session string) (planned, error) {
	return one(q.QueryRowContext(ctx, selectSessions+`WHERE s.id = $1`, session), scanSession, account.ErrNotFound)
}

// UpdatePlan implements [account.Plans].
func (s *Store) UpdatePlan(
	ctx context.Context, session string, change func(*account.Plan, account.Standing) error,
) (account.Plan, account.Standing, error) {
	var p planned
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		if p, err = getSession(ctx, tx, session); err != nil {
			return err
		}
		if err := change(&p.Plan, p.Standing); err != nil {
			return err
		}
		return updateSession(ctx, tx, session, p.Plan)
	})
	if err != nil {
		return account.Plan{}, account.Standing{}, err
	}
	return p.Plan, p.Standing, nil
}

func updateSession(ctx context.Context, tx *sql.Tx, session string, p account.Plan) error {
	pauses, notes, err := planTexts(p)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE sessions SET kind = $2, title = $3, focus = $4, purpose = $5, clip = $6, scheduled = $7,
		minutes = $8, recorded = $9, pauses = $10, notes = $11, keep_days = $12 WHERE id = $1`,
		session, string(p.Kind), p.Title, p.Focus, p.Purpose, null(p.Clip), millis(p.Scheduled), p.Minutes, p.Recorded, pauses, notes, p.Keep)
	if err != nil {
		return fmt.Errorf("update session: %w", err)
	}
	return nil
}
