package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pausepoint/pausepoint/store/storetest"
)

// spent is the processor time that Redis has used.
func spent(b *testing.B, r *redis.Client) (total time.Duration) {
	b.Helper()
	said, err := r.Info(b.Context(), "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`used_cpu_(?:sys|user):([\d.]+)`).FindAllStringSubmatch(said, -1) {
		seconds, _ := strconv.ParseFloat(found[1], 64)
		total += time.Duration(seconds * float64(time.Second))
	}
	return total
}

func benchNode(b *testing.B, url, name string) *Node {
	b.Helper()
	n, err := New(Config{URL: url, Name: name, Region: "here", Pages: "http://10.0.0.7:8080", Capacity: 100, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	n.Trust([]byte("of all nodes"))
	n.impaired.Store(false)
	n.leases = holders{}
	b.Cleanup(func() {
		if err := n.Close(context.WithoutCancel(b.Context())); err != nil {
			b.Error(err)
		}
	})
	return n
}

func benchRedis(b *testing.B) string {
	b.Helper()
	r, err := storetest.StartRedis()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := r.Stop(); err != nil {
			b.Error(err)
		}
	})
	return r.URL()
}

// What many nodes with many sessions cost Redis while nothing happens: each beats once a second, one after the other.
func BenchmarkBeats(b *testing.B) {
	const nodes, sessions = 314, 107
	url := benchRedis(b)
	var all []*Node
	for i := range nodes {
		n := benchNode(b, url, fmt.Sprintf("node-%d", i))
		for k := range sessions {
			n.take(fmt.Sprintf("0190a1b2-c3d4-7e5f-8a9b-%06d%06d", i, k), 1)
		}
		n.beat(b.Context())
		all = append(all, n)
	}
	before, began := spent(b, all[0].redis), time.Now()
	pace := time.NewTicker(beatEvery / nodes)
	defer pace.Stop()
	for b.Loop() {
		for _, n := range all {
			<-pace.C
			n.beat(b.Context())
		}
	}
	used := spent(b, all[0].redis) - before
	b.ReportMetric(float64(used.Microseconds())/float64(b.N*nodes), "µs-of-Redis/beat")
	b.ReportMetric(time.Since(began).Seconds()/float64(b.N), "s/round")
}

// What a frame costs Redis that a line carries: alone, or among as many as fit.
func BenchmarkFrames(b *testing.B) {
	for _, together := range []int{1, maxPipe} {
		b.Run(fmt.Sprint(together), func(b *testing.B) {
			url := benchRedis(b)
			near, far := benchNode(b, url, "a"), benchNode(b, url, "b")
			at := newGuests()
			for n, h := range map[*Node]Handler{near: newGuests(), far: at} {
				if err := n.Join(b.Context()); err != nil {
					b.Fatal(err)
				}
				n.Start(h)
			}
			var line *Line
			for line == nil {
				ctx, cancel := context.WithTimeout(b.Context(), beatEvery)
				line, _ = near.Dial(ctx, "b", nil) // it may not listen yet
				cancel()
			}
			end := <-at.came
			frame := make([]byte, 150)
			before := spent(b, near.redis)
			for b.Loop() {
				for range together {
					line.Send(frame)
				}
				for range together {
					end.Next()
				}
			}
			used := spent(b, near.redis) - before
			b.ReportMetric(float64(used.Microseconds())/float64(b.N*together), "µs-of-Redis/frame")
		})
	}
}
