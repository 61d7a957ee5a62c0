package static

import (
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func built() fs.FS {
	return fstest.MapFS{
		"index.html":               {Data: []byte("<!doctype html><title>client</title>")},
		"favicon.svg":              {Data: []byte("<svg/>")},
		"assets/index-1a2b.js":     {Data: []byte("export {}")},
		"assets/index-1a2b.css":    {Data: []byte("body{}")},
		"assets/inter-1a2b.woff2":  {Data: []byte("font")},
		"assets/folder.js/deep.js": {Data: []byte("export {}")},
		".gitkeep":                 {},
	}
}

func get(t *testing.T, files fs.FS, method, target string) (*http.Response, string) {
	t.Helper()
	rec := httptest.NewRecorder()
	handler(files).ServeHTTP(rec, httptest.NewRequest(method, target, nil))
	res := rec.Result()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestAddressesOfTheClientGetItsPage(t *testing.T) {
	for _, target := range []string{
		"/", "/index.html", "/setup", "/clips", "/s/0199-aa/plan", "/s/0199-aa/", "/nothing/like/it",
	} {
		res, body := get(t, built(), http.MethodGet, target)
		if res.StatusCode != http.StatusOK || !strings.Contains(body, "client") {
			t.Errorf("%s: %d %q", target, res.StatusCode, body)
		}
		if got := res.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control %q", target, got)
		}
	}
}

func TestAssets(t *testing.T) {
	const forever = "public, max-age=31536000, immutable"
	for target, want := range map[string][2]string{
		"/assets/index-1a2b.js":    {"text/javascript; charset=utf-8", forever},
		"/assets/index-1a2b.css":   {"text/css; charset=utf-8", forever},
		"/assets/inter-1a2b.woff2": {"font/woff2", forever},
		"/favicon.svg":             {"image/svg+xml", "no-cache"},
	} {
		res, _ := get(t, built(), http.MethodGet, target)
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", target, res.StatusCode)
		}
		if got := [2]string{res.Header.Get("Content-Type"), res.Header.Get("Cache-Control")}; got != want {
			t.Errorf("%s: %q, want %q", target, got, want)
		}
	}
}

func TestWhatIsNoFileIsNotFound(t *testing.T) {
	for _, target := range []string{
		"/assets/index-old.js", "/assets/", "/assets/folder.js", "/.gitkeep", "/static.go", "/../static.go",
		"/assets/../../static.go", "/robots.txt",
	} {
		res, body := get(t, built(), http.MethodGet, target)
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d %q", target, res.StatusCode, body)
		}
		if got := res.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", target, got)
		}
	}
}

func TestPagesAreOnlyRead(t *testing.T) {
	res, _ := get(t, built(), http.MethodPost, "/")
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", res.StatusCode)
	}
	res, body := get(t, built(), http.MethodHead, "/clips")
	if res.StatusCode != http.StatusOK || body != "" {
		t.Errorf("HEAD: %d %q", res.StatusCode, body)
	}
}

func TestAClientThatIsNotBuiltSaysSo(t *testing.T) {
	res, body := get(t, fstest.MapFS{".gitkeep": {}}, http.MethodGet, "/")
	if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "make build") {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

func TestTheEmbeddedFolderIsThere(t *testing.T) {
	if _, err := fs.Stat(Files(), "."); err != nil {
		t.Fatal(err)
	}
}
