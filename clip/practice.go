package clip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/ffmpeg"
)

const practiceSeconds = 60

// EnsurePractice puts the practice clip into the catalog if it is not there, and prepares it in
// the background like any other. Call it once at the start.
func (l *Library) EnsurePractice(ctx context.Context) error {
	err := l.catalog.InsertClip(ctx, Clip{
		ID:            PracticeID,
		Title:         "Practice clip",
		FocusQuestion: "What do you notice?",
		Context:       "Five circles and a visitor. Nothing here matters: pause, step, write notes, and see how it feels.",
		Purpose:       "practice",
		Practice:      true,
		Created:       l.now().UTC(),
		State:         Waiting,
		Filename:      "practice.mp4",
	})
	if errors.Is(err, ErrExists) {
		_, err = l.catalog.UpdateClip(ctx, PracticeID, func(c *Clip) error {
			if c.State == Refused { // only a broken ffmpeg can refuse it: try again with this one
				c.State, c.Refusal, c.Attempts = Waiting, "", 0
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("practice clip: %w", err)
	}
	l.preparer.wake()
	return nil
}

// makePractice draws the source of the practice clip at path: calm shapes on paper, a clock in large
// figures where a font is found, and a soft chord.
func (t tools) makePractice(ctx context.Context, log *slog.Logger, path string) error {
	font := findFont(ctx)
	err := t.drawPractice(ctx, path, font)
	if err != nil && font != "" && ctx.Err() == nil {
		log.Warn("practice clip gets no text", slog.Any("err", err))
		err = t.drawPractice(ctx, path, "")
	}
	return err
}

func (t tools) drawPractice(ctx context.Context, path, font string) error {
	graph := practiceGraph(font)
	part := path + ".part"
	lim := ffmpeg.Limits{Memory: 4 << 30, File: 1 << 30, Time: 5 * time.Minute}
	err := ffmpeg.Run(ctx, lim, t.dir, t.ffmpeg, []string{
		"-v", "error", "-nostdin", "-y", "-filter_complex", graph, "-map", "[v]", "-map", "[a]", "-t", fmt.Sprint(practiceSeconds),
		"-c:v", "libx264", "-preset", "ultrafast", "-crf", "16", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", "-f", "mp4", "file:" + part,
	}, drain)
	if err != nil {
		return err
	}
	return os.Rename(part, path)
}

// practiceGraph draws five circles of muted colours that sway in a row, one of them out of step, and a visitor who passes
// below. Each disc is drawn once and then only moved, so that a minute takes seconds to make.
func practiceGraph(font string) string {
	const paper = "0xF4EFE6"
	graph := fmt.Sprintf("color=c=%s:s=1280x720:r=25,format=yuv420p[b0];", paper)
	discs := []struct {
		colour string
		size   int
		x, y   string
	}{
		{"0x7A9E9F", 120, "150", "300+36*sin(2*PI*t/6)"},
		{"0xC98B6B", 120, "365", "300+36*sin(2*PI*t/6)"},
		{"0x8A9A5B", 120, "580", "300+36*sin(2*PI*t/6+if(between(mod(t,30),10,22),PI*min(1,(mod(t,30)-10)/3)*if(gt(mod(t,30),19),(22-mod(t,30))/3,1),0))"},
		{"0xB5A16E", 120, "795", "300+36*sin(2*PI*t/6)"},
		{"0x8C7AA9", 120, "1010", "300+36*sin(2*PI*t/6)"},
		{"0x5D6D7E", 64, "mod(t*40,1400)-90", "560+10*sin(2*PI*t/2)"},
	}
	for i, d := range discs {
		r := d.size / 2
		graph += fmt.Sprintf("color=c=%s:s=%dx%d:r=25,format=yuva420p,trim=end_frame=1,geq=lum='p(X,Y)':cb='p(X,Y)':cr='p(X,Y)':a='255*clip(%d-hypot(X-%d,Y-%d),0,1)',loop=-1:1,setpts=N/25/TB[d%d];",
			d.colour, d.size, d.size, r, r, r, i)
		graph += fmt.Sprintf("[b%d][d%d]overlay=x='%s':y='%s':eval=frame[b%d];", i, i, d.x, d.y, i+1)
	}
	last := fmt.Sprintf("[b%d]", len(discs))
	if font == "" {
		graph += last + "null[v];"
	} else {
		text := "drawtext=fontfile='" + font + "':fontcolor=0x3C3A36:x=(w-text_w)/2"
		graph += last + text + ":text='Practice clip':fontsize=54:y=72," + text + `:text='%{pts\:gmtime\:0\:%M\\\:%S}':fontsize=84:y=150[v];`
	}
	return graph + "aevalsrc='0.05*(sin(2*PI*220*t)+sin(2*PI*277.18*t)+sin(2*PI*329.63*t))*(0.55+0.45*sin(2*PI*t/6))" +
		"+0.06*sin(2*PI*440*t)*exp(-6*mod(t,5))':s=48000,aformat=channel_layouts=stereo[a]"
}

var plainPath = regexp.MustCompile(`^/[A-Za-z0-9/._-]+\.(ttf|otf)$`)

// findFont returns the file of a readable font; empty if there is none.
func findFont(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "fc-match", "-f", "%{file}", "sans-serif").Output()
	paths := []string{strings.TrimSpace(string(out))}
	if err != nil {
		paths = nil
	}
	more, _ := filepath.Glob("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
	for _, path := range append(paths, more...) {
		if plainPath.MatchString(path) {
			return path
		}
	}
	return ""
}
