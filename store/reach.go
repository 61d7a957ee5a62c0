package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"
)

// DatabaseClock is how far the clock of a PostgreSQL database is ahead of this machine's, by half of the way there and back at most.
func DatabaseClock(ctx context.Context, address string) (time.Duration, error) {
	c, err := postgresConfig(address)
	if err != nil {
		return 0, err
	}
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return 0, fmt.Errorf("reach the database: %w", err)
	}
	var there time.Time
	asked := time.Now()
	err = conn.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&there)
	answered := time.Now()
	middle := asked.Add(answered.Sub(asked) / 2)
	return there.Sub(middle), errors.Join(err, conn.Close(ctx))
}

// probe is the name of what [ReachBlobs] puts into a bucket for a moment. No key can name it.
const probe = ".probe"

// ReachBlobs sees that a bucket is there, and that something can be put there, read and removed.
func ReachBlobs(ctx context.Context, address string) error {
	b, err := openBucket(ctx, address)
	if err != nil {
		return err
	}
	name, text := b.prefix+probe, "pausepoint doctor"
	if _, err := b.client.PutObject(ctx, b.name, name, strings.NewReader(text), int64(len(text)), minio.PutObjectOptions{}); err != nil {
		return fmt.Errorf("put something into the bucket: %w", err)
	}
	if _, err := b.client.StatObject(ctx, b.name, name, minio.StatObjectOptions{}); err != nil {
		return fmt.Errorf("read what is in the bucket: %w", err)
	}
	if err := b.client.RemoveObject(ctx, b.name, name, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("remove something from the bucket: %w", err)
	}
	return nil
}
