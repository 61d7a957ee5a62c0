package clip

import (
	"encoding/json"
	"errors"
	"net/http"
)

// statusOf maps an Error's code to a status; codes that are not here are 422.
var statusOf = map[string]int{
	"not_found":    http.StatusNotFound,
	"gone":         http.StatusGone,
	"forbidden":    http.StatusForbidden,
	"unauthorized": http.StatusUnauthorized,
	"exists":       http.StatusConflict,
	"bad_offset":   http.StatusConflict,
	"complete":     http.StatusConflict,
	"busy":         http.StatusLocked,
	"too_large":    http.StatusRequestEntityTooLarge,
	"bad_version":  http.StatusPreconditionFailed,
	"bad_type":     http.StatusUnsupportedMediaType,
	"bad_header":   http.StatusBadRequest,
	"bad_metadata": http.StatusBadRequest,
	"bad_method":   http.StatusMethodNotAllowed,
	"bad_ranges":   http.StatusRequestedRangeNotSatisfiable,
	"too_many":     http.StatusTooManyRequests,
	"disk_full":    http.StatusInsufficientStorage,
	"interrupted":  http.StatusRequestTimeout,
	"closing":      http.StatusServiceUnavailable,
	"internal":     http.StatusInternalServerError,
	"not_ready":    http.StatusConflict,
}

// Status returns the HTTP status that fits err: that of its code, 422 for an
// [*Error] with any other code, 500 for any other error.
func Status(err error) int {
	var e *Error
	if !errors.As(err, &e) {
		return http.StatusInternalServerError
	}
	if status, ok := statusOf[e.Code]; ok {
		return status
	}
	return http.StatusUnprocessableEntity
}

// errorBody is {"error":{"code":"…","message":"…"}}.
type errorBody struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// writeError answers with the sentence of err and never with its cause.
func writeError(w http.ResponseWriter, err error) {
	e := because("internal", "Something went wrong on the server. Try again in a moment.", nil)
	errors.As(err, &e)
	var body errorBody
	body.Error.Code, body.Error.Message = e.Code, e.Message
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(Status(e))
	_ = json.NewEncoder(w).Encode(body) // the client may be gone; nobody is left to tell
}
