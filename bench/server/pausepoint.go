package server

import (
	"log/slog"
	"os"

	"github.com/pausepoint/pausepoint/bench/wire"
	"github.com/pausepoint/pausepoint/sfu"
)

// pausepoint is package sfu as it is.
type pausepoint struct{ sfu *sfu.SFU }

func newPausepoint() (*pausepoint, error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := sfu.New(sfu.Config{UDPAddr: "127.0.0.1:0", Logger: log})
	if err != nil {
		return nil, err
	}
	return &pausepoint{sfu: s}, nil
}

func (p *pausepoint) close() error { return p.sfu.Close() }

func (p *pausepoint) join(j *wire.Join, send func(wire.Message)) (participant, error) {
	return enter(p.sfu.Room(j.Room), j, send)
}

func enter(room *sfu.Room, j *wire.Join, send func(wire.Message)) (participant, error) {
	peer, err := room.Join(sfu.PeerConfig{
		ID: j.Member, Publish: j.Publish, Subscribe: j.Subscribe,
		Send: func(s sfu.Signal) {
			send(wire.Message{Signal: &wire.Signal{Kind: string(s.Kind), PC: string(s.PC), SDP: s.SDP, Offer: s.Offer}})
		},
	})
	if err != nil {
		return nil, err
	}
	return pausepointPeer{peer}, nil
}

type pausepointPeer struct{ peer *sfu.Peer }

func (p pausepointPeer) signal(s *wire.Signal) error {
	sources := make(map[string]sfu.Source, len(s.Sources))
	for mid, source := range s.Sources {
		sources[mid] = sfu.Source(source)
	}
	return p.peer.Handle(sfu.Signal{Kind: sfu.Kind(s.Kind), PC: sfu.PC(s.PC), SDP: s.SDP, Offer: s.Offer, Sources: sources})
}

func (p pausepointPeer) leave() { p.peer.Close() }
