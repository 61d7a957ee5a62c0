package keeping

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
)

// What a deletion is refused with.
var (
	ErrNotFound = event.Errorf("not_found", "There is nothing here, or it is not for you.")
	ErrHeld     = event.Errorf("conflict", "This session is under a legal hold. Nothing of it is deleted until that ends.")
	ErrInside   = event.Errorf("conflict", "People are in the session. End it first, then delete it.")
	ErrClipHeld = event.Errorf("conflict", "A session about this clip is under a legal hold. The clip can be deleted once that ends.")
	errNotDue   = errors.New("its time is not over any more")
)

// Store is where sessions and receipts are kept. Methods may be called from any goroutine; what they did is durable on return.
type Store interface {
	// ListDue returns the sessions that are kept for days, are under no legal hold, and whose time was over at now.
	ListDue(ctx context.Context, now time.Time) ([]string, error)

	// TakeSession removes a session from the database and keeps the receipt that decide makes of what was there, both or neither; its
	// members may read that. An error of decide leaves all as it was and is returned as it is. [ErrNotFound] if there is no such
	// session. Rows of recorded segments stay: without them nobody would know of the files.
	TakeSession(ctx context.Context, session string, decide func(Contents) (Receipt, error)) (Receipt, error)

	// PutReceipt replaces a receipt by one that is listed, if it was not, or by one that is done. [ErrNotFound] if somebody else has
	// done so already.
	PutReceipt(ctx context.Context, r Receipt) error

	// ListOpenReceipts returns those that are not done.
	ListOpenReceipts(ctx context.Context) ([]Receipt, error)

	// ListSegments returns the rows of a session's segments by their begin.
	ListSegments(ctx context.Context, session string) ([]recorder.Segment, error)

	// GetReceipt returns the receipt of a session for who was a member of it, by account or as a guest; [ErrNotFound] for others.
	GetReceipt(ctx context.Context, session, account, guest string) (Receipt, error)

	// ListReceipts returns up to n receipts that an account or guests (members) may read, the latest first, from those after a place on.
	ListReceipts(ctx context.Context, account string, guests []string, after Place, n int) ([]Receipt, error)

	// ClipIsHeld reports whether a session about a clip is under a legal hold.
	ClipIsHeld(ctx context.Context, clip string) (bool, error)

	// ListKept returns what an administrator may know of up to n sessions that have begun, from those after a place on: first those
	// that are under a legal hold; the latest first.
	ListKept(ctx context.Context, after Place, n int) ([]Kept, error)
}

// Kept is what an administrator may know of a session: that there is one, not what is in it.
type Kept struct {
	Session     string
	Kind        event.Kind
	Planner     string // name
	Opened      time.Time
	Duration    int64 // ms
	People      int   // who came in
	RecordedFor int64 // ms
	Days        int
	Held        time.Time
	Reason      string // of the legal hold
}

// Files is what a session has outside of the database.
type Files interface {
	// Stop ends the session's recording here; the channel is closed once every segment is finished, or waits for the database.
	Stop(session string) <-chan struct{}

	// Delete removes everything, and the rows of its segments. No error if there is nothing.
	Delete(ctx context.Context, session string) error
}

// How often it is looked for what is due, and how long may be taken to take it out of the database, and to remove files.
const (
	lookEvery  = time.Minute
	stepWithin = time.Minute
)

// Keeper deletes sessions. What it has not finished when the server stops it finishes after the next start. The goroutine of run does
// the rounds; deletions by hand run in that of who asks for them.
type Keeper struct {
	store Store
	files Files
	log   *slog.Logger
	now   func() time.Time

	mu   sync.Mutex // held while a session's files are removed
	quit context.CancelFunc
	done chan struct{}
}

// New starts a keeper. Close it.
func New(store Store, files Files, log *slog.Logger) *Keeper {
	ctx, quit := context.WithCancel(context.Background())
	k := &Keeper{store: store, files: files, log: log, now: time.Now, quit: quit, done: make(chan struct{})}
	go k.run(ctx)
	return k
}

// Close ends the rounds, and waits for the one that is under way, or until ctx ends.
func (k *Keeper) Close(ctx context.Context) error {
	k.quit()
	select {
	case <-k.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("end the keeper: %w", ctx.Err())
	}
}

func (k *Keeper) run(ctx context.Context) {
	defer close(k.done)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		k.round(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// round takes what is due, and then removes the files of all that was taken: nobody sees a session for longer because a bucket hangs.
func (k *Keeper) round(ctx context.Context) {
	if err := within(ctx, k.takeDue); err != nil && ctx.Err() == nil {
		k.log.Error("sessions whose time is over are not deleted yet", slog.Any("err", err))
	}
	if err := within(ctx, k.finishAll); err != nil && ctx.Err() == nil {
		k.log.Error("files of deleted sessions are not removed yet", slog.Any("err", err))
	}
}

// within does a step in the time that it may take.
func within(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	return step(ctx)
}

func (k *Keeper) finishAll(ctx context.Context) error {
	open, err := k.store.ListOpenReceipts(ctx)
	if err != nil {
		return fmt.Errorf("list what is begun: %w", err)
	}
	var errs []error
	for _, r := range open {
		errs = append(errs, k.finish(ctx, r))
	}
	return errors.Join(errs...)
}

func (k *Keeper) takeDue(ctx context.Context) error {
	now := k.now()
	sessions, err := k.store.ListDue(ctx, now)
	if err != nil {
		return fmt.Errorf("list what is due: %w", err)
	}
	var errs []error
	for _, session := range sessions {
		_, err := k.take(ctx, session, func(c Contents) (Receipt, error) {
			if !c.due(now) {
				return Receipt{}, errNotDue
			}
			return c.receipt(session, Due, "", now), nil
		})
		if !errors.Is(err, errNotDue) { // somebody changed it just now
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Delete deletes a session for a member who may do that. Once it has returned without an error nobody sees anything of the session; files
// that could not be removed yet are removed later, which the receipt tells.
func (k *Keeper) Delete(ctx context.Context, session, member string) error {
	r, err := k.take(ctx, session, func(c Contents) (Receipt, error) {
		if c.Inside > 0 {
			return Receipt{}, ErrInside
		}
		return c.receipt(session, ByHand, member, k.now()), nil
	})
	if err != nil {
		return err
	}
	finish := func(ctx context.Context) error { return k.finish(ctx, r) }
	if err := within(context.WithoutCancel(ctx), finish); err != nil { // the next round does it
		k.log.Error("files of a deleted session are not removed yet", slog.String("session", session), slog.Any("err", err))
	}
	return nil
}

// take takes a session out of the database; its files are there still.
func (k *Keeper) take(ctx context.Context, session string, receipt func(Contents) (Receipt, error)) (Receipt, error) {
	r, err := k.store.TakeSession(ctx, session, func(c Contents) (Receipt, error) {
		if !c.Held.IsZero() {
			return Receipt{}, ErrHeld
		}
		return receipt(c)
	})
	if err == nil {
		k.log.Info("session deleted", slog.String("session", session), slog.String("rule", string(r.Rule)))
	}
	return r, err
}

// Receipt returns the receipt of a session that was deleted, for who was a member of it; [ErrNotFound] for others.
func (k *Keeper) Receipt(ctx context.Context, session, account, guest string) (Receipt, error) {
	return k.store.GetReceipt(ctx, session, account, guest)
}

// Receipts returns those that an account or guests (members) may read, the latest first, a page of them.
func (k *Keeper) Receipts(ctx context.Context, account string, guests []string, after Place) (Page[Receipt], error) {
	list, err := k.store.ListReceipts(ctx, account, guests, after, perPage+1)
	return pageOf(list, Receipt.place), err
}

// CheckClip refuses the deletion of a clip whose session is under a legal hold.
func (k *Keeper) CheckClip(ctx context.Context, clip string) error {
	held, err := k.store.ClipIsHeld(ctx, clip)
	if err != nil {
		return fmt.Errorf("see whether a clip is held: %w", err)
	}
	if held {
		return ErrClipHeld
	}
	return nil
}

// Kept returns what an administrator may know of the sessions that have begun, a page of them: first those that are under a legal hold;
// the latest first.
func (k *Keeper) Kept(ctx context.Context, after Place) (Page[Kept], error) {
	list, err := k.store.ListKept(ctx, after, perPage+1)
	return pageOf(list, Kept.place), err
}

// finish lists the files of a session that is out of the database, removes them, and says so.
func (k *Keeper) finish(ctx context.Context, r Receipt) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !r.Listed {
		var err error
		if r, err = k.list(ctx, r); err != nil {
			return unlessDone(err)
		}
	}
	if err := k.files.Delete(ctx, r.Session); err != nil {
		return fmt.Errorf("remove the files of %s: %w", r.Session, err)
	}
	return unlessDone(k.put(ctx, r.finished(k.now())))
}

// unlessDone leaves out that somebody else was there first.
func unlessDone(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (k *Keeper) put(ctx context.Context, r Receipt) error {
	if err := k.store.PutReceipt(ctx, r); err != nil {
		return fmt.Errorf("keep the receipt of %s: %w", r.Session, err)
	}
	return nil
}

// list keeps which files there are, once all of them are finished: those that another server records, too, and those whose ends the
// database did not take yet. Of a file that went with its server the end is not known.
func (k *Keeper) list(ctx context.Context, r Receipt) (Receipt, error) {
	select {
	case <-k.files.Stop(r.Session):
	case <-ctx.Done():
		return r, ctx.Err()
	}
	segments, err := k.store.ListSegments(ctx, r.Session)
	if err != nil {
		return r, fmt.Errorf("list the files of %s: %w", r.Session, err)
	}
	for _, s := range segments {
		if !s.Finished && !s.Stored {
			return r, fmt.Errorf("list the files of %s: segment %s is not finished", r.Session, s.ID)
		}
	}
	r = r.listing(segments)
	return r, k.put(ctx, r)
}
