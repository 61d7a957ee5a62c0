package recorder

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkFortyTracks stores a minute of 20 members with sound and picture as fast as it goes, with every sync to the disk.
func BenchmarkFortyTracks(b *testing.B) {
	src := encoded(b)
	const members, length = 20, 60.
	audio, _ := packetised(audioInfo("m"), repeat(src.audio, 1./50, length), calm)
	video, _ := packetised(videoInfo("m"), repeat(src.video, 1./30, length), calm)
	var written uint64
	used := processorTime(b)
	for b.Loop() {
		r, _ := newRecorder(b, Config{})
		run := newRun(r, "s", 0)
		var tracks sync.WaitGroup
		for i := range members {
			clock := &senderClock{}
			for _, x := range []struct {
				info  TrackInfo
				items []timed
			}{{audioInfo(fmt.Sprint(i)), audio}, {videoInfo(fmt.Sprint(i)), video}} {
				tracks.Go(func() { storeAll(r, run, x.info, x.items, clock) })
			}
		}
		tracks.Wait()
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
		written += r.Stats().Bytes
	}
	b.SetBytes(int64(written) / int64(b.N))
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/length*100, "%of-real-time")
	used = processorTime(b) - used
	b.ReportMetric(float64(used.Microseconds())/float64(b.N)/length/(2*members), "cpu-µs/track-second")
}

// processorTime is what this process has used so far, in user and system mode.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func storeAll(r *Recorder, run *run, info TrackInfo, items []timed, clock *senderClock) {
	w := newWriter(r, run, newFeed(info), clock)
	for _, i := range items {
		packet := i.item
		if packet.Packet != nil {
			p := *packet.Packet
			packet.Packet = &p
		}
		packet.Arrival = run.ref.Add(time.Duration(i.at * float64(time.Second)))
		w.take(packet)
	}
	w.finish()
}
