package store

import (
	"context"

	"github.com/pausepoint/pausepoint/recorder"
)

// What is written of segments carries no epoch of their session: a segment's id is made by the server that records it, and nobody
// else finishes it or, after a crash, looks at its file. What a former owner of the session recorded until it learned of that was said,
// and lies in session time beside what the next one records.

const selectSegments = `SELECT id, session, member, publication, source, mime, start_at, end_at, bytes, sha256, finished, stored, node,
	EXISTS (SELECT 1 FROM erasures e WHERE e.session = segments.session AND e.member = segments.member AND segments.start_at < e.until)
	FROM segments `

func (s *Store) scanSegment(r row) (g recorder.Segment, err error) {
	var node string
	err = r.Scan(&g.ID, &g.Session, &g.Member, &g.Publication, &g.Source, &g.Mime, &g.Start, &g.End, &g.Bytes, &g.SHA256, &g.Finished, &g.Stored, &node,
		&g.Withdrawn)
	g.Elsewhere = !g.Stored && node != s.node
	return g, err
}

// InsertSegment implements [recorder.Index].
func (s *Store) InsertSegment(ctx context.Context, g recorder.Segment) error {
	_, err := s.writer.ExecContext(ctx, `INSERT INTO segments
		(id, session, member, publication, source, mime, start_at, end_at, bytes, sha256, finished, stored, node)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		g.ID, g.Session, g.Member, g.Publication, g.Source, g.Mime, g.Start, g.End, g.Bytes, g.SHA256, g.Finished, g.Stored, s.node)
	return err
}

// FinishSegment implements [recorder.Index].
func (s *Store) FinishSegment(ctx context.Context, id string, end, bytes int64, sha256 string) error {
	res, err := s.writer.ExecContext(ctx, `UPDATE segments SET end_at = $2, bytes = $3, sha256 = $4, finished = TRUE WHERE id = $1`,
		id, end, bytes, sha256)
	return exactly(res, err, recorder.ErrNotFound)
}

// GetSegment implements [recorder.Index].
func (s *Store) GetSegment(ctx context.Context, id string) (recorder.Segment, error) {
	return one(s.reader.QueryRowContext(ctx, selectSegments+`WHERE id = $1`, id), s.scanSegment, recorder.ErrNotFound)
}

// ListSegments implements [recorder.Index].
func (s *Store) ListSegments(ctx context.Context, session string) ([]recorder.Segment, error) {
	return all(ctx, s.reader, s.scanSegment, selectSegments+`WHERE session = $1 ORDER BY start_at, id`, session)
}

// ListUnfinishedSegments implements [recorder.Index]: those whose files this server has.
func (s *Store) ListUnfinishedSegments(ctx context.Context) ([]recorder.Segment, error) {
	return all(ctx, s.reader, s.scanSegment, selectSegments+`WHERE NOT finished AND node = $1 ORDER BY id`, s.node)
}

// ListUnstoredSegments implements [recorder.Index].
func (s *Store) ListUnstoredSegments(ctx context.Context) ([]recorder.Segment, error) {
	return all(ctx, s.reader, s.scanSegment, selectSegments+`WHERE finished AND NOT stored ORDER BY id`)
}

// SetSegmentStored implements [recorder.Index].
func (s *Store) SetSegmentStored(ctx context.Context, id string) error {
	res, err := s.writer.ExecContext(ctx, `UPDATE segments SET stored = TRUE WHERE id = $1`, id)
	return exactly(res, err, recorder.ErrNotFound)
}

// DeleteSegment implements [recorder.Index].
func (s *Store) DeleteSegment(ctx context.Context, id string) error {
	_, err := s.writer.ExecContext(ctx, `DELETE FROM segments WHERE id = $1`, id)
	return err
}

// DeleteSegments implements [recorder.Index].
func (s *Store) DeleteSegments(ctx context.Context, session string) error {
	_, err := s.writer.ExecContext(ctx, `DELETE FROM segments WHERE session = $1`, session)
	return err
}

// ListErasures returns what members took their consent back for and what is not proved to be gone, of all sessions but those that a legal
// hold keeps, or whose recording is the clip of such a session.
func (s *Store) ListErasures(ctx context.Context) ([]recorder.Erasure, error) {
	scan := func(r row) (e recorder.Erasure, err error) { return e, r.Scan(&e.Session, &e.Member, &e.Until) }
	return all(ctx, s.reader, scan, `SELECT e.session, e.member, e.until FROM erasures e
		JOIN sessions s ON s.id = e.session WHERE s.held_since = 0 AND `+heldAsClip+` = 0 ORDER BY e.session, e.member`)
}

// CheckErasure is [recorder.ErrKept] unless an erasure is to be done now: a legal hold keeps everything, and what is proved is done.
func (s *Store) CheckErasure(ctx context.Context, e recorder.Erasure) error {
	var open bool
	err := s.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM erasures e JOIN sessions s ON s.id = e.session
		WHERE e.session = $1 AND e.member = $2 AND e.until >= $3 AND s.held_since = 0 AND `+heldAsClip+` = 0)`, e.Session, e.Member, e.Until).Scan(&open)
	if err == nil && !open {
		err = recorder.ErrKept
	}
	return err
}
