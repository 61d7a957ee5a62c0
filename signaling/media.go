package signaling

import (
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/sfu"
)

// aboutMedia reports whether a frame of a member is for their peer in a media room.
func aboutMedia(body any) bool {
	switch body.(type) {
	case event.RTCOffer, event.RTCAnswer, event.RTCCandidate, event.RTCRestart, event.RTCViews:
		return true
	}
	return false
}

// tellPeer hands a frame about media to a member's peer.
func tellPeer(peer *sfu.Peer, body any) error {
	if shown, ok := body.(event.RTCViews); ok {
		views, err := toViews(shown)
		if err == nil {
			peer.SetViews(views)
		}
		return err
	}
	s, err := toSignal(body)
	if err != nil {
		return err
	}
	return peer.Handle(s)
}

// Most pictures that a page shows, and the longest side of one in pixels.
const (
	maxViews = 64
	maxSide  = 16384
)

// toViews turns what a page shows into what the media room understands.
func toViews(body event.RTCViews) (map[string]sfu.View, error) {
	if len(body.Views) > maxViews {
		return nil, event.Errorf("too_many", "Your page shows more pictures than this server sends.")
	}
	views := make(map[string]sfu.View, len(body.Views))
	for publication, place := range body.Views {
		if min(place.Width, place.Height) < 0 || max(place.Width, place.Height) > maxSide {
			return nil, event.Errorf("invalid", "A picture has a size from 0 to 16384 pixels.")
		}
		views[publication] = sfu.View{Visible: place.Width > 0 && place.Height > 0, Width: place.Width, Height: place.Height}
	}
	return views, nil
}

// tellSignal sends what the media room says to a member. It does not block.
func tellSignal(to wire, s sfu.Signal, log *slog.Logger) {
	f, err := fromSignal(s)
	if err != nil {
		log.Error("cannot tell a member a signal", slog.Any("err", err))
		return
	}
	sendFrame(to, "", f)
}

// toSignal turns a frame into what the media room understands.
func toSignal(body any) (sfu.Signal, error) {
	switch f := body.(type) {
	case event.RTCOffer:
		sources := make(map[string]sfu.Source, len(f.Sources))
		for mid, source := range f.Sources {
			sources[mid] = sfu.Source(source)
		}
		return sfu.Signal{Kind: sfu.KindOffer, PC: sfu.PC(f.PC), SDP: f.SDP, Offer: f.Offer, Sources: sources}, nil
	case event.RTCAnswer:
		return sfu.Signal{Kind: sfu.KindAnswer, PC: sfu.PC(f.PC), SDP: f.SDP, Offer: f.Offer}, nil
	case event.RTCCandidate:
		init, err := json.Marshal(iceCandidate{f.Candidate, f.SDPMid, f.SDPMLineIndex})
		return sfu.Signal{Kind: sfu.KindCandidate, PC: sfu.PC(f.PC), Candidate: string(init)}, err
	case event.RTCRestart:
		return sfu.Signal{Kind: sfu.KindRestart, PC: sfu.PC(f.PC)}, nil
	}
	return sfu.Signal{}, event.Errorf("invalid", "This server does not understand that message.")
}

// iceCandidate is RTCIceCandidateInit.
type iceCandidate struct {
	Candidate     string `json:"candidate"`
	SDPMid        string `json:"sdpMid"`
	SDPMLineIndex int    `json:"sdpMLineIndex"`
}

// fromSignal turns what the media room says into a frame.
func fromSignal(s sfu.Signal) (event.Frame, error) {
	pc := event.PC(s.PC)
	switch s.Kind {
	case sfu.KindOffer:
		tracks := make(map[string]event.RTCTrack, len(s.Tracks))
		for mid, t := range s.Tracks {
			tracks[mid] = event.RTCTrack{Member: t.Member, Source: string(t.Source), Publication: t.Publication}
		}
		return event.RTCOffer{PC: pc, Offer: s.Offer, SDP: s.SDP, Tracks: tracks}, nil
	case sfu.KindAnswer:
		return event.RTCAnswer{PC: pc, Offer: s.Offer, SDP: s.SDP}, nil
	case sfu.KindRestart:
		return event.RTCRestart{PC: pc}, nil
	case sfu.KindWanted:
		return event.RTCWanted{Source: string(s.Source), Height: s.Height}, nil
	case sfu.KindCandidate:
		var init iceCandidate
		if err := json.Unmarshal([]byte(s.Candidate), &init); err != nil {
			return nil, err
		}
		return event.RTCCandidate{PC: pc, Candidate: init.Candidate, SDPMid: init.SDPMid, SDPMLineIndex: init.SDPMLineIndex}, nil
	}
	return nil, errors.New("unknown kind of signal " + string(s.Kind))
}

// signalProblem is what a member is told about a signal that was refused.
func signalProblem(err error) *event.Problem {
	var p *event.Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, sfu.ErrMayNotPublish):
		return event.Errorf("forbidden", "You watch this session. Raise your hand if you want to speak.")
	case errors.Is(err, sfu.ErrTooManySignals), errors.Is(err, sfu.ErrBusy):
		return event.Errorf("too_many", "Your browser sends more about its connection than this server takes. Reload the page.")
	case errors.Is(err, sfu.ErrSDPTooLarge), errors.Is(err, sfu.ErrTooManyMedia):
		return event.Errorf("too_large", "Your browser offers more media than this server takes. Reload the page.")
	case errors.Is(err, sfu.ErrUnexpected), errors.Is(err, sfu.ErrClosed):
		return event.Errorf("conflict", "That does not fit the state of the connection. A new try follows.")
	case errors.Is(err, sfu.ErrConnection):
		return event.Errorf("unavailable", "The connection for sound and pictures could not be set up. Reload the page.")
	}
	return event.Errorf("invalid", "This server cannot use what your browser offers. Try another browser.")
}
