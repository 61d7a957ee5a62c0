package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/store"
)

// Variables of the child process that is killed: the folder of its store and the sessions that it writes.
const (
	childFolder   = "PAUSEPOINT_TEST_FOLDER"
	childSessions = "PAUSEPOINT_TEST_SESSIONS"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		if err := child(dir, strings.Split(os.Getenv(childSessions), ",")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child appends to its sessions without end, and says what was acknowledged: "<session> <seq>".
func child(dir string, sessions []string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, dir, quiet())
	if err != nil {
		return err
	}
	failed := make(chan error)
	for _, session := range sessions {
		stored, err := s.Load(ctx, session)
		if err != nil {
			return err
		}
		go func() {
			for seq := int64(len(stored)) + 1; ; seq++ {
				if err := appendAll(s, session, spoke(seq)); err != nil {
					failed <- err
					return
				}
				_, _ = fmt.Printf("%s %d\n", session, seq) // one write each: the pipe keeps lines whole
			}
		}()
	}
	return <-failed
}

func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	const kills = 8
	dir := t.TempDir()
	sessions := prepare(t, dir)
	acked := map[string]int64{}
	for range kills {
		runAndKill(t, dir, sessions, acked, 1+rand.IntN(400))
		checkJournals(t, dir, acked)
	}
}

func prepare(t *testing.T, dir string) []string {
	t.Helper()
	s, err := store.Open(t.Context(), dir, quiet())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, ctx: t.Context(), store: s, sessions: sessionsOf(s)}
	sessions := []string{w.newSession(), w.newSession(), w.newSession(), w.newSession()}
	w.must(s.Close())
	return sessions
}

// checkJournals opens the store as a server would that starts again.
func checkJournals(t *testing.T, dir string, acked map[string]int64) {
	t.Helper()
	s, err := store.Open(t.Context(), dir, quiet())
	if err != nil {
		t.Fatal(err)
	}
	for session, n := range acked {
		events, err := s.Load(t.Context(), session)
		if err != nil || int64(len(events)) < n {
			t.Fatalf("%d events are there, %d were acknowledged: %v", len(events), n, err)
		}
		checkEvents(t, events)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// runAndKill starts a child, kills it after some acknowledgements, and notes all that it made.
func runAndKill(t *testing.T, dir string, sessions []string, acked map[string]int64, after int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childFolder+"="+dir, childSessions+"="+strings.Join(sessions, ","))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	n := 0
	for lines.Scan() {
		var session string
		var seq int64
		if _, err := fmt.Sscan(lines.Text(), &session, &seq); err != nil {
			t.Fatalf("the child said %q", lines.Text())
		}
		acked[session] = seq
		if n++; n == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || n < after {
		t.Fatalf("the child ended by itself after %d acknowledgements: %v", n, err)
	}
}

func checkEvents(t *testing.T, events []event.Event) {
	t.Helper()
	for i, e := range events {
		if want := spoke(int64(i) + 1); e != want {
			t.Fatalf("event %d came back as %+v", i+1, e)
		}
	}
}
