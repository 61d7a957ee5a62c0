package clip

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var preparedClip = Clip{ID: "019aaaaa-0000-7000-8000-000000000003", State: Ready, Prepared: time.Unix(1e9, 0)}

// shelf is a Library that only serves, with one clip whose 720p rendition is "0123456789".
func shelf(t testing.TB) *Library {
	t.Helper()
	l := &Library{blobs: folder(t.TempDir())}
	for _, name := range []string{Rendition720, Poster, Thumbs, SheetName(0)} {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := l.blobs.PutFile(t.Context(), blobPrefix(preparedClip.ID)+name, path); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func ask(l *Library, c Clip, name string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	if err := l.Serve(w, r, c, name); err != nil {
		refuse(w, r, err)
	}
	return w
}

func TestServe(t *testing.T) {
	l := shelf(t)
	waiting := preparedClip
	waiting.State = Preparing
	tag := ask(l, preparedClip, Rendition720).Header().Get("ETag")
	for _, tt := range []struct {
		name    string
		clip    Clip
		file    string
		headers []string
		status  int
		kind    string
		body    string
	}{
		{"all", preparedClip, "720p.mp4", nil, 200, "video/mp4", "0123456789"},
		{"range", preparedClip, "720p.mp4", []string{"Range", "bytes=2-4"}, 206, "video/mp4", "234"},
		{"end", preparedClip, "720p.mp4", []string{"Range", "bytes=-3"}, 206, "video/mp4", "789"},
		{"same version", preparedClip, "720p.mp4", []string{"Range", "bytes=2-4", "If-Range", tag}, 206, "video/mp4", "234"},
		{"other version", preparedClip, "720p.mp4", []string{"Range", "bytes=2-4", "If-Range", `"x"`}, 200, "video/mp4", "0123456789"},
		{"known", preparedClip, "720p.mp4", []string{"If-None-Match", tag}, 304, "", ""},
		{"beyond", preparedClip, "720p.mp4", []string{"Range", "bytes=20-30"}, 416, "", ""},
		{"ten ranges", preparedClip, "720p.mp4", []string{"Range", "bytes=0-0" + strings.Repeat(",0-0", 9)}, 206, "", ""},
		{"eleven ranges", preparedClip, "720p.mp4", []string{"Range", "bytes=0-0" + strings.Repeat(",0-0", 10)}, 416, "", ""},
		{"10k ranges", preparedClip, "720p.mp4", []string{"Range", "bytes=0-0" + strings.Repeat(",0-0", 10_000)}, 416, "", ""},
		{"poster", preparedClip, "poster.jpg", nil, 200, "image/jpeg", "0123456789"},
		{"sheet", preparedClip, "thumbs-0.jpg", nil, 200, "image/jpeg", "0123456789"},
		{"plan", preparedClip, "thumbs.json", nil, 200, "application/json", "0123456789"},
		{"absent", preparedClip, "360p.mp4", nil, 404, "", ""},
		{"absent sheet", preparedClip, "thumbs-3.jpg", nil, 404, "", ""},
		{"no such sheet", preparedClip, "thumbs-4.jpg", nil, 404, "", ""},
		{"sheet spelled otherwise", preparedClip, "thumbs-00.jpg", nil, 404, "", ""},
		{"way out", preparedClip, "../720p.mp4", nil, 404, "", ""},
		{"way round", preparedClip, "./720p.mp4", nil, 404, "", ""},
		{"NUL", preparedClip, "720p.mp4\x00", nil, 404, "", ""},
		{"nothing", preparedClip, "", nil, 404, "", ""},
		{"not ready", waiting, "720p.mp4", nil, 404, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(l, tt.clip, tt.file, tt.headers...)
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if tt.kind != "" && w.Header().Get("Content-Type") != tt.kind {
				t.Errorf("type is %q", w.Header().Get("Content-Type"))
			}
			if tt.body != "" && w.Body.String() != tt.body {
				t.Errorf("body is %q, want %q", w.Body, tt.body)
			}
			if w.Code == 200 && (!strings.HasPrefix(w.Header().Get("Cache-Control"), "private") || w.Header().Get("X-Content-Type-Options") != "nosniff") {
				t.Errorf("headers are %v", w.Header())
			}
		})
	}
}

func TestServingEndsWithItsContext(t *testing.T) {
	l := shelf(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	if err := l.Serve(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), preparedClip, Rendition720); err != nil {
		t.Fatal(err)
	}
	if w.Body.Len() != 0 {
		t.Errorf("%d bytes were sent", w.Body.Len())
	}
}

func FuzzRange(f *testing.F) {
	for _, seed := range []string{"", "bytes=0-", "bytes=5-2", "bytes=-", "bytes=0-0,-1", "bits=1-2", "bytes=99999999999999999999-", "bytes= 1 - 2 "} {
		f.Add(seed)
	}
	l := shelf(f)
	f.Fuzz(func(t *testing.T, header string) {
		w := ask(l, preparedClip, Rendition720, "Range", header)
		switch w.Code {
		case 200:
			if w.Body.String() != "0123456789" {
				t.Errorf("%q gives %q", header, w.Body)
			}
		case 206:
			if w.Body.Len() > 4096 {
				t.Errorf("%q gives %d bytes", header, w.Body.Len())
			}
		case 416:
		default:
			t.Errorf("%q gives %d", header, w.Code)
		}
	})
}
