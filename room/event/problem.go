package event

import "fmt"

// Problem is what went wrong: a code for programs, a sentence for people, and a cause for the log.
type Problem struct {
	Code    string `json:"code"`    // forbidden, unauthorized, invalid, not_found, conflict, too_large, too_many, full, ended, unavailable, internal
	Message string `json:"message"` // a sentence that says what to do
	cause   error
}

// Errorf returns a *Problem with a code and a sentence; a %w operand becomes its cause.
func Errorf(code, format string, args ...any) *Problem {
	err := fmt.Errorf(format, args...)
	p := &Problem{Code: code, Message: err.Error()}
	if w, ok := err.(interface{ Unwrap() error }); ok {
		p.cause = w.Unwrap()
	}
	return p
}

// Because returns the problem with a cause for the log, which people do not see.
func (p Problem) Because(err error) *Problem { p.cause = err; return &p }

func (p *Problem) Error() string { return p.Code + ": " + p.Message }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.cause }
