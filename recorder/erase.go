package recorder

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pausepoint/pausepoint/room/event"
)

// Erasure is what somebody took their consent back for: everything that was stored of a member of a session before a session time.
type Erasure struct {
	Session string
	Member  string
	Until   int64 // ms
}

// withdrawing is how long what still arrives belongs to what consent was just taken back for, ms: the recording ends when
// that is in the journal, not at the press of the button.
const withdrawing = 2000

// ErasureOf is what is to be removed because of an event, if it is that somebody took their consent back.
func ErasureOf(session string, e event.Event) (Erasure, bool) {
	b, ok := e.Body.(event.MemberWithdrew)
	return Erasure{Session: session, Member: b.Member.ID, Until: e.At + withdrawing}, ok
}

// proof is what the journal keeps of what was removed.
func (e Erasure) proof(gone []Segment, films int) event.RecordingErased {
	p := event.RecordingErased{Member: e.Member, Until: e.Until, Films: films, Files: make([]event.ErasedFile, 0, len(gone))}
	for _, s := range gone {
		p.Files = append(p.Files, event.ErasedFile{ID: s.ID, Source: s.Source, Start: s.Start, End: s.End, Bytes: s.Bytes, SHA256: s.SHA256})
	}
	return p
}

// of reports whether a segment is to be removed.
func (e Erasure) of(s Segment) bool { return s.Member == e.Member && s.Start < e.Until }

// Products are what is made of recordings, such as films.
type Products interface {
	// Restart removes for good what was made of a session, and makes it anew of what its journal says now. It returns how many these are.
	Restart(ctx context.Context, session string) (int, error)

	// Drop removes for good what was made of a session: for one member, or for all if it is empty.
	Drop(ctx context.Context, session, member string) error
}

// Erase removes what an erasure names. What was made of the files goes first, then the files, for good; then prove is told what there
// was, to keep it for good; then the rows go. Whatever fails, calling it again begins anew with the same list. A member who is still
// being recorded is not any more.
func (r *Recorder) Erase(ctx context.Context, e Erasure, prove func(event.RecordingErased) error) error {
	if !plain(e.Session) {
		return fmt.Errorf("erase: %q is not a session id", e.Session)
	}
	if err := r.endTracks(ctx, e); err != nil {
		return err
	}
	films, err := r.restartProducts(ctx, e.Session)
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	all, err := r.cfg.Segments.ListSegments(ctx, e.Session)
	if err != nil {
		return fmt.Errorf("erase: list segments: %w", err)
	}
	gone := slices.DeleteFunc(all, func(s Segment) bool { return !e.of(s) })
	if err := r.removeFiles(ctx, gone); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	if err := prove(e.proof(gone, films)); err != nil {
		return fmt.Errorf("erase: keep the proof: %w", err)
	}
	for _, s := range gone {
		if err := r.cfg.Segments.DeleteSegment(ctx, s.ID); err != nil {
			return fmt.Errorf("erase: %w", err)
		}
	}
	return nil
}

func (r *Recorder) restartProducts(ctx context.Context, session string) (int, error) {
	if r.cfg.Products == nil {
		return 0, nil
	}
	return r.cfg.Products.Restart(ctx, session)
}

// removeFiles removes segments' files, here and in the vault. ErrElsewhere if another server still has some.
func (r *Recorder) removeFiles(ctx context.Context, gone []Segment) error {
	errs := []error{r.CheckHere(gone)}
	for _, s := range gone {
		errs = append(errs, r.removeFile(ctx, s))
	}
	return errors.Join(errs...)
}

func (r *Recorder) removeFile(ctx context.Context, s Segment) error {
	if err := r.files.remove(s.Session, s.ID); err != nil || r.out == nil {
		return err
	}
	return r.out.forget(ctx, s.Session, s.ID)
}

// CheckHere is ErrElsewhere if there are files that only another server can read, remove, or bring to the vault.
func (r *Recorder) CheckHere(segments []Segment) error {
	for _, s := range segments {
		if s.Elsewhere && !r.files.has(s) {
			return fmt.Errorf("segment %s: %w", s.ID, ErrElsewhere)
		}
	}
	return nil
}

// endTracks ends what is recorded of a member, and waits until their last segment is finished. A recording that began later, since they
// have agreed again, goes on.
func (r *Recorder) endTracks(ctx context.Context, e Erasure) error {
	r.Settle(ctx, e.Session)
	r.mu.Lock()
	run := r.runs[e.Session]
	r.mu.Unlock()
	if run != nil && run.from < float64(e.Until) {
		for _, ended := range run.closeTracks(e.Member) {
			select {
			case <-ended:
			case <-ctx.Done():
			}
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("erase: the recording has not come to an end: %w", ctx.Err())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.late = slices.DeleteFunc(r.late, func(s Segment) bool { return s.Session == e.Session && e.of(s) })
	return nil
}
