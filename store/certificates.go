package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/crypto/acme/autocert"
)

// Certificates keeps what a certificate authority gave, and its challenges, for all servers that share the database.
type Certificates struct{ *database }

var _ autocert.Cache = Certificates{}

// Certificates returns the part of the store that autocert uses.
func (s *Store) Certificates() Certificates { return Certificates{s.database} }

// Get implements [autocert.Cache].
func (c Certificates) Get(ctx context.Context, name string) ([]byte, error) {
	var text string
	err := c.reader.QueryRowContext(ctx, `SELECT data FROM certificates WHERE name = $1`, name).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, autocert.ErrCacheMiss
	}
	if err != nil {
		return nil, fmt.Errorf("read a certificate: %w", err)
	}
	return base64.StdEncoding.DecodeString(text)
}

// Put implements [autocert.Cache].
func (c Certificates) Put(ctx context.Context, name string, data []byte) error {
	_, err := c.writer.ExecContext(ctx, `INSERT INTO certificates (name, data) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET data = excluded.data`, name, base64.StdEncoding.EncodeToString(data))
	return err
}

// Delete implements [autocert.Cache].
func (c Certificates) Delete(ctx context.Context, name string) error {
	_, err := c.writer.ExecContext(ctx, `DELETE FROM certificates WHERE name = $1`, name)
	return err
}
