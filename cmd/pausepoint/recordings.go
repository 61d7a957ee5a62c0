package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"runtime"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/recorder"
	"github.com/pausepoint/pausepoint/render"
	"github.com/pausepoint/pausepoint/store"
)

// openFilms makes what renders recorded sessions, with the ffmpeg that prepares clips. It begins when the server is there.
func openFilms(c common, st *store.Store, clips *clip.Library, log *slog.Logger) *render.Queue {
	return render.NewQueue(render.QueueConfig{
		Jobs: st, Blobs: st, Clips: clips, Dir: filepath.Join(c.Data, "films"), Free: freeBytes, Log: log,
		Renderer: render.Renderer{FFmpeg: clips.FFmpeg(), Threads: min(4, runtime.NumCPU())},
	})
}

// openRecorder makes the recorder, and finishes what a former run left.
func (h *house) openRecorder(ctx context.Context, c common, st *store.Store, films *render.Queue) (*recorder.Recorder, error) {
	config := recorder.Config{Dir: filepath.Join(c.Data, "recordings"), Segments: st, Log: h.log, Notify: h.notice, Products: films}
	if c.Blobs != "" {
		config.Vault = st
	}
	tapes, err := recorder.New(config)
	if err != nil {
		return nil, err
	}
	h.later(func(context.Context) error { return tapes.Close() })
	if n, err := tapes.Recover(ctx); err != nil {
		h.log.Error("some recordings of a former run could not be finished", slog.Any("err", err))
	} else if n > 0 {
		h.log.Info("recordings of a former run finished", slog.Int("segments", n))
	}
	return tapes, nil
}
