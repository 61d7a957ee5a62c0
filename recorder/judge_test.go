package recorder

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// decoded is what ffmpeg made of a file.
type decoded struct {
	frames int
	last   float64 // when the last frame begins, ms from the begin of the file
}

// decodeAll lets ffmpeg decode files, many in one process, and returns what came out and what ffmpeg said about them.
func decodeAll(t testing.TB, paths []string) (out []decoded, said string) {
	t.Helper()
	const atOnce = 24
	for group := range slices.Chunk(paths, atOnce) {
		args := []string{"-v", "error", "-nostdin"}
		for _, p := range group {
			args = append(args, "-i", p)
		}
		for i := range group {
			args = append(args, "-map", strconv.Itoa(i))
		}
		cmd := exec.Command("ffmpeg", append(args, "-fps_mode", "passthrough", "-f", "framecrc", "-")...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("ffmpeg: %v: %s", err, stderr.String())
		}
		out = append(out, readFrameCRC(t, &stdout, len(group))...)
		said += stderr.String()
	}
	return out, said
}

// readFrameCRC reads lines like "#tb 0: 1/1000" and "0, dts, pts, duration, size, checksum".
func readFrameCRC(t testing.TB, b *bytes.Buffer, streams int) []decoded {
	t.Helper()
	out, unit := make([]decoded, streams), make([]float64, streams)
	for lines := bufio.NewScanner(b); lines.Scan(); {
		if base, ok := strings.CutPrefix(lines.Text(), "#tb "); ok {
			i, ratio, _ := strings.Cut(base, ": ")
			over, under, _ := strings.Cut(ratio, "/")
			unit[number(t, i)] = 1000 * float64(number(t, over)) / float64(number(t, under))
			continue
		}
		f := strings.Split(lines.Text(), ",")
		if strings.HasPrefix(f[0], "#") || len(f) < 6 {
			continue
		}
		i := number(t, f[0])
		out[i].frames++
		out[i].last = max(out[i].last, float64(number(t, f[2]))*unit[i])
	}
	return out
}

func number(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// filesIn lists the files of recordings below a folder.
func filesIn(t testing.TB, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// recovered lets a new recorder finish what a crash left of session "s", checks that rows and files are each other's, and returns
// the rows.
func recovered(t testing.TB, dir string, index Index) []Segment {
	t.Helper()
	r, err := New(Config{Dir: dir, Segments: index, Log: quiet(), Free: plenty})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := index.ListSegments(context.Background(), "s")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range rows {
		b, err := os.ReadFile(pathOf(dir, s))
		sum := sha256.Sum256(b)
		if err != nil || !s.Finished || s.Bytes != int64(len(b)) || s.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("the row %+v does not describe its file: %d bytes, %v", s, len(b), err)
		}
	}
	if n := len(filesIn(t, dir)); n != len(rows) {
		t.Errorf("there are %d files and %d rows", n, len(rows))
	}
	return rows
}

func pathOf(dir string, s Segment) string { return filepath.Join(dir, s.Session, s.ID+".webm") }

// ends are when the last decoded frame of each publication begins, ms of session time.
func ends(rows []Segment, files []decoded) map[string]float64 {
	out := map[string]float64{}
	for i, s := range rows {
		out[s.Publication] = max(out[s.Publication], float64(s.Start)+files[i].last)
	}
	return out
}
