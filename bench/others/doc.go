// Command others measures whole servers beside each other: Pausepoint's, LiveKit's and Galène's programs as they are released, each
// on one core in its turn, with members played from another core. Members are PeerConnections of pion/webrtc with what these do by
// default, and speak each server's own signaling, so nothing of the load is of the servers' making.
//
//	others -livekit bin/livekit-server -galene /usr/local/bin/galene
//
// Servers whose program is not given are left out. Media needs an address that is not loopback, in MEDIA_HOST; scripts/apart gives
// one that nobody else reaches.
package main
