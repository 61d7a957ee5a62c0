package clip

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	tusVersion    = "1.0.0"
	tusExtensions = "creation,expiration,termination"
	offsetStream  = "application/offset+octet-stream"
	recheckEvery  = 2 * time.Second  // how long a PATCH may outlive the right to it
	idleLimit     = 60 * time.Second // without a byte, a PATCH ends
)

// Authorise returns the account that made a request, empty if there is none. It is asked again while an upload goes on, so it
// must not answer from what it remembers of the request. An error is the server's fault.
type Authorise func(*http.Request) (account string, err error)

// Refuse answers a request with an error: an [*Error], whose [Status] it has, or a fault of the server.
type Refuse func(w http.ResponseWriter, r *http.Request, err error)

// Uploads returns the tus 1.0.0 server (https://tus.io/protocols/resumable-upload, with creation,
// expiration and termination) for paths below prefix, which ends in a slash: POST makes a clip in state Uploading, whose id
// is the last part of Location. Upload-Metadata may hold filename and title. An upload that is not the caller's answers 403, whether
// there is one or not, and 410 to whose it was for as long as that is remembered.
func (l *Library) Uploads(prefix string, authorise Authorise, refuse Refuse) http.Handler {
	return &tusHandler{lib: l, prefix: prefix, authorise: authorise, refuse: refuse}
}

type tusHandler struct {
	lib       *Library
	prefix    string
	authorise Authorise
	refuse    Refuse
}

// ServeHTTP implements http.Handler. The body of a PATCH that is refused is not read to its end.
func (t *tusHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Tus-Resumable", tusVersion)
	w.Header().Set("Cache-Control", "no-store")
	if err := t.route(w, r); err != nil {
		t.refuse(w, r, err)
	}
}

func (t *tusHandler) route(w http.ResponseWriter, r *http.Request) error {
	method := r.Method
	if over := r.Header.Get("X-HTTP-Method-Override"); over != "" && method == http.MethodPost {
		method = over
	}
	if method == http.MethodOptions {
		return t.options(w)
	}
	if r.Header.Get("Tus-Resumable") != tusVersion {
		w.Header().Set("Tus-Version", tusVersion)
		return because("bad_version", "This server speaks version 1.0.0 of tus.", nil)
	}
	id, ok := strings.CutPrefix(r.URL.Path, t.prefix)
	switch {
	case id == "" && method == http.MethodPost:
		return t.create(w, r)
	case id == "":
		return because("bad_method", "Uploads are begun with POST.", nil)
	case !ok || !validID(id):
		return ErrNotFound
	}
	c, err := t.own(r, id)
	if err != nil {
		return err
	}
	switch method {
	case http.MethodHead:
		return t.head(w, r, c)
	case http.MethodPatch:
		return t.patch(w, r, c)
	case http.MethodDelete:
		return t.terminate(w, r, c)
	}
	return because("bad_method", "An upload understands HEAD, PATCH and DELETE.", nil)
}

func (t *tusHandler) options(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Tus-Version", tusVersion)
	h.Set("Tus-Extension", tusExtensions)
	h.Set("Tus-Max-Size", strconv.FormatInt(MaxUpload, 10))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// own returns the clip of an upload that is the caller's. Whoever guesses an id does not learn whether there is such an upload.
func (t *tusHandler) own(r *http.Request, id string) (Clip, error) {
	account, err := t.authorise(r)
	if err != nil {
		return Clip{}, fmt.Errorf("who uploads: %w", err)
	}
	c, err := t.lib.Get(r.Context(), id)
	switch {
	case errors.Is(err, ErrNotFound) && t.lib.uploads.endedOf(account, id):
		return Clip{}, errGone
	case errors.Is(err, ErrNotFound), err == nil && !c.OwnedBy(account):
		return Clip{}, errForbidden
	}
	return c, err
}

func (t *tusHandler) create(w http.ResponseWriter, r *http.Request) error {
	account, err := t.authorise(r)
	if err != nil {
		return fmt.Errorf("who uploads: %w", err)
	}
	if account == "" {
		return because("unauthorized", "Sign in to upload a clip.", nil)
	}
	if r.Header.Get("Upload-Defer-Length") != "" {
		return because("bad_header", "The length of the file must be known at the beginning.", nil)
	}
	length, err := number(r, "Upload-Length")
	if err != nil {
		return err
	}
	meta, err := parseMetadata(strings.Join(r.Header.Values("Upload-Metadata"), ","))
	if err != nil {
		return err
	}
	c, err := t.lib.uploads.begin(r.Context(), account, length, meta)
	if err != nil {
		return err
	}
	w.Header().Set("Location", t.prefix+c.ID)
	t.describe(w, c, 0)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// describe sets the headers that every answer about an upload has.
func (t *tusHandler) describe(w http.ResponseWriter, c Clip, offset int64) {
	w.Header().Set("Upload-Offset", strconv.FormatInt(offset, 10))
	if c.State == Uploading && offset < c.Bytes {
		w.Header().Set("Upload-Expires", t.lib.uploads.expires(c).UTC().Format(http.TimeFormat))
	}
}

// head stops a writer whose client has evidently left, so that the offset which it tells is final.
func (t *tusHandler) head(w http.ResponseWriter, r *http.Request, c Clip) error {
	release, err := t.lib.uploads.acquire(r.Context(), c.ID, func() {})
	if err != nil {
		return err
	}
	defer release()
	offset, err := t.lib.uploads.offset(c)
	if err != nil {
		return err
	}
	if offset == c.Bytes && c.State == Uploading {
		if err := t.lib.uploads.complete(r.Context(), c.ID); err != nil {
			return err
		}
	}
	t.describe(w, c, offset)
	w.Header().Set("Upload-Length", strconv.FormatInt(c.Bytes, 10))
	w.WriteHeader(http.StatusOK)
	return nil
}

func (t *tusHandler) patch(w http.ResponseWriter, r *http.Request, c Clip) error {
	if r.Header.Get("Content-Type") != offsetStream {
		return because("bad_type", "Parts of an upload have the type "+offsetStream+".", nil)
	}
	at, err := number(r, "Upload-Offset")
	if err != nil {
		return err
	}
	guard := newGuard(w, func() error {
		_, err := t.own(r, c.ID)
		return err
	})
	release, err := t.lib.uploads.acquire(r.Context(), c.ID, guard.stop)
	if err != nil {
		return err
	}
	defer release()
	offset, err := t.appendAt(r, c, at, guard)
	if err != nil {
		return err
	}
	t.describe(w, c, offset)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// appendAt writes the body of r, if it begins where the upload ends. The caller is its writer.
func (t *tusHandler) appendAt(r *http.Request, c Clip, at int64, guard *guard) (int64, error) {
	c, err := t.lib.Get(r.Context(), c.ID) // a former writer may have completed it meanwhile
	if err != nil {
		return 0, err
	}
	offset, err := t.lib.uploads.offset(c)
	if err != nil {
		return 0, err
	}
	if at != offset {
		return 0, because("bad_offset", "The upload continues at another place. Ask where, and go on from there.", nil)
	}
	if r.ContentLength > c.Bytes-offset {
		return 0, because("too_large", "More bytes came than were announced. Start the upload again.", nil)
	}
	if c.State != Uploading {
		return offset, nil
	}
	if offset, err = t.lib.uploads.append(c, r.Body, guard.check); err != nil {
		return 0, err
	}
	guard.finish()
	if offset < c.Bytes {
		return offset, nil
	}
	return offset, t.lib.uploads.complete(context.WithoutCancel(r.Context()), c.ID)
}

func (t *tusHandler) terminate(w http.ResponseWriter, r *http.Request, c Clip) error {
	if c.State != Uploading {
		return because("complete", "This upload is complete. Delete the clip instead.", nil)
	}
	if err := t.lib.remove(r.Context(), c); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// number reads a header that holds a decimal number of bytes, as tus writes it: digits only.
func number(r *http.Request, name string) (int64, error) {
	text := r.Header.Get(name)
	n, err := strconv.ParseUint(text, 10, 63)
	if errors.Is(err, strconv.ErrRange) {
		return 0, because("too_large", "This file is larger than 4 GB. Cut it or export it smaller.", err)
	}
	if err != nil {
		return 0, because("bad_header", "The header "+name+" must be a number of bytes.", err)
	}
	return int64(n), nil
}

// guard ends a PATCH from outside: when a newer one comes, when the right to it is gone, when no byte comes any more.
// The request's goroutine calls check and finish; stop may be called by any.
type guard struct {
	control  *http.ResponseController
	allowed  func() error
	stopped  atomic.Bool
	finished atomic.Bool
	asked    time.Time // when allowed was last called
}

func newGuard(w http.ResponseWriter, allowed func() error) *guard {
	return &guard{control: http.NewResponseController(w), allowed: allowed, asked: time.Now()}
}

// stop wakes a read that blocks.
func (g *guard) stop() {
	g.stopped.Store(true)
	if !g.finished.Load() {
		_ = g.control.SetReadDeadline(time.Unix(1, 0))
	}
}

// check is called before and after every read. The deadline is set before stopped is looked at: so either check sees stop, or
// stop's deadline comes after its own. Of what a read waited for, nothing is written if the right to it has gone meanwhile.
func (g *guard) check() error {
	_ = g.control.SetReadDeadline(time.Now().Add(idleLimit)) // a writer without deadlines still ends when the server closes it
	if g.stopped.Load() {
		return because("interrupted", "The upload goes on in another connection.", nil)
	}
	if time.Since(g.asked) < recheckEvery {
		return nil
	}
	g.asked = time.Now()
	return g.allowed()
}

// finish lets the connection be used for further requests.
func (g *guard) finish() {
	g.finished.Store(true)
	_ = g.control.SetReadDeadline(time.Time{})
}
