// Package ctxio ends what is read or copied once a context has ended.
package ctxio

import (
	"context"
	"io"
)

// Reader returns a reader of r whose Read reports the context's error once that has ended. A Read of r that is under way is not broken off.
func Reader(ctx context.Context, r io.Reader) io.Reader { return reader{ctx, r} }

// ReadSeeker is the same of a file.
func ReadSeeker(ctx context.Context, f io.ReadSeeker) io.ReadSeeker {
	return readSeeker{reader{ctx, f}, f}
}

type reader struct {
	ctx context.Context //nolint:containedctx // of the one who reads
	io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

type readSeeker struct {
	reader
	io.Seeker
}
