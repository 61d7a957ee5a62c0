package load

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { _, _ = fmt.Fprintf(t, name+"\t"+format+"\n", args...) }
	row("members", "%d in %d sessions, %d of them with microphone and camera", r.Members, r.Sessions, r.Publishers)
	row("came in, stayed, saw somebody", "%d, %d, %d", r.Inside, r.Stayed, r.Sighted)
	row("connections made anew", "%d", r.Renewed)
	row("measured", "%g s", r.Seconds)
	row("", "")
	row("milliseconds", "half\t95 %%\t99 %%\tcount")
	for _, line := range []struct {
		name  string
		times Times
	}{
		{"until they are in the session", r.Join},
		{"until the first picture", r.FirstVideo},
		{"sound and pictures on their way", r.Media},
		{"play, stop, seek, pause", r.Commands},
		{"note", r.Notes},
		{"ready, on the frame", r.Followed},
		{"ping", r.RoundTrip},
	} {
		row(line.name, "%.1f\t%.1f\t%.1f\t%d", line.times.P50, line.times.P95, line.times.P99, line.times.Count)
	}
	row("", "")
	row("packets missing", "%.3f %% of %d", r.Loss*100, r.Expected)
	row("packets delivered", "%.0f a second", float64(r.Delivered)/r.Seconds)
	if s := r.Server; s != nil {
		row("server's CPU", "%.2f %% of a core for each member, %.2f cores in all", s.CPUPerMember*100, s.CPU)
		row("server's memory", "%.2f MiB for each member, %.0f MiB in all", s.MemoryPerMember/mebi, s.Memory/mebi)
	}
	return t.Flush()
}

const mebi = 1 << 20
