package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/room/event"
)

// A JSON body may have so many bytes, and take so long to arrive.
const (
	maxBody    = 64 << 10
	bodyWithin = 20 * time.Second

	answerWithin = 2 * time.Minute // from when a request's headers are there until its answer is taken, but for what is watched
)

// What requests are refused with, over and over.
var (
	errNotFound  = account.ErrNotFound
	errMember    = event.Errorf("forbidden", "Only those who were in this session may have this. Enter the session with your invitation first.")
	errRole      = account.ErrRole
	errElsewhere = event.Errorf("unavailable", "A part of the recording is still on its way from another server. Try again in a few minutes.")
	errSignIn    = account.ErrNoAccount
	errNotBegun  = event.Errorf("not_found", "That session has not begun. What was said in it appears here afterwards.")
	errSomething = event.Errorf("internal", "Something went wrong on the server. Try again in a moment.")
)

// statusOf maps a problem's code to a status; codes that are not here are 422.
var statusOf = map[string]int{
	"invalid_json": http.StatusBadRequest,
	"unauthorized": http.StatusUnauthorized,
	"forbidden":    http.StatusForbidden,
	"not_found":    http.StatusNotFound,
	"conflict":     http.StatusConflict,
	"ended":        http.StatusConflict,
	"full":         http.StatusConflict,
	"too_large":    http.StatusRequestEntityTooLarge,
	"bad_type":     http.StatusUnsupportedMediaType,
	"bad_ranges":   http.StatusRequestedRangeNotSatisfiable,
	"too_many":     http.StatusTooManyRequests,
	"internal":     http.StatusInternalServerError,
	"unavailable":  http.StatusServiceUnavailable,
}

func statusFor(p *event.Problem) int {
	if status, ok := statusOf[p.Code]; ok {
		return status
	}
	return http.StatusUnprocessableEntity
}

// errorBody is {"error":{"code":"…","message":"…"}}.
type errorBody struct {
	Error *event.Problem `json:"error"`
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone; nobody is left to tell
}

// handler is a handler of the API: what it returns is what the person is told.
type handler func(w http.ResponseWriter, r *http.Request) error

// api turns a handler into an http.Handler. The cause of an error is for the log alone.
func (s *Server) api(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.writeError(w, r, err)
		}
	})
}

func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	status, p := answerTo(err)
	if status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		s.log.Error("request failed", slog.String("route", r.Pattern), slog.Any("err", err))
	}
	writeJSON(w, status, errorBody{p})
}

// answerTo gives the status of an error and what people are told. The clip package knows its own.
func answerTo(err error) (int, *event.Problem) {
	var ofClip *clip.Error
	if errors.As(err, &ofClip) {
		return clip.Status(ofClip), event.Errorf(ofClip.Code, "%s", ofClip.Message)
	}
	p := problemOf(err)
	return statusFor(p), p
}

// readJSON reads the one JSON value of a request into v, strictly: of the right type, within maxBody, nothing unknown in
// it and nothing after it.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	if err := isJSON(r.Header.Get("Content-Type")); err != nil {
		return err
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyWithin)) // where there is a connection
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			_ = control.SetReadDeadline(time.Time{}) // answering may take longer
			return nil
		}
		if err == nil {
			err = errors.New("more than one value")
		}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return event.Errorf("too_large", "That is too long. A request may have at most 64 KiB.").Because(err)
	}
	return event.Errorf("invalid_json", "The server does not understand this request. Reload the page and try again.").Because(err)
}
