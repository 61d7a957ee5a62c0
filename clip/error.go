package clip

import (
	"errors"
	"net/http"
)

// Error is an error for people: a code for programs, a sentence that says what
// happened and what to do, and the cause for the log.
type Error struct {
	Code    string // e.g. "not_found", "too_long", "bad_range"
	Message string
	cause   error
}

// Error returns the code, the sentence and the cause: for logs.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Code + ": " + e.Message + ": " + e.cause.Error()
	}
	return e.Code + ": " + e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is an Error of the same code, so that
// errors.Is(err, ErrNotFound) holds whatever the sentence.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Code == e.Code
}

// What a Catalog answers.
var (
	ErrNotFound = &Error{Code: "not_found", Message: "This clip does not exist, or you cannot see it."}
	ErrExists   = &Error{Code: "exists", Message: "This clip exists already."}
)

var (
	// errForbidden answers whoever does not own an upload, or nobody knows, whether or not there is such an upload.
	errForbidden = &Error{Code: "forbidden", Message: "Only whoever began this upload can go on with it. Sign in again, or add the file anew."}

	// errGone answers the owner of an upload that has ended.
	errGone = &Error{Code: "gone", Message: "This upload was given up or has expired. Add the file again."}
)

// errAnother answers for an upload whose file is on another server: the client tries again, until it gets there.
var errAnother = because("elsewhere", "This upload goes to another server. It goes on once your browser reaches that one.", nil)

func because(code, message string, cause error) *Error {
	return &Error{Code: code, Message: message, cause: cause}
}

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
	"elsewhere":    http.StatusServiceUnavailable,
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
