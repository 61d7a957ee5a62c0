package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
)

// Secret is one that all servers which share the database know, of 32 bytes. It is made when it is first asked for.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails
	_, err := s.writer.ExecContext(ctx, `INSERT INTO secrets (name, data) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
		name, base64.StdEncoding.EncodeToString(fresh))
	if err != nil {
		return nil, fmt.Errorf("make a secret: %w", err)
	}
	var text string
	if err := s.reader.QueryRowContext(ctx, `SELECT data FROM secrets WHERE name = $1`, name).Scan(&text); err != nil {
		return nil, fmt.Errorf("read a secret: %w", err)
	}
	return base64.StdEncoding.DecodeString(text)
}
