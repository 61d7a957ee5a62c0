package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// reachWithin is longer than a node waits: who tries Redis wants to know what is wrong with it.
const reachWithin = 10 * time.Second

// try keeps a key for a moment, as nodes do when they say that they are there.
var try = redis.NewScript(`return redis.call('SET', KEYS[1], '', 'PX', 1000)`)

// Reach sees that a Redis server does what nodes need of it: it runs scripts, and brings what is published to who listens.
func Reach(ctx context.Context, address string) error {
	client, err := patientClient(address)
	if err != nil {
		return err
	}
	return errors.Join(reach(ctx, client), client.Close())
}

func patientClient(address string) (*redis.Client, error) {
	o, err := options(address)
	if err != nil {
		return nil, err
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = reachWithin, reachWithin, reachWithin, reachWithin
	redis.SetLogger(silent{})
	return redis.NewClient(o), nil
}

func reach(ctx context.Context, client *redis.Client) error {
	name := "pausepoint:try:" + uuid.NewString()
	if err := try.Run(ctx, client, []string{name}).Err(); err != nil {
		return wrap("keep something in Redis", err)
	}
	ear := client.Subscribe(ctx, name)
	_, err := ear.ReceiveTimeout(ctx, reachWithin)
	if err == nil {
		err = client.Publish(ctx, name, "").Err()
	}
	if err == nil {
		_, err = ear.ReceiveTimeout(ctx, reachWithin)
	}
	return wrap("hear what is published in Redis", errors.Join(err, ear.Close()))
}

// IsThere reports whether a node of this name says through a Redis server that it is there, or did so a moment ago.
func IsThere(ctx context.Context, address, name string) (bool, error) {
	client, err := patientClient(address)
	if err != nil {
		return false, err
	}
	there, err := client.HExists(ctx, nodeKey(name), "id").Result()
	return there, wrap("look for the node", errors.Join(err, client.Close()))
}
