package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	awskeys "github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	awsEndpoint   = "https://s3.amazonaws.com"
	bucketTries   = 4
	bucketConnect = 20 * time.Second
)

// bucket is a bucket of an S3 server, or what begins with a prefix in one.
type bucket struct {
	client *minio.Client
	name   string
	prefix string // empty, or with a slash at its end
}

// bucketAddress is a parsed address of a bucket.
type bucketAddress struct {
	name, prefix string
	host         string
	secure       bool
	region       string
}

// CheckBlobs tells in a sentence what is wrong with the address of a bucket: s3://BUCKET/PREFIX?endpoint=URL&region=NAME, of
// which only the bucket is needed at Amazon. Keys are in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), in
// ~/.aws/credentials, or with the machine (its role).
func CheckBlobs(address string) error {
	_, err := parseBucket(address)
	return err
}

func parseBucket(address string) (bucketAddress, error) {
	wrong := errors.New("give an address such as s3://bucket/prefix, with ?endpoint=https://s3.example.org at its end where it is not Amazon's, " +
		"and the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return bucketAddress{}, wrong
	}
	q := u.Query()
	end, err := url.Parse(q.Get("endpoint"))
	if q.Get("endpoint") == "" {
		end, err = url.Parse(awsEndpoint)
	}
	if err != nil || end.Host == "" || end.Scheme != "https" && end.Scheme != "http" || strings.Trim(end.Path, "/") != "" {
		return bucketAddress{}, wrong
	}
	for name := range q {
		if name != "endpoint" && name != "region" {
			return bucketAddress{}, wrong
		}
	}
	b := bucketAddress{name: u.Host, host: end.Host, secure: end.Scheme == "https", region: q.Get("region")}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		b.prefix = prefix + "/"
	}
	return b, nil
}

// openBucket sees that the bucket is there.
func openBucket(ctx context.Context, address string) (*bucket, error) {
	a, err := parseBucket(address)
	if err != nil {
		return nil, err
	}
	client, err := minio.New(a.host, &minio.Options{
		Creds: awskeys.NewChainCredentials([]awskeys.Provider{
			&awskeys.EnvAWS{}, &awskeys.FileAWSCredentials{}, &awskeys.IAM{},
		}),
		Secure: a.secure, Region: a.region, MaxRetries: bucketTries,
	})
	if err != nil {
		return nil, fmt.Errorf("use the S3 server %s: %w", a.host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, bucketConnect)
	defer cancel()
	found, err := client.BucketExists(ctx, a.name)
	if err != nil {
		return nil, fmt.Errorf("ask the S3 server %s for the bucket %s: %w", a.host, a.name, err)
	}
	if !found {
		return nil, fmt.Errorf("the S3 server %s has no bucket %s: make it there", a.host, a.name)
	}
	return &bucket{client: client, name: a.name, prefix: a.prefix}, nil
}

// put sends the file in one piece, or in parts that become an object all at once.
func (b *bucket) put(ctx context.Context, key, file string) error {
	if _, err := b.client.FPutObject(ctx, b.name, b.prefix+key, file, minio.PutObjectOptions{ContentType: "application/octet-stream"}); err != nil {
		return err
	}
	_ = os.Remove(file) // it is the caller's no more; whatever is left of it is in the caller's folder
	return nil
}

func (b *bucket) open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	object, err := b.client.GetObject(ctx, b.name, b.prefix+key, minio.GetObjectOptions{})
	if err != nil {
		return nil, err
	}
	if _, err := object.Stat(); err != nil {
		if minio.ToErrorResponse(err).StatusCode == 404 {
			err = errors.Join(err, fs.ErrNotExist)
		}
		return nil, errors.Join(err, object.Close())
	}
	return object, nil
}

func (b *bucket) list(ctx context.Context, each func(key string) error) error {
	ctx, stop := context.WithCancel(ctx) // ends the listing, if each ends before
	defer stop()
	for object := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
		if object.Err != nil {
			return object.Err
		}
		key := strings.TrimPrefix(object.Key, b.prefix)
		if checkKey(key) != nil {
			continue // it is of somebody else
		}
		if err := each(key); err != nil {
			return err
		}
	}
	return nil
}

func (b *bucket) remove(ctx context.Context, folder string) error {
	ctx, stop := context.WithCancel(ctx) // ends the listing, if removing ends before
	defer stop()
	objects := b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix + folder + "/", Recursive: true})
	for object := range objects {
		if object.Err != nil {
			return object.Err
		}
		if err := b.client.RemoveObject(ctx, b.name, object.Key, minio.RemoveObjectOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// begin has nothing to remove: an object is there as a whole, or not.
func (b *bucket) begin() error { return nil }

func (b *bucket) close() error { return nil }
