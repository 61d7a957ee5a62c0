package keeping_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/account"
	"github.com/pausepoint/pausepoint/keeping"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store"
)

// house is a store and a recorder on the disk, with one session of which a file is recorded.
type house struct {
	t        *testing.T
	store    *store.Store
	recorder *recorder.Recorder
	dir      string // of recordings
	planner  account.Account
	session  string
	member   string
	segment  string
	sum      string // SHA-256 of the segment
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// newHouse has a session that began so long ago and is kept for so many days.
func newHouse(t *testing.T, ago time.Duration, days int) *house {
	t.Helper()
	folder := t.TempDir()
	st, err := store.Open(t.Context(), store.Config{Folder: folder, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: st, dir: filepath.Join(folder, "recordings")}
	t.Cleanup(func() { h.must(st.Close()) })
	h.recorder, err = recorder.New(recorder.Config{Dir: h.dir, Segments: st, Log: quiet()})
	h.must(err)
	t.Cleanup(func() { h.must(h.recorder.Close()) })
	h.signUp()
	h.begin(ago, days)
	h.record()
	return h
}

// begin plans a session that began so long ago.
func (h *house) begin(ago time.Duration, days int) {
	h.t.Helper()
	sessions := account.NewSessions(account.Config{Plans: h.store, Members: h.store, Links: h.store, Library: h.store, Log: quiet()})
	card, err := sessions.Create(h.t.Context(), h.planner, account.NewSession{Change: account.Change{Keep: &days}})
	h.must(err)
	h.session, h.member = card.Plan.ID, card.You.ID
	h.journal(event.SessionOpened{Session: event.Session{ID: h.session, Title: "Secret words", Opened: time.Now().Add(-ago).UnixMilli()}})
}

func (h *house) signUp() {
	h.planner = account.Account{ID: newID(), Name: "Ana", Email: "ana@school.example", Created: time.Now().UTC()}
	inv := account.Invitation{Hash: account.HashToken("x"), Created: h.planner.Created, Expires: h.planner.Created.Add(time.Hour)}
	h.must(h.store.AddInvitation(h.t.Context(), inv))
	h.must(h.store.AddAccount(h.t.Context(), h.planner, "x", inv.Hash))
}

func (h *house) journal(bodies ...event.Body) {
	h.t.Helper()
	epoch, err := h.store.Own(h.t.Context(), h.session)
	h.must(err)
	stored, err := h.store.Load(h.t.Context(), h.session)
	h.must(err)
	for i, b := range bodies {
		done := make(chan error, 1)
		e := event.Event{Seq: int64(len(stored) + i + 1), Body: b}
		h.store.Append(h.session, epoch, []event.Event{e}, func(err error) { done <- err })
		h.must(<-done)
	}
}

// record puts a file there as the recorder does.
func (h *house) record() {
	h.segment = newID()
	h.must(h.store.InsertSegment(h.t.Context(), recorder.Segment{
		ID: h.segment, Session: h.session, Member: h.member, Source: "audio", Mime: recorder.MimeOpus, Start: 10,
	}))
	media := []byte("what was said")
	sum := sha256.Sum256(media)
	h.sum = hex.EncodeToString(sum[:])
	h.must(os.MkdirAll(filepath.Join(h.dir, h.session), 0o700))
	h.must(os.WriteFile(h.file(), media, 0o600))
	h.must(h.store.FinishSegment(h.t.Context(), h.segment, 60, int64(len(media)), h.sum))
}

func (h *house) file() string { return filepath.Join(h.dir, h.session, h.segment+".webm") }

func (h *house) keeper(files keeping.Files) *keeping.Keeper {
	k := keeping.New(h.store, files, quiet())
	h.t.Cleanup(func() { h.must(k.Close(context.WithoutCancel(h.t.Context()))) })
	return k
}

// done waits for a receipt that says that all is gone.
func (h *house) done(k *keeping.Keeper) keeping.Receipt {
	h.t.Helper()
	return h.receipt(k, func(r keeping.Receipt) bool { return r.Done != nil })
}

// receipt waits for one that is good.
func (h *house) receipt(k *keeping.Keeper, good func(keeping.Receipt) bool) keeping.Receipt {
	h.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(4 * time.Minute); ; {
		r, err := k.Receipt(h.t.Context(), h.session, h.planner.ID, "")
		if err == nil && good(r) {
			return r
		}
		select {
		case <-tick.C:
		case <-deadline:
			h.t.Fatalf("not deleted: %+v, %v", r, err)
		}
	}
}

// gone checks that nothing of the session is left but a receipt that proves it.
func (h *house) gone(r keeping.Receipt, rule keeping.Rule, by string) {
	h.t.Helper()
	if _, err := os.Stat(h.file()); !errors.Is(err, fs.ErrNotExist) {
		h.t.Errorf("the file is there: %v", err)
	}
	if rows, err := h.store.ListSegments(h.t.Context(), h.session); err != nil || len(rows) > 0 {
		h.t.Errorf("rows are there: %v, %v", rows, err)
	}
	if _, _, err := h.store.GetPlan(h.t.Context(), h.session); !errors.Is(err, account.ErrNotFound) {
		h.t.Errorf("the session is there: %v", err)
	}
	if r.Rule != rule || r.By != by || r.Events == 0 || len(r.Journal) != 64 || !r.Listed || len(r.Files) != 1 {
		h.t.Fatalf("receipt %+v", r)
	}
	if f := r.Files[0]; f.ID != h.segment || f.SHA256 != h.sum || f.Member != h.member || f.Removed != nil {
		h.t.Errorf("file %+v", f)
	}
	text, err := json.Marshal(r)
	if err != nil || strings.Contains(string(text), "Ana") || strings.Contains(string(text), "Secret") {
		h.t.Errorf("the receipt tells too much: %s, %v", text, err)
	}
}

func TestWhatIsOverIsDeletedByItself(t *testing.T) {
	h := newHouse(t, 31*24*time.Hour, 30)
	k := h.keeper(h.recorder)
	h.gone(h.done(k), keeping.Due, "")
}

func TestWhatIsNotOverStays(t *testing.T) {
	h := newHouse(t, 29*24*time.Hour, 30)
	k := h.keeper(h.recorder)
	h.must(k.Close(t.Context()))
	if _, err := os.Stat(h.file()); err != nil {
		t.Error(err)
	}
	h.must(k.Delete(t.Context(), h.session, h.member))
	h.gone(h.done(k), keeping.ByHand, h.member)
}

func TestALegalHoldKeepsEverything(t *testing.T) {
	h := newHouse(t, 31*24*time.Hour, 30)
	h.journal(event.KeepingChanged{Keeping: event.Keeping{Days: 30, Held: 42, Reason: "A complaint."}})
	k := h.keeper(h.recorder)
	if err := k.Delete(t.Context(), h.session, h.member); !errors.Is(err, keeping.ErrHeld) {
		t.Errorf("deleted: %v", err)
	}
	h.must(k.Close(t.Context()))
	if _, err := os.Stat(h.file()); err != nil {
		t.Error(err)
	}
	h.journal(event.KeepingChanged{Keeping: event.Keeping{Days: 30}})
	h.gone(h.done(h.keeper(h.recorder)), keeping.Due, "")
}

func TestNobodyIsDeletedWhileInside(t *testing.T) {
	h := newHouse(t, 0, 0)
	member := event.Member{ID: h.member, Role: event.Focal, Presence: event.Here}
	h.journal(event.MemberJoined{Member: member})
	if err := h.keeper(h.recorder).Delete(t.Context(), h.session, h.member); !errors.Is(err, keeping.ErrInside) {
		t.Errorf("deleted: %v", err)
	}
}

// broken is a disk that refuses, after it has, or has not, removed what it was asked to.
type broken struct {
	keeping.Files

	refused atomic.Int32
	removes bool
}

func (b *broken) Delete(ctx context.Context, session string) error {
	if b.removes {
		if err := b.Files.Delete(ctx, session); err != nil {
			return err
		}
	}
	b.refused.Add(1)
	return errors.New("the power went")
}

// What is still being recorded when a session is deleted, here or by another server, is in the receipt as it was at its end.
func TestAReceiptListsWhatIsFinished(t *testing.T) {
	h := newHouse(t, 31*24*time.Hour, 0)
	last := newID()
	h.must(h.store.InsertSegment(t.Context(), recorder.Segment{ID: last, Session: h.session, Member: h.member, Source: "audio", Start: 70}))
	k := h.keeper(h.recorder)
	h.must(k.Delete(t.Context(), h.session, h.member))
	h.must(k.Close(t.Context()))
	if r, err := k.Receipt(t.Context(), h.session, h.planner.ID, ""); err != nil || r.Listed || r.Done != nil {
		t.Fatalf("receipt %+v, %v", r, err)
	}
	h.must(h.store.FinishSegment(t.Context(), last, 90, 5, "ab"))
	r := h.done(h.keeper(h.recorder))
	if len(r.Files) != 2 || r.Files[1].ID != last || r.Files[1].End != 90 || r.Files[1].SHA256 != "ab" {
		t.Errorf("receipt %+v", r)
	}
}

// A server that dies while files are removed goes on after its next start, and the receipt names them all.
func TestADeletionGoesOnAfterARestart(t *testing.T) {
	for _, removes := range []bool{false, true} {
		h := newHouse(t, 31*24*time.Hour, 0)
		disk := &broken{Files: h.recorder, removes: removes}
		k := h.keeper(disk)
		h.must(k.Delete(t.Context(), h.session, h.member))
		h.must(k.Close(t.Context()))
		r, err := k.Receipt(t.Context(), h.session, h.planner.ID, "")
		if err != nil || r.Done != nil || !r.Listed || disk.refused.Load() == 0 {
			t.Fatalf("receipt %+v, %v", r, err)
		}
		h.gone(h.done(h.keeper(h.recorder)), keeping.ByHand, h.member)
	}
}

// hanging is a bucket that does not answer.
type hanging struct{ keeping.Files }

func (hanging) Delete(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

// What is due is out of everybody's sight although the files of another session cannot be removed now.
func TestWhatIsDueDoesNotWaitForFiles(t *testing.T) {
	h := newHouse(t, 0, 0)
	k := h.keeper(&broken{Files: h.recorder})
	h.must(k.Delete(t.Context(), h.session, h.member))
	h.must(k.Close(t.Context()))
	h.begin(31*24*time.Hour, 30)
	due := h.keeper(hanging{h.recorder})
	h.receipt(due, func(keeping.Receipt) bool { return true })
}
