package clip

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pausepoint/pausepoint/ffmpeg"
)

// What a source may be.
const (
	maxDuration = 4 * time.Hour
	maxSide     = 8192
	maxPixels   = 40_000_000 // 8K and a little
)

// codecs that phones, cameras, browsers and screen recorders make. No other decoder is ever opened.
const codecs = "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,av1,libdav1d,libaom-av1,mpeg4,msmpeg4,msmpeg4v1,msmpeg4v2,msmpeg4v3,mjpeg,mpeg1video," +
	"mpeg2video,mpegvideo,h263,h263p,prores,dnxhd,dvvideo,theora,wmv1,wmv2,wmv3,vc1,svq1,svq3,ffv1,qtrle,rawvideo,huffyuv,cinepak,png," +
	"aac,aac_latm,mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,libopus,vorbis,libvorbis,flac,alac,ac3,eac3,amrnb,amrwb," +
	"pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_u8,pcm_s8,pcm_alaw,pcm_mulaw," +
	"adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,wmav1,wmav2,mov_text,subrip,ass,ssa,webvtt,text,dvbsub,dvdsub,eia_608,cc_dec"

// source is what is known of an uploaded file before it is prepared.
type source struct {
	path      string
	demuxer   string
	video     int     // index of the stream
	audio     int     // index of the stream, -1 without
	start     float64 // s from the file's first moment to its first frame
	duration  float64 // s, by its packets
	announced float64 // s, by the header
	rate      rate    // of what will be made
	width     int     // as displayed: rotated, square pixels
	height    int
	deint     bool   // interlaced
	hdr       bool   // PQ or HLG
	matrix    string // colour matrix as scale's in_color_matrix
}

// input returns the arguments that open the file with its one demuxer, without any way to another file.
func (s source) input() []string {
	args := []string{"-f", s.demuxer, "-protocol_whitelist", "file,pipe", "-codec_whitelist", codecs, "-max_pixels", strconv.Itoa(maxPixels)}
	if s.demuxer == "mov" {
		args = append(args, "-enable_drefs", "0", "-use_absolute_path", "0")
	}
	return append(args, "-i", "file:"+s.path)
}

// probed is the part of ffprobe's answer that matters.
type probed struct {
	Streams []probedStream `json:"streams"`
	Format  struct {
		Start string `json:"start_time"`
	} `json:"format"`
}

type probedStream struct {
	Index       int            `json:"index"`
	Type        string         `json:"codec_type"`
	Codec       string         `json:"codec_name"`
	Width       int            `json:"width"`
	Height      int            `json:"height"`
	Aspect      string         `json:"sample_aspect_ratio"`
	Rate        string         `json:"avg_frame_rate"`
	Duration    string         `json:"duration"`
	FieldOrder  string         `json:"field_order"`
	Transfer    string         `json:"color_transfer"`
	Space       string         `json:"color_space"`
	Channels    int            `json:"channels"`
	Disposition map[string]int `json:"disposition"`
	SideData    []struct {
		Rotation float64 `json:"rotation"`
	} `json:"side_data_list"`
}

// probe looks into the file at path. A file that cannot be a clip gives an [*Error] of code "refused" with
// a sentence for its owner; any other error says nothing about the file.
func (t tools) probe(ctx context.Context, path string) (source, error) {
	demuxer, err := sniff(path)
	if err != nil {
		return source{}, err
	}
	src := source{path: path, demuxer: demuxer, audio: -1}
	claimed, err := t.describe(ctx, src, "-nofind_stream_info")
	if err != nil {
		return source{}, err
	}
	if claimed.tooLarge() { // whatever its frames may be: no camera writes that
		return source{}, errTooLarge(nil)
	}
	p, err := t.describe(ctx, src)
	if err != nil {
		return source{}, err
	}
	if err := src.choose(p); err != nil {
		return source{}, err
	}
	err = t.scan(ctx, &src, seconds(p.Format.Start))
	return src, err
}

// describe returns what the file says of itself, and, unless options say otherwise, what its first frames say.
func (t tools) describe(ctx context.Context, src source, options ...string) (p probed, err error) {
	args := append([]string{"-v", "error", "-of", "json", "-show_format", "-show_streams"}, options...)
	err = t.runProbe(ctx, append(args, src.input()...), func(r io.Reader) error {
		data, err := io.ReadAll(io.LimitReader(r, 4<<20))
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &p); err != nil {
			p = probed{} // ffprobe failed half way: its exit says so
		}
		return nil
	})
	if err != nil {
		return probed{}, refuseUnreadable(err, notVideo)
	}
	return p, nil
}

// tooLarge reports whether any picture in the file is larger than a computer should be asked to hold.
func (p probed) tooLarge() bool {
	return slices.ContainsFunc(p.Streams, func(s probedStream) bool {
		return s.Width > maxSide || s.Height > maxSide || s.Width*s.Height > maxPixels
	})
}

// runProbe runs ffprobe with little memory and time.
func (t tools) runProbe(ctx context.Context, args []string, read func(io.Reader) error) error {
	lim := ffmpeg.Limits{Memory: 3 << 30, File: 1 << 20, Time: 10 * time.Minute}
	return ffmpeg.Run(ctx, lim, t.dir, t.ffprobe, args, read)
}

// refuseUnreadable turns the failure of a child over a file into a refusal of the file; a server that is stopping, or that
// cannot run the child at all, refuses nothing. The sentence is otherwise, unless more is known.
func refuseUnreadable(err error, otherwise string) error {
	var child *ffmpeg.Error
	switch {
	case errors.Is(err, ffmpeg.ErrTimeLimit):
		return because("refused", "Reading this file takes too long. Convert it to MP4 and try again.", err)
	case !errors.As(err, &child) || child.DiskFull():
		return err
	case child.TooLarge():
		return errTooLarge(err)
	case strings.Contains(child.Stderr, "moov atom not found"):
		return because("refused", "This file is incomplete: its end is missing. Copy it again from the camera and upload it once more.", err)
	}
	return because("refused", otherwise, err)
}

func errTooLarge(cause error) error {
	return because("refused", "The picture of this video is too large. It may be at most 8192 by 4320. Export it smaller and try again.", cause)
}

// choose picks the streams and checks what they say of themselves.
func (s *source) choose(p probed) error {
	video := -1
	for i, st := range p.Streams {
		switch {
		case st.Type == "video" && st.Disposition["attached_pic"] == 0 && st.Disposition["still_image"] == 0 && video < 0:
			video = i
		case st.Type == "audio" && st.Channels > 0 && s.audio < 0:
			s.audio = st.Index
		}
	}
	if video < 0 {
		return because("refused", "There is no picture in this file, only sound. Choose a video.", nil)
	}
	v := p.Streams[video]
	if p.tooLarge() {
		return errTooLarge(nil)
	}
	if v.Width <= 0 || v.Height <= 0 {
		return because("refused", notVideo, nil)
	}
	if v.Width < 16 || v.Height < 16 {
		return because("refused", "The picture of this video is too small to be seen.", nil)
	}
	s.video = v.Index
	s.announced = seconds(v.Duration)
	s.width, s.height = v.displayed()
	s.deint = v.FieldOrder != "" && v.FieldOrder != "progressive" && v.FieldOrder != "unknown"
	s.hdr = v.Transfer == "smpte2084" || v.Transfer == "arib-std-b67"
	s.matrix = v.matrix()
	return nil
}

// displayed returns the size with square pixels, after rotation.
func (v probedStream) displayed() (width, height int) {
	w, h := float64(v.Width), float64(v.Height)
	if num, den, ok := strings.Cut(v.Aspect, ":"); ok {
		n, _ := strconv.ParseFloat(num, 64)
		d, _ := strconv.ParseFloat(den, 64)
		if n > 0 && d > 0 && n/d > 0.2 && n/d < 5 {
			w *= n / d
		}
	}
	for _, side := range v.SideData {
		if quarter := math.Mod(math.Abs(side.Rotation), 180); quarter > 45 && quarter < 135 {
			w, h = h, w
		}
	}
	return int(math.Round(w)), int(math.Round(h))
}

// matrix names the colour matrix; files that do not say follow the custom of their size.
func (v probedStream) matrix() string {
	switch v.Space {
	case "bt709", "smpte170m", "smpte240m", "fcc":
		return v.Space
	case "bt470bg":
		return "bt470"
	case "bt2020nc", "bt2020c":
		return "bt2020"
	}
	if v.Height >= 720 || v.Width >= 1280 {
		return "bt709"
	}
	return "smpte170m"
}

// scan reads the times of all frames, because what a header says of duration and rate may be missing or untrue.
func (t tools) scan(ctx context.Context, src *source, origin float64) error {
	var times frameTimes
	args := append([]string{
		"-v", "error", "-of", "csv=p=0", "-select_streams", strconv.Itoa(src.video), "-show_entries", "packet=pts_time,dts_time,flags",
	}, src.input()...)
	if err := t.runProbe(ctx, args, times.read); err != nil && !errors.Is(err, errTooLong) {
		return refuseUnreadable(err, notVideo)
	}
	src.duration = times.duration()
	src.start = max(0, times.first-origin) // ffmpeg moves the origin to 0
	switch {
	case times.count < 2 || src.duration <= 0:
		return because("refused", "This file holds a single picture, not a video. Choose a video.", nil)
	case src.duration > maxDuration.Seconds():
		return because("refused", "This video is longer than four hours. Cut it into parts and upload the one that you need.", nil)
	}
	if said := src.announced; src.demuxer == "mov" && said-src.duration > max(2, said/20) {
		return because("refused", fmt.Sprintf("This file is incomplete: %s of %s are there. Copy it again from the camera and upload it once more.",
			clock(src.duration), clock(said)), nil)
	}
	src.rate = times.rate()
	return nil
}

func clock(s float64) string {
	d := time.Duration(s) * time.Second
	return fmt.Sprintf("%d:%02d min", int(d.Minutes()), int(d.Seconds())%60)
}

// seconds parses one of ffprobe's times; 0 for "N/A" and all that is no time.
func seconds(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}
