// Package static serves the browser client, which is embedded as vite built it.
package static

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// dist holds the built client. A placeholder keeps the folder in the repository, so
// that the server compiles before the client was built.
//
//go:embed all:dist
var dist embed.FS

// Files returns the built client: index.html, assets/… and a few files beside them.
func Files() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil { // cannot be: the name is constant and valid
		return dist
	}
	return sub
}

// Handler serves the embedded client. Paths that are no file get index.html, because the
// client has its own addresses; only what looks like a file (under /assets/, or with an
// extension) is answered with 404. What a page may load and do (Content-Security-Policy and its like) is set by whoever
// mounts the handler, for all answers alike.
func Handler() http.Handler { return handler(Files()) }

// types are set here rather than taken from the system, whose table differs from host to host.
var types = map[string]string{
	".css":   "text/css; charset=utf-8",
	".html":  "text/html; charset=utf-8",
	".ico":   "image/x-icon",
	".jpg":   "image/jpeg",
	".js":    "text/javascript; charset=utf-8",
	".json":  "application/json",
	".map":   "application/json",
	".png":   "image/png",
	".svg":   "image/svg+xml",
	".txt":   "text/plain; charset=utf-8",
	".wasm":  "application/wasm",
	".webp":  "image/webp",
	".woff2": "font/woff2",
}

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Pausepoint</title>` +
	`<p>The browser client is not built: run make build, then start the server again.</p></html>`

func handler(files fs.FS) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Pages are only read here.", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		if isAsset(name) {
			serveAsset(w, r, files, name)
			return
		}
		serveIndex(w, r, files)
	})
}

// isAsset tells a file of the build from an address of the client. Ids never contain a dot.
func isAsset(name string) bool {
	return name == "assets" || strings.HasPrefix(name, "assets/") || path.Ext(name) != "" && name != "index.html"
}

func serveAsset(w http.ResponseWriter, r *http.Request, files fs.FS, name string) {
	contentType, known := types[path.Ext(name)]
	info, err := fs.Stat(files, name)
	if !known || err != nil || !info.Mode().IsRegular() {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") { // their names carry a hash of what is in them
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeFileFS(w, r, files, name)
}

// serveIndex answers with index.html. http.ServeFileFS would redirect that name to "./".
func serveIndex(w http.ResponseWriter, r *http.Request, files fs.FS) {
	w.Header().Set("Content-Type", types[".html"])
	w.Header().Set("Cache-Control", "no-cache")
	page, err := fs.ReadFile(files, "index.html")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, notBuilt)
	case err != nil:
		http.Error(w, "The page cannot be read. Try again in a moment.", http.StatusInternalServerError)
	default:
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(page)))
	}
}
