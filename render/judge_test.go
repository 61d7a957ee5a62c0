package render

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

func ffmpegRuns(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ffmpeg", append([]string{"-v", "error", "-nostdin", "-y"}, args...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
}

// probe asks ffprobe for something of a file; several answers are joined by commas.
func probe(t *testing.T, path, entries string) string {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries", entries, path).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	return strings.Join(strings.Fields(string(out)), ",")
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// captions reads the subtitles of a film.
func captions(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-map", "0:s", "-f", "srt", "-").Output()
	if err != nil {
		t.Fatalf("read the captions: %v", err)
	}
	return string(out)
}

// heard is when it becomes loud around a frequency, ms.
func heard(t *testing.T, path string, hertz int) []float64 {
	t.Helper()
	filter := fmt.Sprintf("bandpass=f=%d:width_type=h:w=200,asetnsamples=240,astats=metadata=1:reset=1,"+
		"ametadata=print:key=lavfi.astats.Overall.Peak_level:file=-", hertz)
	return onsets(t, path, "-af", filter, "lavfi.astats.Overall.Peak_level=", -20)
}

// seen is when it becomes bright in what a filter leaves of the picture, ms.
func seen(t *testing.T, path, crop string) []float64 {
	t.Helper()
	return onsets(t, path, "-vf", crop+"signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", "lavfi.signalstats.YAVG=", 128)
}

// onsets lets ffmpeg measure each frame, and returns when the figure passes a limit.
func onsets(t *testing.T, path, kind, filter, key string, limit float64) (out []float64) {
	t.Helper()
	other := map[string]string{"-af": "-vn", "-vf": "-an"}[kind]
	cmd := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-i", path, other, "-sn", kind, filter, "-f", "null", "-")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("ffmpeg: %v: %s", err, stderr.String())
	}
	at, was := 0., true
	for lines := bufio.NewScanner(&stdout); lines.Scan(); {
		if _, s, ok := strings.Cut(lines.Text(), "pts_time:"); ok {
			at = number(t, s) * 1000
		}
		if s, ok := strings.CutPrefix(lines.Text(), key); ok {
			is := s != "-inf" && number(t, s) > limit
			if is && !was {
				out = append(out, at)
			}
			was = is
		}
	}
	return out
}

// inStep fails unless there are just these onsets, each within 40 ms.
func inStep(t *testing.T, what string, got []float64, want ...float64) {
	t.Helper()
	worst := 0.
	for i, at := range want {
		if i < len(got) {
			worst = max(worst, got[i]-at, at-got[i])
		}
	}
	t.Logf("%s: at most %.0f ms apart", what, worst)
	if len(got) != len(want) || worst > 40 {
		t.Errorf("%s is there at %.0f ms, not at %.0f", what, got, want)
	}
}
