package recorder

import (
	"context"
	"time"

	"github.com/pausepoint/pausepoint/sfu"
)

// queueCapacity is how many packets wait while the disk is slow: some seconds of video, more of audio.
const queueCapacity = 1024

// RoomOf adapts a media room.
func RoomOf(r *sfu.Room) Room { return sfuRoom{r} }

type sfuRoom struct {
	room *sfu.Room
}

func (r sfuRoom) Tap(started func(Track)) (stop func(), err error) {
	tap, err := r.room.Tap(sfu.SinkFunc(func(e sfu.Event) {
		if s, ok := e.(sfu.PublicationStarted); ok {
			started(sfuTrack{s.Publication, s.Publication.Attach(queueCapacity)})
		}
	}))
	if err != nil {
		return nil, err
	}
	return tap.Close, nil
}

type sfuTrack struct {
	publication *sfu.Publication
	queue       *sfu.TapTrack
}

func (t sfuTrack) Info() TrackInfo {
	info, codec := t.publication.Info(), t.publication.Codec()
	return TrackInfo{
		Publication: info.Publication, Member: info.Member, Source: string(info.Source),
		Mime: codec.MimeType, ClockRate: codec.ClockRate, Channels: codec.Channels,
	}
}

func (t sfuTrack) Next(ctx context.Context) (Item, error) {
	i, err := t.queue.Next(ctx)
	if err != nil {
		return Item{}, err
	}
	item := Item{Arrival: i.Arrival, Packet: i.Packet, Epoch: i.Epoch, Dropped: i.Dropped}
	if i.Report != nil {
		item.Report = &SenderReport{NTP: i.Report.NTP, RTP: i.Report.RTP}
	}
	return item, nil
}

func (t sfuTrack) RequestKeyFrame() { t.publication.RequestKeyframe() }

func (t sfuTrack) RoundTrip() time.Duration { return t.publication.RoundTrip() }

func (t sfuTrack) Close() { t.queue.Close() }
