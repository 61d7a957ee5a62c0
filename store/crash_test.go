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
	"github.com/pausepoint/pausepoint/store/storetest"
)

// Variables of the child process that is killed: where its store is and the sessions that it writes.
const (
	childFolder   = "PAUSEPOINT_TEST_FOLDER"
	childDatabase = "PAUSEPOINT_TEST_DATABASE"
	childBlobs    = "PAUSEPOINT_TEST_BLOBS"
	childSessions = "PAUSEPOINT_TEST_SESSIONS"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		at := inFolder(dir)
		at.config.Database, at.config.Blobs = os.Getenv(childDatabase), os.Getenv(childBlobs)
		if err := child(at, strings.Split(os.Getenv(childSessions), ",")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if err := storetest.KeepS3Keys(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := stopServers(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// child appends to its sessions without end, and says what was acknowledged: "<session> <seq>".
func child(at place, sessions []string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, at.config)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for _, session := range sessions {
		stored, err := s.Load(ctx, session)
		if err != nil {
			return err
		}
		epoch, err := s.Own(ctx, session)
		if err != nil {
			return err
		}
		go func() {
			for seq := int64(len(stored)) + 1; ; seq++ {
				if err := appendAll(s, session, epoch, spoke(seq)); err != nil {
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
	everywhere(t, testWhatWasAcknowledgedSurvivesAKill)
}

func testWhatWasAcknowledgedSurvivesAKill(t *testing.T, at place) {
	const kills = 5
	sessions := prepare(t, at)
	acked := map[string]int64{}
	for range kills {
		runAndKill(t, at, sessions, acked, 1+rand.IntN(400))
		checkJournals(t, at, acked)
	}
}

func prepare(t *testing.T, at place) []string {
	t.Helper()
	s, err := store.Open(t.Context(), at.config)
	if err != nil {
		t.Fatal(err)
	}
	w := worldOf(t, s)
	sessions := []string{w.newSession(), w.newSession(), w.newSession(), w.newSession()}
	w.must(s.Close())
	return sessions
}

// checkJournals opens the store as a server would that starts again.
func checkJournals(t *testing.T, at place, acked map[string]int64) {
	t.Helper()
	s, err := store.Open(t.Context(), at.config)
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
func runAndKill(t *testing.T, at place, sessions []string, acked map[string]int64, after int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childFolder+"="+at.config.Folder, childDatabase+"="+at.config.Database, childBlobs+"="+at.config.Blobs, childSessions+"="+strings.Join(sessions, ","))
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
