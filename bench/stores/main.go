// Command stores starts a PostgreSQL, a Redis and an S3 server that keep nothing, for browser tests of several servers.
//
// It prints {"database":URL,"redis":URL,"blobs":URL,"keys":{NAME:VALUE}}, of which keys are variables that the servers need in their
// environment, and ends them with its input.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pausepoint/pausepoint/store/storetest"
)

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "stores:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	db, err := storetest.StartPostgres()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	redis, err := storetest.StartRedis()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, redis.Stop()) }()
	database, err := db.NewDatabase(ctx)
	if err != nil {
		return err
	}
	s3, err := storetest.StartS3()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s3.Stop()) }()
	blobs, err := s3.NewBucket(ctx)
	if err != nil {
		return err
	}
	printed := map[string]any{"database": database, "redis": redis.URL(), "blobs": blobs, "keys": storetest.S3Keys()}
	if err := json.NewEncoder(out).Encode(printed); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return err
}
