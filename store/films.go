package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/pausepoint/pausepoint/render"
)

const selectFilms = `SELECT session, member, clip, cards, captions, state, progress, problem, file, bytes, asked, tries, round, until FROM films `

func scanFilm(r row) (j render.Job, err error) {
	err = r.Scan(&j.Session, &j.Member, &j.Clip, &j.Cards, &j.Captions, &j.State, &j.Progress, &j.Problem, &j.File, &j.Bytes, &j.Asked,
		&j.Tries, &j.Round, &j.Until)
	return j, err
}

// AskFilm implements [render.Jobs]. The round of the row before it is passed, so that who worked on it finds out.
func (s *Store) AskFilm(ctx context.Context, j render.Job) error {
	_, err := s.writer.ExecContext(ctx, askFilm, filmValues(j)...)
	return err
}

const askFilm = `INSERT INTO films
	(session, member, clip, cards, captions, state, progress, problem, file, bytes, asked, tries, round, until)
	VALUES ($1, $2, $3, $4, $5, $6, 0, '', '', 0, $7, 0, $7, 0)
	ON CONFLICT (session, member, clip) DO UPDATE SET cards = $4, captions = $5, state = $6, progress = 0, problem = '', file = '', bytes = 0,
	asked = $7, tries = 0, round = films.round + 1, until = 0`

func filmValues(j render.Job) []any {
	return []any{j.Session, j.Member, j.Clip, j.Cards, j.Captions, j.State, j.Asked}
}

// GetFilm implements [render.Jobs].
func (s *Store) GetFilm(ctx context.Context, session, member, clip string) (render.Job, error) {
	r := s.reader.QueryRowContext(ctx, selectFilms+`WHERE session = $1 AND member = $2 AND clip = $3`, session, member, clip)
	return one(r, scanFilm, render.ErrNoJob)
}

// ClaimFilm implements [render.Jobs].
func (s *Store) ClaimFilm(ctx context.Context, now, until time.Time) (j render.Job, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		j, err = one(tx.QueryRowContext(ctx, selectFilms+`WHERE state = 'waiting' OR state = 'rendering' AND until < $1
			ORDER BY asked, session, member, clip LIMIT 1`, now.UnixMilli()), scanFilm, render.ErrNoJob)
		if err != nil {
			return err
		}
		seen := j.Round
		j.State, j.Progress, j.Tries, j.Round, j.Until = render.Rendering, 0, j.Tries+1, seen+1, until.UnixMilli()
		res, err := tx.ExecContext(ctx, `UPDATE films SET state = $5, progress = 0, tries = $6, round = $7, until = $8
			WHERE session = $1 AND member = $2 AND clip = $3 AND round = $4`, j.Session, j.Member, j.Clip, seen, j.State, j.Tries, j.Round, j.Until)
		return exactly(res, err, render.ErrNoJob) // another server may have been faster
	})
	return j, err
}

// UpdateFilm implements [render.Jobs].
func (s *Store) UpdateFilm(ctx context.Context, j render.Job) error {
	res, err := s.writer.ExecContext(ctx, `UPDATE films SET state = $5, progress = $6, problem = $7, file = $8, bytes = $9, tries = $10,
		until = $11 WHERE session = $1 AND member = $2 AND clip = $3 AND round = $4`,
		j.Session, j.Member, j.Clip, j.Round, j.State, j.Progress, j.Problem, j.File, j.Bytes, j.Tries, j.Until)
	return exactly(res, err, render.ErrNoJob)
}

// What a clip is made of is not rendered again: those who are in it have the clip taken back.
const restartFilms = `UPDATE films SET state = 'waiting', progress = 0, problem = '', file = '', bytes = 0, tries = 0,
	round = round + 1, until = 0 WHERE session = $1 AND (clip = '' OR state <> 'ready')`

// RestartFilms implements [render.Jobs].
func (s *Store) RestartFilms(ctx context.Context, session string) (int, error) {
	res, err := s.writer.ExecContext(ctx, restartFilms, session)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// DropFilms implements [render.Jobs].
func (s *Store) DropFilms(ctx context.Context, session, member string) error {
	_, err := s.writer.ExecContext(ctx, `DELETE FROM films WHERE session = $1 AND (member = $2 AND clip = '' OR $2 = '')`, session, member)
	return err
}
