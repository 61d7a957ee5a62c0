package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pausepoint/pausepoint/room/event"
)

// narrow dials with the smallest of windows and packets, so that little is under way to whoever does not read.
var narrow = net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
	var err error
	if failed := raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2048)
		if err == nil {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 536)
		}
	}); failed != nil {
		return failed
	}
	return err
}}

// Whoever does not read holds nobody up: they are disconnected once their queue is full, and come in again like anybody else.
func TestSlowReader(t *testing.T) {
	s := startFilled(t)
	amara := signedIn(t, s)
	id := amara.practiceSession()
	token := amara.link(id, event.Peer)
	ben, benID := s.guest(t, id, token, "Ben")
	a := amara.connect(id, agreed)
	d := websocket.Dialer{Jar: ben.client.Jar, NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return narrow.DialContext(ctx, network, addr)
	}}
	ws, _, err := d.DialContext(t.Context(), ben.callURL(id), http.Header{"Origin": {s.url}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.Close() }()
	if err := ws.WriteMessage(websocket.TextMessage, helloText(t)); err != nil {
		t.Fatal(err)
	}
	for loud := range 6 { // each as often as a browser may
		g, _ := s.guest(t, id, token, fmt.Sprintf("Guest %d", loud))
		c := g.connect(id, agreed)
		for range 250 {
			c.send(newID(t), event.MemberType{What: "note"})
		}
		c.do(event.MemberType{})
	}
	a.lost(benID)
	a.do(event.PlaybackSeek{Position: 1_000_000})
	if back := ben.connect(id, agreed); back.welcome.You != benID {
		t.Errorf("came back as %s", back.welcome.You)
	}
}
