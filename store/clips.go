package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/pausepoint/pausepoint/clip"
)

// clipColumns are in the order of clipValues and scanClip.
var clipColumns = []string{
	"id", "owner", "title", "focus_question", "context", "purpose", "range_from", "range_to", "pupil_consent", "pupil_consent_at",
	"practice", "created", "state", "progress", "refusal", "attempts", "filename", "bytes", "duration", "frames", "fps_num",
	"fps_den", "width", "height", "has_audio", "prepared", "node", "leased", "session",
}

func clipValues(c clip.Clip) []any {
	return []any{
		c.ID, null(c.Owner), c.Title, c.FocusQuestion, c.Context, c.Purpose, c.From, c.To, c.PupilConsent, millis(c.PupilConsentAt),
		c.Practice, millis(c.Created), string(c.State), c.Progress, c.Refusal, c.Attempts, c.Filename, c.Bytes, c.Duration, c.Frames, c.FPSNum,
		c.FPSDen, c.Width, c.Height, c.HasAudio, millis(c.Prepared), c.Node, millis(c.Leased), c.Session,
	}
}

func scanClip(r row) (c clip.Clip, err error) {
	var owner sql.NullString
	var consent, created, prepared, leased int64
	err = r.Scan(
		&c.ID, &owner, &c.Title, &c.FocusQuestion, &c.Context, &c.Purpose, &c.From, &c.To, &c.PupilConsent, &consent,
		&c.Practice, &created, &c.State, &c.Progress, &c.Refusal, &c.Attempts, &c.Filename, &c.Bytes, &c.Duration, &c.Frames, &c.FPSNum,
		&c.FPSDen, &c.Width, &c.Height, &c.HasAudio, &prepared, &c.Node, &leased, &c.Session,
	)
	c.Owner, c.PupilConsentAt, c.Created, c.Prepared = owner.String, fromMillis(consent), fromMillis(created), fromMillis(prepared)
	c.Leased = fromMillis(leased)
	return c, err
}

func selectClips() string { return "SELECT " + strings.Join(clipColumns, ", ") + " FROM clips " }

// InsertClip implements [clip.Catalog].
func (s *Store) InsertClip(ctx context.Context, c clip.Clip) error {
	res, err := s.writer.ExecContext(ctx, insertClip(), clipValues(c)...)
	return exactly(res, err, clip.ErrExists)
}

func insertClip() string {
	marks := make([]string, len(clipColumns))
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	return fmt.Sprintf(`INSERT INTO clips (%s) VALUES (%s) ON CONFLICT (id) DO NOTHING`, strings.Join(clipColumns, ", "), strings.Join(marks, ", "))
}

// GetClip implements [clip.Catalog].
func (s *Store) GetClip(ctx context.Context, id string) (clip.Clip, error) {
	return getClip(ctx, s.reader, id)
}

func getClip(ctx context.Context, q querier, id string) (clip.Clip, error) {
	return one(q.QueryRowContext(ctx, selectClips()+`WHERE id = $1`, id), scanClip, clip.ErrNotFound)
}

// UpdateClip implements [clip.Catalog].
func (s *Store) UpdateClip(ctx context.Context, id string, change func(*clip.Clip) error) (c clip.Clip, err error) {
	sets := make([]string, len(clipColumns))
	for i, name := range clipColumns {
		sets[i] = fmt.Sprintf("%s = $%d", name, i+1)
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		if c, err = getClip(ctx, tx, id); err != nil {
			return err
		}
		if err := change(&c); err != nil {
			return err
		}
		c.ID = id
		_, err = tx.ExecContext(ctx, "UPDATE clips SET "+strings.Join(sets, ", ")+" WHERE id = $1", clipValues(c)...)
		return err
	})
	if err != nil {
		return clip.Clip{}, err
	}
	return stored(c), nil
}

// stored is the clip as it would be read: times have milliseconds.
func stored(c clip.Clip) clip.Clip {
	c.Created, c.Prepared = fromMillis(millis(c.Created)), fromMillis(millis(c.Prepared))
	c.PupilConsentAt, c.Leased = fromMillis(millis(c.PupilConsentAt)), fromMillis(millis(c.Leased))
	return c
}

// ListClips implements [clip.Catalog].
func (s *Store) ListClips(ctx context.Context, f clip.Filter) ([]clip.Clip, error) {
	var where []string
	var args []any
	if f.Owner != "" {
		args = append(args, f.Owner)
		where = append(where, fmt.Sprintf("(owner = $%d OR practice)", len(args)))
	}
	if f.Session != "" {
		args = append(args, f.Session)
		where = append(where, fmt.Sprintf("session = $%d", len(args)))
	}
	if len(f.States) > 0 {
		states := make([]string, len(f.States))
		for i, state := range f.States {
			states[i] = string(state)
		}
		var list string
		list, args = in(args, states)
		where = append(where, "state IN "+list)
	}
	query := selectClips()
	if len(where) > 0 {
		query += "WHERE " + strings.Join(where, " AND ")
	}
	return all(ctx, s.reader, scanClip, query+" ORDER BY created, id", args...)
}

// DeleteClip implements [clip.Catalog]. Plans that have the clip go on without it; the film that it was to be is not rendered.
func (s *Store) DeleteClip(ctx context.Context, id string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM films WHERE clip = $1 AND clip <> ''`, id)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM clips WHERE id = $1`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete clip %s: %w", id, err)
	}
	return nil
}
