package allocate_test

import (
	"slices"
	"testing"

	"github.com/pausepoint/pausepoint/sfu/allocate"
	"pgregory.net/rapid"
)

// simulcast is what a browser sends of a camera.
var simulcast = []allocate.Layer{
	{Bitrate: 150_000, Width: 320, Height: 180},
	{Bitrate: 500_000, Width: 640, Height: 360},
	{Bitrate: 1_700_000, Width: 1280, Height: 720},
}

func layers(choices []allocate.Choice) (got []int) {
	for _, c := range choices {
		got = append(got, c.Layer)
	}
	return got
}

func TestAllocate(t *testing.T) {
	camera := allocate.Track{Visible: true, Layers: simulcast, Current: allocate.Off}
	speaker, screen, hidden, thumbnail, running, silent := camera, camera, camera, camera, camera, camera
	speaker.Priority, screen.Priority, hidden.Visible, thumbnail.MaxHeight = 1, 2, false, 90
	running.Current = 2
	kept := camera
	kept.Current = 0
	silent.Layers = []allocate.Layer{{}, simulcast[1], {}}
	for _, c := range []struct {
		name   string
		budget int
		tracks []allocate.Track
		want   []int
	}{
		{"all that is wanted", 10_000_000, []allocate.Track{camera, speaker, screen}, []int{2, 2, 2}},
		{"nothing", 0, []allocate.Track{camera}, []int{-1}},
		{"a hidden one costs nothing", 200_000, []allocate.Track{hidden, camera}, []int{-1, 0}},
		{"a small place", 10_000_000, []allocate.Track{thumbnail}, []int{0}},
		{"the lowest for all before more for one", 600_000, []allocate.Track{camera, speaker, screen}, []int{0, 0, 0}},
		{"the screen is raised first", 1_000_000, []allocate.Track{camera, speaker, screen}, []int{0, 0, 1}},
		{"then the speaker", 1_500_000 + 1_250_000, []allocate.Track{camera, speaker, screen}, []int{0, 0, 2}},
		{"evenly among equals", 1_000_000, []allocate.Track{camera, camera}, []int{1, 0}},
		{"the least important is off", 400_000, []allocate.Track{camera, speaker, screen}, []int{-1, 0, 0}},
		{"more takes a margin", 1_700_000, []allocate.Track{camera}, []int{1}},
		{"what is sent takes none", 1_700_000, []allocate.Track{running}, []int{2}},
		{"too little for what is sent", 1_699_999, []allocate.Track{running}, []int{1}},
		{"a picture that is sent is kept", 75_000, []allocate.Track{kept}, []int{0}},
		{"until there is less than half", 74_999, []allocate.Track{kept}, []int{-1}},
		{"one that begins fits", 149_999, []allocate.Track{camera}, []int{-1}},
		{"one that is too large takes nobody else's", 300_000, []allocate.Track{camera, {
			ID: 1, Visible: true, Priority: 2, Layers: []allocate.Layer{{Bitrate: 2_500_000}}, Current: allocate.Off,
		}}, []int{0, -1}},
		{"layers that do not come", 10_000_000, []allocate.Track{silent}, []int{1}},
		{"no layers", 10_000_000, []allocate.Track{{Visible: true}}, []int{-1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := layers(allocate.Allocate(nil, c.budget, c.tracks)); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestWanted(t *testing.T) {
	temporal := []allocate.Layer{{Bitrate: 100, Height: 180}, {Bitrate: 160, Height: 180}, {Bitrate: 400, Height: 360}}
	for _, c := range []struct{ place, want int }{{0, 2}, {90, 1}, {180, 1}, {181, 2}, {2000, 2}} {
		tracks := []allocate.Track{{Visible: true, MaxHeight: c.place, Layers: temporal}}
		if got := allocate.Allocate(nil, 0, tracks)[0].Wanted; got != c.want {
			t.Errorf("a place %d px tall: %d, want %d", c.place, got, c.want)
		}
		if got, want := allocate.Wanted(tracks), temporal[c.want].Bitrate*5/4; got != want {
			t.Errorf("a place %d px tall: %d bit/s, want %d", c.place, got, want)
		}
	}
}

// drawTracks makes up to 12 tracks; their layers need not ascend in bit rate, as measured ones do not always.
func drawTracks(t *rapid.T) []allocate.Track {
	tracks := make([]allocate.Track, rapid.IntRange(0, 12).Draw(t, "tracks"))
	for i := range tracks {
		tr := allocate.Track{
			ID: i, Priority: rapid.IntRange(0, 2).Draw(t, "priority"), Visible: rapid.IntRange(0, 4).Draw(t, "visible") > 0,
			MaxHeight: rapid.SampledFrom([]int{0, 90, 200, 360, 700, 1080}).Draw(t, "place"),
			Layers:    make([]allocate.Layer, rapid.IntRange(0, 4).Draw(t, "layers")),
		}
		for j := range tr.Layers {
			rate := rapid.SampledFrom([]int{0, 100_000, 200_000, 400_000, 900_000, 1_900_000}).Draw(t, "rate")
			tr.Layers[j] = allocate.Layer{Bitrate: rate, Height: 180 << j}
		}
		tr.Current = rapid.IntRange(allocate.Off, len(tr.Layers)-1).Draw(t, "current")
		tracks[i] = tr
	}
	return tracks
}

func cost(tracks []allocate.Track, choices []allocate.Choice) (sum int) {
	for i, c := range choices {
		if c.Layer != allocate.Off {
			sum += tracks[i].Layers[c.Layer].Bitrate
		}
	}
	return sum
}

func TestChoicesAreWithinTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tracks, budget := drawTracks(t), rapid.IntRange(-10, 12_000_000).Draw(t, "budget")
		choices := allocate.Allocate(nil, budget, tracks)
		if spent := cost(tracks, choices); spent > max(budget, 0) && (spent > 2*max(budget, 0) || !onlyKept(tracks, choices)) {
			t.Fatalf("%d spent of %d", spent, budget)
		}
		for i, c := range choices {
			switch tr := tracks[i]; {
			case c.Layer > c.Wanted, c.Layer < allocate.Off:
				t.Fatalf("track %d: %+v", i, c)
			case c.Layer == allocate.Off:
			case !tr.Visible, tr.Layers[c.Layer].Bitrate == 0:
				t.Fatalf("track %d gets %d, which cannot be seen", i, c.Layer)
			case c.Layer > 0 && tr.MaxHeight > 0 && smallerSuffices(tr, c.Layer):
				t.Fatalf("track %d gets %d, and a smaller one suffices for %d px", i, c.Layer, tr.MaxHeight)
			}
		}
	})
}

// onlyKept reports whether nothing is sent but lowest layers, the least important of which was sent before.
func onlyKept(tracks []allocate.Track, choices []allocate.Choice) bool {
	kept := false
	for i, c := range choices {
		if c.Layer != allocate.Off && c.Layer != lowest(tracks[i]) {
			return false
		}
		kept = kept || c.Layer != allocate.Off && tracks[i].Current != allocate.Off
	}
	return kept
}

func smallerSuffices(t allocate.Track, layer int) bool {
	for _, l := range t.Layers[:layer] {
		if l.Bitrate > 0 && l.Height >= t.MaxHeight {
			return true
		}
	}
	return false
}

// More budget takes something only where it turns another one on.
func TestMoreBudgetGivesNobodyLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tracks := drawTracks(t)
		budget, more := rapid.IntRange(0, 12_000_000).Draw(t, "budget"), rapid.IntRange(0, 5_000_000).Draw(t, "more")
		before, after := allocate.Allocate(nil, budget, tracks), allocate.Allocate(nil, budget+more, tracks)
		begins := false
		for i := range before {
			begins = begins || before[i].Layer == allocate.Off && after[i].Layer != allocate.Off
		}
		for i := range before {
			if after[i].Layer < before[i].Layer && !begins {
				t.Fatalf("track %d: %d, and %d with more", i, before[i].Layer, after[i].Layer)
			}
		}
	})
}

func TestHigherPriorityGivesNotLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tracks, budget := drawTracks(t), rapid.IntRange(0, 12_000_000).Draw(t, "budget")
		for i := range tracks { // measured rates that fall from layer to layer make a raise cheaper than none
			for j := range tracks[i].Layers {
				tracks[i].Layers[j].Bitrate = 100_000 << j
			}
		}
		before := allocate.Allocate(nil, budget, tracks)
		for i := range tracks {
			tracks[i].Priority++
			if after := allocate.Allocate(nil, budget, tracks)[i]; after.Layer < before[i].Layer {
				t.Fatalf("track %d: %d, and %d with a higher priority", i, before[i].Layer, after.Layer)
			}
			tracks[i].Priority--
		}
	})
}

// A lower priority is raised above its lowest layer only when all higher ones have what they can show.
func TestLowerPriorityWaits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tracks, budget := drawTracks(t), rapid.IntRange(0, 12_000_000).Draw(t, "budget")
		choices := allocate.Allocate(nil, budget, tracks)
		for i, high := range choices {
			for j, low := range choices {
				if tracks[i].Priority > tracks[j].Priority && high.Layer < high.Wanted && low.Layer > lowest(tracks[j]) {
					t.Fatalf("%d has %+v while %d has %+v", j, low, i, high)
				}
				off := high.Layer < min(high.Wanted, 0)
				if tracks[i].Priority > tracks[j].Priority && off && low.Layer > allocate.Off && !cheaper(tracks[j], tracks[i]) {
					t.Fatalf("%d is shown while %d is off", j, i)
				}
			}
		}
	})
}

// cheaper reports whether a could be shown where b could not: it takes less, or is shown already.
func cheaper(a, b allocate.Track) bool {
	return a.Current != allocate.Off || a.Layers[lowest(a)].Bitrate < b.Layers[lowest(b)].Bitrate
}

func lowest(t allocate.Track) int {
	return slices.IndexFunc(t.Layers, func(l allocate.Layer) bool { return l.Bitrate > 0 })
}

// While the estimate wavers by a tenth both ways, no track goes up after it went down, nor down after it went up.
func TestNoFlapping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tracks, budget := drawTracks(t), rapid.IntRange(0, 12_000_000).Draw(t, "budget")
		for i := range tracks { // what runs already is something that may be sent
			tracks[i].Current = allocate.Allocate(nil, 1<<40, tracks)[i].Layer
		}
		direction := make([]int, len(tracks))
		for range 20 {
			noisy := budget * rapid.IntRange(900, 1100).Draw(t, "noise") / 1000
			for i, c := range allocate.Allocate(nil, noisy, tracks) {
				if c.Layer == tracks[i].Current {
					continue
				}
				now := 1
				if c.Layer < tracks[i].Current {
					now = -1
				}
				if direction[i] == -now {
					t.Fatalf("track %d goes to and fro: %d after %d", i, c.Layer, tracks[i].Current)
				}
				direction[i], tracks[i].Current = now, c.Layer
			}
		}
	})
}

func call60() []allocate.Track {
	tracks := make([]allocate.Track, 60)
	for i := range tracks {
		tracks[i] = allocate.Track{ID: i, Visible: i%3 != 0, MaxHeight: 180 << (i % 3), Layers: simulcast, Current: i % 3}
	}
	tracks[17].Priority, tracks[40].Priority = 2, 1
	return tracks
}

func TestAllocatesNothing(t *testing.T) {
	tracks, dst := call60(), make([]allocate.Choice, 0, 60)
	if n := testing.AllocsPerRun(100, func() { dst = allocate.Allocate(dst[:0], 8_000_000, tracks) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAllocate(b *testing.B) {
	tracks, dst := call60(), make([]allocate.Choice, 0, 60)
	b.ReportAllocs()
	for b.Loop() {
		dst = allocate.Allocate(dst[:0], 8_000_000, tracks)
	}
}
