package clip

import "errors"

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

// errForbidden answers who is signed in but does not own the clip.
var errForbidden = &Error{Code: "forbidden", Message: "Only the owner of this clip can do that."}

func because(code, message string, cause error) *Error {
	return &Error{Code: code, Message: message, cause: cause}
}
