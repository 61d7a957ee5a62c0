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

// withdrawing is how long after the press of the button a segment may begin, in session time, that belongs to what consent was just
// taken back for, ms: the press itself takes a moment until the recording is stopped, and media may lie up to stepBeyond after its
// arrival. What is recorded next begins no sooner: see Stop.
const withdrawing = 2 * stepBeyond

// ErrKept says that what an erasure names is to stay, or that nothing is left to do.
var ErrKept = errors.New("this is not to be removed any more")

// ErasureOf is what is to be removed because of an event, if it is that somebody took their consent back.
func ErasureOf(session string, e event.Event) (Erasure, bool) {
	b, ok := e.Body.(event.MemberWithdrew)
	return Erasure{Session: session, Member: b.Member.ID, Until: e.At + int64(withdrawing)}, ok
}

// proof is what the journal keeps of what was removed.
func (e Erasure) proof(gone []Segment, films, clips int) event.RecordingErased {
	p := event.RecordingErased{Member: e.Member, Until: e.Until, Films: films, Clips: clips, Files: make([]event.ErasedFile, 0, len(gone))}
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

	// Erase removes for good what was made of a session and is not made anew, because somebody has taken it back; it returns how many
	// these are.
	Erase(ctx context.Context, session string) (int, error)

	// Drop removes for good what was made of a session: for one member, or for all if it is empty.
	Drop(ctx context.Context, session, member string) error
}

// Erase removes what an erasure names. What was made of the files goes first, then the files, for good; then prove is told what there
// was, to keep that for good and remove the rows of it from the Index, both or neither. check is asked before each file; its error ends
// all. Whatever fails, calling it again begins anew with the same list. A member who is still being recorded is not any more. With
// ErrElsewhere all but what another server has is gone: whichever of them calls it last proves it.
func (r *Recorder) Erase(ctx context.Context, e Erasure, check func(context.Context) error, prove func(event.RecordingErased) error) error {
	if !plain(e.Session) {
		return fmt.Errorf("erase: %q is not a session id", e.Session)
	}
	if err := r.endTracks(ctx, e); err != nil {
		return err
	}
	all, err := r.cfg.Segments.ListSegments(ctx, e.Session)
	if err != nil {
		return fmt.Errorf("erase: list segments: %w", err)
	}
	gone := slices.DeleteFunc(all, func(s Segment) bool { return !e.of(s) })
	films, clips, err := r.removeAll(ctx, e.Session, gone, check)
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	if err := prove(e.proof(gone, films, clips)); err != nil {
		return fmt.Errorf("erase: keep the proof: %w", err)
	}
	return nil
}

// removeAll removes what was made of segments, and their files. While another server has some of them it removes what it can; films are
// then left alone, so that they are not begun anew with every try: in line again they are since consent was taken back.
func (r *Recorder) removeAll(
	ctx context.Context, session string, gone []Segment, check func(context.Context) error,
) (films, clips int, err error) {
	waits := r.CheckHere(gone)
	if waits == nil {
		films, err = r.restartProducts(ctx, session)
	}
	if err == nil {
		clips, err = r.eraseProducts(ctx, session)
	}
	if err == nil {
		err = r.removeFiles(ctx, gone, check)
	}
	return films, clips, errors.Join(waits, err)
}

func (r *Recorder) restartProducts(ctx context.Context, session string) (int, error) {
	if r.cfg.Products == nil {
		return 0, nil
	}
	return r.cfg.Products.Restart(ctx, session)
}

func (r *Recorder) eraseProducts(ctx context.Context, session string) (int, error) {
	if r.cfg.Products == nil {
		return 0, nil
	}
	return r.cfg.Products.Erase(ctx, session)
}

// removeFiles removes segments' files, here and in the vault, but those that are another server's to remove.
func (r *Recorder) removeFiles(ctx context.Context, gone []Segment, check func(context.Context) error) error {
	var errs []error
	for _, s := range slices.DeleteFunc(slices.Clone(gone), r.theirs) {
		if err := check(ctx); err != nil {
			return errors.Join(append(errs, err)...)
		}
		errs = append(errs, r.removeFile(ctx, s))
	}
	return errors.Join(errs...)
}

func (r *Recorder) removeFile(ctx context.Context, s Segment) error {
	if err := r.files.remove(s.Session, s.ID); err != nil {
		return err
	}
	if r.out != nil {
		if err := r.out.forget(ctx, s.Session, s.ID); err != nil {
			return err
		}
	}
	return r.setGone(ctx, s)
}

// setGone says in a segment's row that no server is to be waited for because of its file.
func (r *Recorder) setGone(ctx context.Context, s Segment) error {
	if s.Stored {
		return nil
	}
	err := r.cfg.Segments.SetSegmentStored(ctx, s.ID)
	if errors.Is(err, ErrNotFound) { // somebody else was there first
		return nil
	}
	return err
}

// theirs reports whether a file is on another server's disk, which alone can read it, remove it, or bring it to the vault.
func (r *Recorder) theirs(s Segment) bool { return s.Elsewhere && !r.files.has(s) }

// CheckHere is ErrElsewhere if there are files that only another server can read, remove, or bring to the vault.
func (r *Recorder) CheckHere(segments []Segment) error {
	for _, s := range segments {
		if r.theirs(s) {
			return fmt.Errorf("segment %s: %w", s.ID, ErrElsewhere)
		}
	}
	return nil
}

// endTracks ends what is recorded of a member, and waits until their last segment is finished. What began later, since they have agreed
// again, goes on.
func (r *Recorder) endTracks(ctx context.Context, e Erasure) error {
	r.Settle(ctx, e.Session)
	r.mu.Lock()
	run := r.runs[e.Session]
	r.mu.Unlock()
	if run != nil {
		for _, ended := range run.closeTracks(e.Member, float64(e.Until)) {
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
