package sfu

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"
)

func TestJoiningAgainReplacesTheOlderPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		b := w.client("bob").join("r", false, true)
		old := w.client("ann").join("r", true, true)
		must(t, old.publish(SourceAudio, SourceCamera))
		time.Sleep(2 * time.Second)
		before := b.offered()["ann/camera"].Publication

		again := w.client("ann").join("r", true, true)
		if n := len(w.sfu.Room("r").Publications()); n != 0 {
			t.Errorf("%d publications of the older peer are left when Join returns", n)
		}
		<-old.peer.Done()
		if err := old.publish(SourceScreen); !errors.Is(err, ErrClosed) {
			t.Errorf("the older peer's offer: %v, want ErrClosed", err)
		}
		must(t, again.publish(SourceCamera))
		time.Sleep(2 * time.Second)
		offered := b.offered()
		if len(offered) != 1 || offered["ann/camera"].Publication == before || b.got()["ann/camera"] == nil {
			t.Errorf("after ann came again bob is offered %v", offered)
		}
	})
}

func TestManyJoinsOfOneMemberLeaveOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{})
		defer w.close()
		peers := make(chan *Peer, 20)
		for range cap(peers) {
			go func() {
				p, err := w.sfu.Room("r").Join(PeerConfig{ID: "ann", Publish: true, Subscribe: true})
				if err != nil {
					t.Error(err)
				}
				peers <- p
			}()
		}
		synctest.Wait()
		alive := 0
		for range cap(peers) {
			p := <-peers
			select {
			case <-p.Done():
			default:
				alive++
			}
			defer p.Close()
		}
		if alive != 1 {
			t.Errorf("%d peers of one member are left, want 1", alive)
		}
	})
}

func TestVanishedMemberIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, true)
		b := w.client("bob").join("r", false, true)
		must(t, a.publish(SourceAudio, SourceCamera))
		time.Sleep(2 * time.Second)
		checkComplete(t, b, []*client{a, b})
		w.vanish(a)
		time.Sleep(15 * time.Second)
		if n := len(w.sfu.Room("r").Publications()); n != 0 {
			t.Errorf("%d publications are left 15 s after ann vanished", n)
		}
		if n := len(b.offered()); n != 0 {
			t.Errorf("bob is still offered %d tracks", n)
		}
		if !a.wasRestarted(Publish) {
			t.Error("ann was not told that her connection was dropped")
		}

		w.back(a)
		must(t, a.pub.GracefulClose())
		a.forget()
		must(t, a.publish(SourceCamera))
		time.Sleep(3 * time.Second)
		if b.got()["ann/camera"] == nil {
			t.Error("ann came back, and bob does not receive her")
		}
	})
}

func TestASilentPublisherDisappearsInFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		var j journal
		tap, err := w.sfu.Room("r").Tap(&j)
		must(t, err)
		defer tap.Close()
		a := w.client("ann").join("r", true, false)
		b := w.client("bob").join("r", false, true)
		must(t, a.publish(SourceAudio, SourceCamera))
		time.Sleep(2 * time.Second)
		first := b.offered()["ann/camera"].Publication
		w.vanish(a)
		time.Sleep(5 * time.Second)
		if n := len(b.offered()); n != 0 {
			t.Errorf("bob is still offered %d tracks", n)
		}
		if got := j.told(); got != "[+ann/audio +ann/camera -ann/audio -ann/camera]" &&
			got != "[+ann/audio +ann/camera -ann/camera -ann/audio]" && got != "[+ann/camera +ann/audio -ann/audio -ann/camera]" &&
			got != "[+ann/camera +ann/audio -ann/camera -ann/audio]" {
			t.Errorf("told %s", got)
		}
		// The connection is the same: nobody has to do anything.
		w.back(a)
		time.Sleep(3 * time.Second)
		got := b.got()
		if got["ann/audio"] == nil || got["ann/camera"] == nil || a.wasRestarted(Publish) {
			t.Errorf("after the cable was plugged in again bob receives %v", b.offered())
		}
		if b.offered()["ann/camera"].Publication == first {
			t.Error("a publication that ended began again")
		}
		if got := j.states("ann", Publish); got != "[connected disconnected connected]" {
			t.Errorf("states: %s", got)
		}
	})
}

func TestSubscriberThatVanishedComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		b := w.client("bob").join("r", false, true)
		must(t, a.publish(SourceCamera))
		time.Sleep(2 * time.Second)
		w.vanish(b)
		time.Sleep(20 * time.Second)
		w.back(b)
		time.Sleep(time.Second)
		if !b.wasRestarted(Subscribe) {
			t.Fatal("bob was not told that his connection was dropped")
		}
		before := b.got()["ann/camera"].packets
		time.Sleep(30 * time.Second)
		if after := b.got()["ann/camera"].packets; after < before+100 {
			t.Errorf("bob received %d packets, then %d: nothing more", before, after)
		}
	})
}

func TestSubscriberAsksForARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		b := w.client("bob").join("r", false, true)
		must(t, a.publish(SourceCamera))
		time.Sleep(2 * time.Second)
		first := ufrag(b.subscribed().RemoteDescription().SDP)
		must(t, b.peer.Handle(Signal{Kind: KindRestart, PC: Subscribe}))
		time.Sleep(2 * time.Second)
		if second := ufrag(b.subscribed().RemoteDescription().SDP); second == first {
			t.Error("the server's ICE credentials are the old ones")
		}
		if text := b.subscribed().RemoteDescription().SDP; !strings.Contains(text, "a=candidate:") {
			t.Errorf("the restart's offer has no candidates: %s", text)
		}
		if b.wasRestarted(Subscribe) {
			t.Error("a connection that is alive was built anew")
		}
		before := b.got()["ann/camera"].packets
		time.Sleep(2 * time.Second)
		if after := b.got()["ann/camera"].packets; after < before+100 {
			t.Errorf("%d packets before, %d after the restart", before, after)
		}

		// In the same instant twice: an offer is in flight, and the connection is built anew.
		must(t, b.peer.Handle(Signal{Kind: KindRestart, PC: Subscribe}))
		must(t, b.peer.Handle(Signal{Kind: KindRestart, PC: Subscribe}))
		time.Sleep(2 * time.Second)
		before = b.got()["ann/camera"].packets
		time.Sleep(2 * time.Second)
		if after := b.got()["ann/camera"].packets; after < before+100 {
			t.Errorf("%d packets before, %d after two restarts", before, after)
		}
	})
}

func TestPublisherRestartsICE(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		b := w.client("bob").join("r", false, true)
		must(t, a.publish(SourceCamera))
		time.Sleep(2 * time.Second)
		must(t, a.offer(&webrtc.OfferOptions{ICERestart: true}))
		time.Sleep(2 * time.Second)
		if text := a.pub.RemoteDescription().SDP; !strings.Contains(text, "a=candidate:") {
			t.Errorf("the restart's answer has no candidates: %s", text)
		}
		before := b.got()["ann/camera"].packets
		time.Sleep(2 * time.Second)
		if after := b.got()["ann/camera"].packets; after < before+100 {
			t.Errorf("%d packets before, %d after the restart", before, after)
		}
		if n := b.heard(); n != 1 {
			t.Errorf("%d publications, want the one that goes on", n)
		}
	})
}

func TestObserversMayNotPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		o := w.client("obs").join("r", false, true)
		b := w.client("bob").join("r", true, true)
		must(t, b.publish(SourceAudio))
		if err := o.publish(SourceCamera); !errors.Is(err, ErrMayNotPublish) {
			t.Errorf("an observer's offer: %v, want ErrMayNotPublish", err)
		}
		time.Sleep(2 * time.Second)
		if len(b.offered()) != 0 {
			t.Errorf("an observer is received: %v", b.offered())
		}
		if o.got()["bob/audio"] == nil {
			t.Error("the observer does not receive bob")
		}

		o.peer.SetMayPublish(true)
		o.abandon()
		must(t, o.publish(SourceCamera))
		time.Sleep(2 * time.Second)
		if b.got()["obs/camera"] == nil {
			t.Error("the observer was made a peer, and is not received")
		}
		o.peer.SetMayPublish(false)
		if n := len(w.sfu.Room("r").Publications()); n != 1 {
			t.Errorf("%d publications are live when SetMayPublish returns, want bob's", n)
		}
		time.Sleep(2 * time.Second)
		if len(b.offered()) != 0 {
			t.Errorf("still offered: %v", b.offered())
		}
		if err := o.peer.Handle(Signal{Kind: KindOffer, PC: Publish}); !errors.Is(err, ErrMayNotPublish) {
			t.Errorf("the offer after it: %v, want ErrMayNotPublish", err)
		}
	})
}

func TestSubscribeSignalsOfAPublisherOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{})
		defer w.close()
		p, err := w.sfu.Room("r").Join(PeerConfig{ID: "whip", Publish: true})
		must(t, err)
		defer p.Close()
		if err := p.Handle(Signal{Kind: KindRestart, PC: Subscribe}); !errors.Is(err, ErrNotSubscribed) {
			t.Errorf("restart of a connection that there is not: %v", err)
		}
	})
}

func TestSignalsOutOfPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{})
		defer w.close()
		p, err := w.sfu.Room("r").Join(PeerConfig{ID: "ann", Publish: true, Subscribe: true})
		must(t, err)
		for _, s := range []Signal{
			{Kind: KindAnswer, PC: Publish},
			{Kind: KindOffer, PC: Subscribe},
			{Kind: KindAnswer, PC: Subscribe},
			{Kind: "x", PC: Publish},
			{Kind: KindOffer, PC: "x"},
			{},
		} {
			if err := p.Handle(s); !errors.Is(err, ErrUnexpected) {
				t.Errorf("%v: %v, want ErrUnexpected", s, err)
			}
		}
		p.Close()
		if err := p.Handle(Signal{Kind: KindRestart, PC: Publish}); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v, want ErrClosed", err)
		}
		p.SetMayPublish(true)
		p.Close()
	})
}

func TestAnAnswerBelongsToItsOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		must(t, a.publish(SourceAudio))
		time.Sleep(time.Second)
		b := w.client("bob")
		var err error
		b.peer, err = w.sfu.Room("r").Join(PeerConfig{ID: "bob", Publish: true, Subscribe: true, Send: b.receive})
		must(t, err)
		first := <-b.signals
		must(t, b.peer.Handle(Signal{Kind: KindRestart, PC: Subscribe})) // in flight: given up
		if s := <-b.signals; s.Kind != KindRestart {
			t.Fatalf("%s, want a restart", s.Kind)
		}
		second := <-b.signals
		if second.Offer <= first.Offer {
			t.Errorf("offer %d follows offer %d", second.Offer, first.Offer)
		}
		late := Signal{Kind: KindAnswer, PC: Subscribe, SDP: "not even read", Offer: first.Offer}
		must(t, b.peer.Handle(late))
		if err := b.peer.Handle(Signal{Kind: KindAnswer, PC: Subscribe, Offer: second.Offer + 1}); !errors.Is(err, ErrUnexpected) {
			t.Errorf("an answer to what was not offered: %v", err)
		}
		b.subscribe(second)
		time.Sleep(2 * time.Second)
		if b.got()["ann/audio"] == nil {
			t.Error("bob does not receive ann after a late answer")
		}
		must(t, b.peer.Handle(late))

		text := offerText(section("audio", "9"))
		for _, n := range []uint32{7, 8} {
			must(t, b.peer.Handle(Signal{Kind: KindOffer, PC: Publish, SDP: text, Offer: n}))
			if s := <-b.signals; s.Kind != KindAnswer || s.PC != Publish || s.Offer != n {
				t.Errorf("%s of %s to offer %d, want an answer to %d", s.Kind, s.PC, s.Offer, n)
			}
		}
	})
}

// A member answers an offer while the connection that it was for ends: a new one is offered.
func TestAnAnswerToAConnectionThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		a := w.client("ann").join("r", true, false)
		must(t, a.publish(SourceAudio))
		time.Sleep(time.Second)
		b := w.client("bob")
		var err error
		b.peer, err = w.sfu.Room("r").Join(PeerConfig{ID: "bob", Subscribe: true, Send: b.receive})
		must(t, err)
		first := <-b.signals
		b.peer.egress.Load().conn.Close()
		b.subscribe(first)
		b.negotiated.Go(b.negotiate)
		time.Sleep(2 * time.Second)
		if !b.wasRestarted(Subscribe) || b.got()["ann/audio"] == nil {
			t.Errorf("bob was told to begin anew: %v; he receives %d tracks", b.wasRestarted(Subscribe), len(b.got()))
		}
	})
}

func TestLeavingAtAnyMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{delay: 5 * time.Millisecond})
		defer w.close()
		b := w.client("bob").join("r", true, true)
		must(t, b.publish(SourceAudio, SourceCamera))
		for i := range 40 { // in the middle of ICE, of DTLS, and of an offer
			a := w.client("ann").join("r", true, true)
			must(t, a.publish(SourceAudio, SourceCamera))
			time.Sleep(time.Duration(i) * 3 * time.Millisecond)
			a.peer.Close()
			if n := len(w.sfu.Room("r").Publications()); n > 2 {
				t.Fatalf("%d publications are left", n)
			}
			a.leave()
		}
		a := w.client("ann").join("r", true, true)
		must(t, a.publish(SourceCamera))
		time.Sleep(3 * time.Second)
		if a.got()["bob/camera"] == nil || b.got()["ann/camera"] == nil {
			t.Errorf("ann receives %v, bob %v", a.offered(), b.offered())
		}
		st := a.peer.Stats()
		if len(st.Publications) != 1 || len(st.Subscribed) != 2 || !st.Paced || st.RTT == 0 || st.Target == 0 {
			t.Errorf("%+v", st)
		}
		if all := w.sfu.Stats(); all.Peers != 2 || all.Publications != 3 || all.Rooms != 1 || all.Transport.Conns != 4 {
			t.Errorf("%+v", all)
		}
	})
}

func TestRoomsDisappear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{})
		defer w.close()
		room := w.sfu.Room("r")
		if n := w.sfu.Rooms(); n != 0 {
			t.Errorf("%d rooms before anybody is there", n)
		}
		p, err := room.Join(PeerConfig{ID: "ann"})
		must(t, err)
		tap, err := room.Tap(SinkFunc(func(Event) {}))
		must(t, err)
		p.Close()
		if n := w.sfu.Rooms(); n != 1 {
			t.Errorf("%d rooms while there is a tap, want 1", n)
		}
		tap.Close()
		tap.Close()
		if n := w.sfu.Rooms(); n != 0 {
			t.Errorf("%d rooms when everybody has left", n)
		}
	})
}

func TestNamesAreChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, conditions{})
		defer w.close()
		for _, id := range []string{"", "a b", "a\r\nb", "a\x00", "é", strings.Repeat("a", 129)} {
			if _, err := w.sfu.Room("r").Join(PeerConfig{ID: id}); !errors.Is(err, ErrInvalidIdentity) {
				t.Errorf("member %q: %v", id, err)
			}
			if _, err := w.sfu.Room(id).Tap(SinkFunc(func(Event) {})); !errors.Is(err, ErrInvalidIdentity) {
				t.Errorf("room %q: %v", id, err)
			}
		}
	})
}

func ufrag(sdp string) string {
	_, rest, _ := strings.Cut(sdp, "a=ice-ufrag:")
	u, _, _ := strings.Cut(rest, "\r\n")
	return u
}
