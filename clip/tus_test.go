package clip

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pausepoint/pausepoint/room/event/text"
)

const uploadsPath = "/api/uploads/"

// tusClient speaks to the uploads of a house over a real connection. It says who it is by a header.
type tusClient struct {
	t       *testing.T
	url     string
	account string
}

// serveUploads serves h until the test ends. The library may be opened anew meanwhile.
func serveUploads(t *testing.T, h *house, authorise Authorise) *tusClient {
	t.Helper()
	if authorise == nil {
		authorise = byHeader
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Uploads(uploadsPath, authorise, refuse).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return &tusClient{t: t, url: server.URL, account: "anna"}
}

func byHeader(r *http.Request) (string, error) { return r.Header.Get("X-Account"), nil }

// refuse answers with nothing but the status and the sentence.
func refuse(w http.ResponseWriter, _ *http.Request, err error) {
	http.Error(w, err.Error(), Status(err))
}

func (c *tusClient) as(account string) *tusClient { return &tusClient{c.t, c.url, account} }

// do makes a request; headers are pairs.
func (c *tusClient) do(method, path string, body io.Reader, headers ...string) (*http.Response, string) {
	c.t.Helper()
	res, text, err := c.try(method, path, body, headers...)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, text
}

func (c *tusClient) try(method, path string, body io.Reader, headers ...string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, body)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Tus-Resumable", "1.0.0")
	req.Header.Set("X-Account", c.account)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return res, string(text), err
}

func (c *tusClient) create(length int, meta string) string {
	c.t.Helper()
	res, text := c.do(http.MethodPost, uploadsPath, nil, "Upload-Length", strconv.Itoa(length), "Upload-Metadata", meta)
	if res.StatusCode != http.StatusCreated || !strings.HasPrefix(res.Header.Get("Location"), uploadsPath) || res.Header.Get("Upload-Expires") == "" {
		c.t.Fatalf("creation: %s %s %v", res.Status, text, res.Header)
	}
	return res.Header.Get("Location")
}

func (c *tusClient) patch(path string, offset int, body io.Reader) (*http.Response, string) {
	c.t.Helper()
	return c.do(http.MethodPatch, path, body, "Content-Type", offsetStream, "Upload-Offset", strconv.Itoa(offset))
}

func (c *tusClient) offset(path string) int {
	c.t.Helper()
	res, text := c.do(http.MethodHead, path, nil)
	n, err := strconv.Atoi(res.Header.Get("Upload-Offset"))
	if res.StatusCode != http.StatusOK || err != nil || res.Header.Get("Cache-Control") != "no-store" {
		c.t.Fatalf("HEAD: %s %s %v", res.Status, text, res.Header)
	}
	return n
}

func base64Pair(key, value string) string {
	return key + " " + base64.StdEncoding.EncodeToString([]byte(value))
}

func TestUploadGoesOnAfterARestartAndBecomesAClip(t *testing.T) {
	h := newHouse(t)
	c := serveUploads(t, h, nil)
	source := filepath.Join(t.TempDir(), "lesson.mov")
	runFFmpeg(t, "-f", "lavfi", "-i", "testsrc2=d=2:s=320x180", "-c:v", "libx264", "-preset", "ultrafast", source)
	data, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	path := c.create(len(data), base64Pair("filename", "my_lesson.mov")+","+base64Pair("title", "Fractions \u202eevil\x00"))
	id := strings.TrimPrefix(path, uploadsPath)
	if clip, _ := h.Get(t.Context(), id); clip.State != Uploading || clip.Title != "Fractions evil" || clip.Filename != "my_lesson.mov" || clip.Purpose != DefaultPurpose {
		t.Errorf("clip is %+v", clip)
	}
	half := len(data) / 2
	if res, text := c.patch(path, 0, bytes.NewReader(data[:half])); res.StatusCode != http.StatusNoContent || res.Header.Get("Upload-Offset") != strconv.Itoa(half) {
		t.Fatalf("PATCH: %s %s", res.Status, text)
	}
	h.Close()
	if res, _, err := c.try(http.MethodHead, path, nil); err != nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a closed library answers %v, %v", res, err)
	}
	h.open(t)
	if got := c.offset(path); got != half {
		t.Fatalf("after the restart the offset is %d, want %d", got, half)
	}
	if res, text := c.patch(path, half, bytes.NewReader(data[half:])); res.StatusCode != http.StatusNoContent {
		t.Fatalf("PATCH: %s %s", res.Status, text)
	}
	if clip := h.catalog.await(t, id, settled); clip.State != Ready || clip.Frames != 50 {
		t.Errorf("clip is %+v", clip)
	}
	if got := c.offset(path); got != len(data) {
		t.Errorf("a prepared upload has offset %d of %d", got, len(data))
	}
	if res, _ := c.do(http.MethodDelete, path, nil); res.StatusCode != http.StatusConflict {
		t.Errorf("termination of a complete upload: %s", res.Status)
	}
}

func TestUploadsRefuse(t *testing.T) {
	h := newHouse(t)
	c := serveUploads(t, h, nil)
	path := c.create(100, "")
	unknown := uploadsPath + "019aaaaa-0000-7000-8000-000000000001"
	stream := []string{"Content-Type", offsetStream}
	for _, tt := range []struct {
		name, method, path string
		account            string
		body               string
		headers            []string
		want               int
	}{
		{"no version", "POST", uploadsPath, "anna", "", []string{"Tus-Resumable", "", "Upload-Length", "5"}, 412},
		{"old version", "HEAD", path, "anna", "", []string{"Tus-Resumable", "0.2.2"}, 412},
		{"nobody", "POST", uploadsPath, "", "", []string{"Upload-Length", "5"}, 401},
		{"no length", "POST", uploadsPath, "anna", "", nil, 400},
		{"negative length", "POST", uploadsPath, "anna", "", []string{"Upload-Length", "-1"}, 400},
		{"length of words", "POST", uploadsPath, "anna", "", []string{"Upload-Length", "1e3"}, 400},
		{"empty", "POST", uploadsPath, "anna", "", []string{"Upload-Length", "0"}, 422},
		{"too large", "POST", uploadsPath, "anna", "", []string{"Upload-Length", "4294967297"}, 413},
		{"beyond numbers", "POST", uploadsPath, "anna", "", []string{"Upload-Length", "99999999999999999999"}, 413},
		{"deferred length", "POST", uploadsPath, "anna", "", []string{"Upload-Defer-Length", "1"}, 400},
		{"bad metadata", "POST", uploadsPath, "anna", "", []string{"Upload-Length", "5", "Upload-Metadata", "filename ###"}, 400},
		{"long metadata", "POST", uploadsPath, "anna", "", []string{"Upload-Length", "5", "Upload-Metadata", "a " + strings.Repeat("A", 9000)}, 400},
		{"wrong type", "PATCH", path, "anna", "x", []string{"Content-Type", "text/plain", "Upload-Offset", "0"}, 415},
		{"no offset", "PATCH", path, "anna", "x", stream, 400},
		{"wrong offset", "PATCH", path, "anna", "x", append(stream, "Upload-Offset", "7"), 409},
		{"more than announced", "PATCH", path, "anna", strings.Repeat("x", 101), append(stream, "Upload-Offset", "0"), 413},
		{"another's PATCH", "PATCH", path, "ben", "x", append(stream, "Upload-Offset", "0"), 403},
		{"another's HEAD", "HEAD", path, "ben", "", nil, 403},
		{"another's DELETE", "DELETE", path, "ben", "", nil, 403},
		{"nobody's PATCH", "PATCH", path, "", "x", append(stream, "Upload-Offset", "0"), 403},
		{"nobody's HEAD", "HEAD", path, "", "", nil, 403},
		{"nobody's DELETE", "DELETE", path, "", "", nil, 403},
		{"unknown HEAD", "HEAD", unknown, "anna", "", nil, 403},
		{"unknown PATCH", "PATCH", unknown, "anna", "x", append(stream, "Upload-Offset", "0"), 403},
		{"unknown DELETE", "DELETE", unknown, "", "", nil, 403},
		{"way out", "HEAD", uploadsPath + "..%2f..%2fetc%2fpasswd", "anna", "", nil, 404},
		{"way out in dots", "HEAD", uploadsPath + "%2e%2e/uploads", "anna", "", nil, 404},
		{"NUL", "HEAD", uploadsPath + "%00", "anna", "", nil, 404},
		{"other spelling", "HEAD", strings.ToUpper(path), "anna", "", nil, 404},
		{"GET", "GET", path, "anna", "", nil, 405},
		{"list", "GET", uploadsPath, "anna", "", nil, 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, text := c.as(tt.account).do(tt.method, tt.path, strings.NewReader(tt.body), tt.headers...)
			if res.StatusCode != tt.want {
				t.Errorf("got %s %s, want %d", res.Status, text, tt.want)
			}
			if tt.want == 412 && res.Header.Get("Tus-Version") != "1.0.0" {
				t.Errorf("no Tus-Version in %v", res.Header)
			}
		})
	}
	if got := c.offset(path); got != 0 {
		t.Errorf("refused requests left %d bytes", got)
	}
}

func TestServerSaysWhatItCan(t *testing.T) {
	c := serveUploads(t, newHouse(t), nil).as("")
	res, _ := c.do(http.MethodOptions, uploadsPath, nil, "Tus-Resumable", "")
	for name, want := range map[string]string{
		"Tus-Resumable": "1.0.0", "Tus-Version": "1.0.0", "Tus-Extension": "creation,expiration,termination", "Tus-Max-Size": "4294967296",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if res.StatusCode != http.StatusNoContent {
		t.Errorf("status %s", res.Status)
	}
}

func TestMoreBytesThanAnnouncedWithoutALength(t *testing.T) {
	c := serveUploads(t, newHouse(t), nil)
	path := c.create(10, "")
	res, text := c.patch(path, 0, io.MultiReader(strings.NewReader("12345"), strings.NewReader("1234567890")))
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %s %s", res.Status, text)
	}
	if got := c.offset(path); got > 10 {
		t.Errorf("offset is %d of 10", got)
	}
}

func TestTerminationRemovesEverything(t *testing.T) {
	h := newHouse(t)
	c := serveUploads(t, h, nil)
	path := c.create(10, "")
	c.patch(path, 0, strings.NewReader("12345"))
	if res, text := c.do(http.MethodPost, path, nil, "X-HTTP-Method-Override", "DELETE"); res.StatusCode != http.StatusNoContent {
		t.Fatalf("DELETE: %s %s", res.Status, text)
	}
	for account, want := range map[string]int{"anna": http.StatusGone, "ben": http.StatusForbidden, "": http.StatusForbidden} {
		if res, _ := c.as(account).do(http.MethodHead, path, nil); res.StatusCode != want {
			t.Errorf("HEAD by %q afterwards: %s", account, res.Status)
		}
	}
	if left, err := os.ReadDir(h.uploads.dir); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// hang starts a PATCH that sends part and then neither goes on nor ends, and returns once the part is on the disk.
func hang(t *testing.T, h *house, c *tusClient, path, part string) (status chan int) {
	t.Helper()
	body, feed := io.Pipe()
	t.Cleanup(func() { _ = feed.Close() })
	status = make(chan int, 1)
	go func() {
		res, _, err := c.try(http.MethodPatch, path, body, "Content-Type", offsetStream, "Upload-Offset", "0")
		if err != nil {
			status <- 0
			return
		}
		status <- res.StatusCode
	}()
	if _, err := feed.Write([]byte(part)); err != nil {
		t.Fatal(err)
	}
	file := h.uploads.path(strings.TrimPrefix(path, uploadsPath))
	for {
		if info, err := os.Stat(file); err == nil && info.Size() == int64(len(part)) {
			return status
		}
		if t.Context().Err() != nil {
			t.Fatal("the part does not arrive")
		}
	}
}

func TestNewerConnectionTakesOver(t *testing.T) {
	h := newHouse(t)
	c := serveUploads(t, h, nil)
	path := c.create(10, "")
	old := hang(t, h, c, path, "12345")
	if got := c.offset(path); got != 5 {
		t.Errorf("offset is %d, want 5", got)
	}
	if got := <-old; got != http.StatusRequestTimeout && got != 0 {
		t.Errorf("the former connection gets %d", got)
	}
	if res, text := c.patch(path, 5, strings.NewReader("67890")); res.StatusCode != http.StatusNoContent {
		t.Errorf("PATCH: %s %s", res.Status, text)
	}
}

func TestWriterThatDoesNotEndKeepsOthersOut(t *testing.T) {
	h := newHouse(t)
	id := strings.TrimPrefix(serveUploads(t, h, nil).create(10, ""), uploadsPath)
	release, err := h.uploads.acquire(t.Context(), id, func() {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := h.uploads.acquire(ctx, id, func() {}); Status(err) != http.StatusLocked {
		t.Errorf("a second writer gets %v", err)
	}
	release()
	again, err := h.uploads.acquire(t.Context(), id, func() {})
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestManyConnectionsWriteOneFile(t *testing.T) {
	h := newHouse(t)
	c := serveUploads(t, h, nil)
	data := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // 1 MiB
	path := c.create(len(data)+1, "")                        // never complete, so that the file can be read
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for {
				res, _, err := c.try(http.MethodHead, path, nil)
				if err != nil || res.StatusCode != http.StatusOK {
					continue
				}
				at, _ := strconv.Atoi(res.Header.Get("Upload-Offset"))
				if at >= len(data) {
					return
				}
				end := min(len(data), at+100_000)
				_, _, _ = c.try(http.MethodPatch, path, bytes.NewReader(data[at:end]), "Content-Type", offsetStream, "Upload-Offset", strconv.Itoa(at))
			}
		})
	}
	all.Wait()
	got, err := os.ReadFile(h.uploads.path(strings.TrimPrefix(path, uploadsPath)))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("the file has %d bytes that are not what was sent, %v", len(got), err)
	}
}

func TestUploadEndsWhenTheRightToItIsGone(t *testing.T) {
	h := newHouse(t)
	var asked atomic.Int32
	c := serveUploads(t, h, func(r *http.Request) (string, error) {
		if asked.Add(1) > 2 { // creation and the beginning of PATCH were allowed
			return "", errForbidden
		}
		return byHeader(r)
	})
	path := c.create(1<<30, "")
	body, feed := io.Pipe()
	go func() { // a client that never stops by itself
		for {
			if _, err := feed.Write(make([]byte, 1000)); err != nil {
				return
			}
		}
	}()
	res, text := c.patch(path, 0, body)
	_ = body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("got %s %s", res.Status, text)
	}
}

func TestLastByteBeforeACrashIsNotLost(t *testing.T) {
	h := newHouse(t)
	path := serveUploads(t, h, nil).create(5, "")
	id := strings.TrimPrefix(path, uploadsPath)
	h.Close()
	if err := os.WriteFile(h.uploads.path(id), []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.open(t)
	if c := h.catalog.await(t, id, settled); c.State != Refused {
		t.Errorf("clip is %+v", c)
	}
}

func TestUploadsExpire(t *testing.T) {
	h := newHouse(t)
	c := serveUploads(t, h, nil)
	path := c.create(10, "")
	c.patch(path, 0, strings.NewReader("12345"))
	h.now = func() time.Time { return time.Now().Add(UploadExpiry - time.Hour) }
	if err := h.uploads.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := c.offset(path); got != 5 {
		t.Fatalf("offset is %d", got)
	}
	stray := h.uploads.path("019aaaaa-0000-7000-8000-000000000002")
	if err := os.WriteFile(stray, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h.now = func() time.Time { return time.Now().Add(UploadExpiry + time.Hour) }
	if err := h.uploads.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if res, _ := c.do(http.MethodHead, path, nil); res.StatusCode != http.StatusGone {
		t.Errorf("an expired upload answers %s", res.Status)
	}
	if left, err := os.ReadDir(h.uploads.dir); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestUnfinishedUploadsAreFew(t *testing.T) {
	c := serveUploads(t, newHouse(t), nil)
	for range maxUnfinished {
		c.create(10, "")
	}
	if res, text := c.do(http.MethodPost, uploadsPath, nil, "Upload-Length", "10"); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("got %s %s", res.Status, text)
	}
	c.as("ben").create(10, "")
}

func FuzzMetadata(f *testing.F) {
	for _, seed := range []string{"", "filename bGVzc29uLm1wNA==,title", "a ,b  c", ",", "filename YQ==,filename YQ==", "é YQ=="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		meta, err := parseMetadata(header)
		if err != nil {
			if Status(err) != http.StatusBadRequest {
				t.Errorf("error is %v", err)
			}
			return
		}
		for key := range meta {
			if !asciiKey(key) {
				t.Errorf("key %q", key)
			}
		}
		title := titleFor(meta["filename"])
		if title == "" || strings.ContainsFunc(title, text.Disguises) || len([]rune(title)) > MaxTitle {
			t.Errorf("title %q", title)
		}
	})
}
