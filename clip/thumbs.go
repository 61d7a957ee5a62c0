package clip

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pausepoint/pausepoint/ffmpeg"
)

// Bounds of the thumbnails, however long the clip is.
const (
	tileCols  = 10
	tileRows  = 10
	maxTileW  = 160
	maxTileH  = 90
	maxSheets = 4
	maxThumbs = maxSheets * tileCols * tileRows
)

// Sprites is thumbs.json. Thumbnail k shows the clip at most a second before k·Interval;
// it is tile k mod (Cols·Rows), counted in rows, of sheet k div (Cols·Rows), named by [SheetName].
type Sprites struct {
	Interval int64 `json:"interval"` // µs of clip time between two thumbnails
	Width    int   `json:"width"`    // of one tile, pixels
	Height   int   `json:"height"`
	Cols     int   `json:"cols"`
	Rows     int   `json:"rows"`
	Count    int   `json:"count"`  // thumbnails
	Sheets   int   `json:"sheets"` // files
}

// spritesFor plans the thumbnails of a clip: one a second, or fewer in a long one.
func spritesFor(r result) Sprites {
	const second = 1_000_000
	duration := r.duration()
	step := (duration + maxThumbs*second - 1) / (maxThumbs * second)
	s := Sprites{Interval: max(1, step) * second, Cols: tileCols, Rows: tileRows}
	s.Width, s.Height = fit(r.width, r.height, maxTileW, maxTileH)
	s.Count = max(1, int((duration+s.Interval-1)/s.Interval))
	s.Sheets = (s.Count + tileCols*tileRows - 1) / (tileCols * tileRows)
	return s
}

// thumbnails makes the sprite sheets, thumbs.json and the poster in t.dir from the renditions there, and
// returns the names of what it made. It decodes key frames only, so that it is cheap for a long clip too.
func (t tools) thumbnails(ctx context.Context, r result) ([]string, error) {
	s := spritesFor(r)
	names := []string{Thumbs, Poster}
	for n := range s.Sheets {
		names = append(names, SheetName(n))
	}
	if err := t.render(ctx, Rendition360, []string{"-skip_frame", "nokey"}, []string{
		// rounding up: the slot k·interval shows the last key frame that is not after it; the last slots are not filled by themselves, and
		// may be alone on their sheet
		"-vf", fmt.Sprintf("fps=%d/%d:start_time=0:round=up:eof_action=pass,tpad=stop=2:stop_mode=clone,scale=%d:%d,tile=%dx%d", 1_000_000, s.Interval, s.Width, s.Height, s.Cols, s.Rows),
		"-frames:v", strconv.Itoa(s.Sheets), "-q:v", "5", "-f", "image2", "-start_number", "0", "thumbs-%d.jpg",
	}); err != nil {
		return nil, fmt.Errorf("sprite sheets: %w", err)
	}
	at := min(10_000_000, r.duration()/10)
	if err := t.render(ctx, Rendition720, []string{"-ss", fmt.Sprintf("%dus", at)}, []string{
		"-frames:v", "1", "-q:v", "4", "-f", "image2", "-update", "1", Poster,
	}); err != nil {
		return nil, fmt.Errorf("poster: %w", err)
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return names, os.WriteFile(filepath.Join(t.dir, Thumbs), data, 0o600)
}

// render runs ffmpeg over a rendition that this package made.
func (t tools) render(ctx context.Context, name string, before, after []string) error {
	args := append([]string{"-v", "error", "-nostdin", "-y", "-threads", strconv.Itoa(t.threads)}, before...)
	args = append(args, "-f", "mov", "-protocol_whitelist", "file,pipe", "-i", "file:"+filepath.Join(t.dir, name), "-an")
	lim := ffmpeg.Limits{Memory: 2 << 30, File: 64 << 20, Time: 20 * time.Minute}
	return ffmpeg.Run(ctx, lim, t.dir, t.ffmpeg, append(args, after...), drain)
}

func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
