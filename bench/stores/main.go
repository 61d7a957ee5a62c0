// Command stores starts a PostgreSQL and a Redis that keep nothing, for browser tests of several servers.
//
// It prints {"database":URL,"redis":URL}, and ends them with its input.
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
	if err := json.NewEncoder(out).Encode(map[string]string{"database": database, "redis": redis.URL()}); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return err
}
