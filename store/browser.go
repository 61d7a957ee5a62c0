package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/pausepoint/pausepoint/account"
)

// BrowserSessions keeps what cookies stand for, for scs. Only hashes of the tokens are kept, so a copy of the database
// signs nobody in.
type BrowserSessions struct{ s *Store }

var _ scs.CtxStore = BrowserSessions{}

// BrowserSessions returns the part of the store that scs uses. Expired sessions are dropped by the store.
func (s *Store) BrowserSessions() BrowserSessions { return BrowserSessions{s} }

// FindCtx implements [scs.CtxStore].
func (b BrowserSessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var text string
	err := b.s.reader.QueryRowContext(ctx, `SELECT data FROM browser_sessions WHERE hash = $1 AND expires > $2`,
		hexHash(account.HashToken(token)), time.Now().UnixMilli()).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("find a browser session: %w", err)
	}
	data, err := base64.StdEncoding.DecodeString(text)
	return data, err == nil, err
}

// CommitCtx implements [scs.CtxStore].
func (b BrowserSessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	_, err := b.s.writer.ExecContext(ctx, `INSERT INTO browser_sessions (hash, data, expires) VALUES ($1, $2, $3)
		ON CONFLICT (hash) DO UPDATE SET data = excluded.data, expires = excluded.expires`,
		hexHash(account.HashToken(token)), base64.StdEncoding.EncodeToString(data), expiry.UnixMilli())
	return err
}

// DeleteCtx implements [scs.CtxStore].
func (b BrowserSessions) DeleteCtx(ctx context.Context, token string) error {
	_, err := b.s.writer.ExecContext(ctx, `DELETE FROM browser_sessions WHERE hash = $1`, hexHash(account.HashToken(token)))
	return err
}

// Find implements [scs.Store].
func (b BrowserSessions) Find(token string) ([]byte, bool, error) {
	return b.FindCtx(context.Background(), token)
}

// Commit implements [scs.Store].
func (b BrowserSessions) Commit(token string, data []byte, expiry time.Time) error {
	return b.CommitCtx(context.Background(), token, data, expiry)
}

// Delete implements [scs.Store].
func (b BrowserSessions) Delete(token string) error { return b.DeleteCtx(context.Background(), token) }

func (s *Store) dropExpired(ctx context.Context, now time.Time) error {
	_, err := s.writer.ExecContext(ctx, `DELETE FROM browser_sessions WHERE expires <= $1`, now.UnixMilli())
	return err
}
