package signaling

import (
	_ "embed"
	"net/http"
)

// openAPI describes the HTTP API (OpenAPI 3.1). A test holds it against the routes.
//
//go:embed openapi.json
var openAPI []byte

func describeAPI(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-cache")
	_, _ = w.Write(openAPI) // the client may be gone
}
