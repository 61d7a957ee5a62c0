package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	s3Key    = "pausepoint-test"
	s3Secret = "a secret of tests"
)

// S3Keys are the keys of every S3 server that is started here, as variables of the environment of who uses it.
func S3Keys() map[string]string {
	return map[string]string{"AWS_ACCESS_KEY_ID": s3Key, "AWS_SECRET_ACCESS_KEY": s3Secret}
}

// KeepS3Keys puts the keys into this process's environment.
func KeepS3Keys() error {
	var errs []error
	for name, value := range S3Keys() {
		errs = append(errs, os.Setenv(name, value))
	}
	return errors.Join(errs...)
}

// S3 is a versitygw server of a test's own. Its methods may be called from any goroutine.
type S3 struct {
	dir    string
	addr   string
	server *process
	client *minio.Client
	count  atomic.Int64
}

// StartS3 starts the versitygw that make has built. The caller stops it.
func StartS3() (*S3, error) {
	program, err := s3Program()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pausepoint-s3-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for S3: %w", err)
	}
	s := &S3{dir: dir}
	if err := s.start(program); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// s3Program is in bin beside the go.mod of what is tested: tests run in its packages' folders.
func s3Program() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the S3 server: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || dir == filepath.Dir(dir) {
			break
		}
	}
	program := filepath.Join(dir, "bin", "versitygw")
	if _, err := os.Stat(program); err != nil {
		return "", fmt.Errorf("the S3 server is missing: make bin/versitygw builds it: %w", err)
	}
	return program, nil
}

func (s *S3) start(program string) error {
	var err error
	if s.addr, err = freeAddr(); err != nil {
		return err
	}
	s.client, err = minio.New(s.addr, &minio.Options{Creds: credentials.NewStaticV4(s3Key, s3Secret, "")})
	if err != nil {
		return fmt.Errorf("make a client for S3: %w", err)
	}
	files, meta := filepath.Join(s.dir, "files"), filepath.Join(s.dir, "meta")
	if err := errors.Join(os.Mkdir(files, 0o700), os.Mkdir(meta, 0o700)); err != nil {
		return fmt.Errorf("make folders for S3: %w", err)
	}
	cmd := exec.Command(program, "--port", s.addr, "--access", s3Key, "--secret", s3Secret, "--quiet", "posix", "--sidecar", meta, files)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	endWithParent(cmd.SysProcAttr)
	if s.server, err = launch(cmd); err != nil {
		return err
	}
	return s.server.await(func(ctx context.Context) error {
		_, err := s.client.ListBuckets(ctx)
		return err
	})
}

// freeAddr is an address that is free now: the server does not tell which port it was given.
func freeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return ln.Addr().String(), ln.Close()
}

// NewBucket makes an empty bucket and returns its address.
func (s *S3) NewBucket(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test-%d", s.count.Add(1))
	if err := s.client.MakeBucket(ctx, name, minio.MakeBucketOptions{}); err != nil {
		return "", fmt.Errorf("make a bucket: %w", err)
	}
	u := url.URL{Scheme: "s3", Host: name, Path: "/house"}
	u.RawQuery = url.Values{"endpoint": {"http://" + s.addr}, "region": {"us-east-1"}}.Encode()
	return u.String(), nil
}

// Sums is the SHA-256 of every object of a bucket, in hexadecimal, by key.
func (s *S3) Sums(ctx context.Context, bucket string) (map[string]string, error) {
	address, err := url.Parse(bucket)
	if err != nil {
		return nil, fmt.Errorf("address of a bucket: %w", err)
	}
	sums := map[string]string{}
	for o := range s.client.ListObjects(ctx, address.Host, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			return nil, fmt.Errorf("list a bucket: %w", o.Err)
		}
		if sums[o.Key], err = s.sum(ctx, address.Host, o.Key); err != nil {
			return nil, fmt.Errorf("read %s: %w", o.Key, err)
		}
	}
	return sums, nil
}

func (s *S3) sum(ctx context.Context, bucket, key string) (string, error) {
	object, err := s.client.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, object)
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(err, object.Close())
}

// Stop ends the server and removes what it kept.
func (s *S3) Stop() error {
	var err error
	if s.server != nil {
		err = s.server.end(syscall.SIGKILL)
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
