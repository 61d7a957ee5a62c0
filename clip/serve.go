package clip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Names of what a prepared clip consists of; sprite sheets are [SheetName].
const (
	Rendition720 = "720p.mp4"
	Rendition360 = "360p.mp4"
	Thumbs       = "thumbs.json"
	Poster       = "poster.jpg"
)

const maxRanges = 10 // of one request; more are refused

// SheetName returns the name of the n-th sprite sheet, from 0.
func SheetName(n int) string { return "thumbs-" + strconv.Itoa(n) + ".jpg" }

// contentType returns the type of what is served as name; false for any name that is
// not one of the fixed set, so that nothing of a client ever becomes part of a key.
func contentType(name string) (string, bool) {
	switch name {
	case Rendition720, Rendition360:
		return "video/mp4", true
	case Thumbs:
		return "application/json", true
	case Poster:
		return "image/jpeg", true
	}
	for n := range maxSheets {
		if name == SheetName(n) {
			return "image/jpeg", true
		}
	}
	return "", false
}

// checkRanges refuses a Range header with more than [maxRanges] ranges (RFC 9110, section 14.2,
// lets a server do that). What is wrong otherwise is left to http.ServeContent.
func checkRanges(header string) error {
	if strings.Count(header, ",") >= maxRanges {
		return because("bad_ranges", "The request asks for too many ranges at once.", nil)
	}
	return nil
}

// Serve answers with one file of clip c: "720p.mp4", "360p.mp4", "thumbs.json", "thumbs-N.jpg" or "poster.jpg";
// [ErrNotFound] for anything else. It understands Range, If-Range and If-None-Match. Whether the
// person may see the clip has been decided by the caller; a response stops when the
// context of r is cancelled. With an error nothing has been answered yet.
func (l *Library) Serve(w http.ResponseWriter, r *http.Request, c Clip, name string) error {
	kind, ok := contentType(name)
	if !ok || c.State != Ready {
		return ErrNotFound
	}
	if err := checkRanges(strings.Join(r.Header.Values("Range"), ",")); err != nil {
		return err
	}
	blob, err := l.blobs.OpenBlob(r.Context(), blobPrefix(c.ID)+name)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("open %s of clip %s: %w", name, c.ID, err)
	}
	defer func() { _ = blob.Close() }()
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("ETag", fmt.Sprintf(`"%s-%x-%s"`, c.ID, c.Prepared.UnixMilli(), name))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	http.ServeContent(w, r, "", time.Time{}, cancelledReader{r.Context(), blob})
	return nil
}

// OpenFile opens one file of a clip that is ready, which the caller closes; [ErrNotFound] if there is none. Whether somebody may
// see it is the caller's to decide.
func (l *Library) OpenFile(ctx context.Context, id, name string) (io.ReadSeekCloser, error) {
	if _, ok := contentType(name); !ok || !validID(id) {
		return nil, ErrNotFound
	}
	blob, err := l.blobs.OpenBlob(ctx, blobPrefix(id)+name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	return blob, err
}

// cancelledReader ends a long response once its context is cancelled.
type cancelledReader struct {
	ctx context.Context
	io.ReadSeeker
}

func (c cancelledReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.ReadSeeker.Read(p)
}
