// Package wire is what the load generator and the servers under test say to each other: JSON messages on a TCP connection for each
// participant.
package wire

import (
	"encoding/json"
	"io"
	"sync"
)

// Message is one line in either direction; one field is set.
type Message struct {
	Join   *Join   `json:"join,omitempty"`   // first, from the participant
	Joined *Joined `json:"joined,omitempty"` // the answer to it
	Signal *Signal `json:"signal,omitempty"`
	Error  string  `json:"error,omitempty"` // the server refuses; the connection ends
}

// Join asks to be let into a room.
type Join struct {
	Room      string `json:"room"`
	Member    string `json:"member"`
	Publish   bool   `json:"publish"`
	Subscribe bool   `json:"subscribe"`
	Plain     *Plain `json:"plain,omitempty"`
}

// Joined says that the participant is in the room.
type Joined struct {
	// Plain is set by servers without WebRTC: media comes at once, encrypted with the keys of the join.
	Plain bool `json:"plain,omitempty"`
}

// Plain is where a server without WebRTC sends to, with what SRTP key (AEAD_AES_128_GCM).
type Plain struct {
	Addr string `json:"addr"`
	Key  []byte `json:"key"`
	Salt []byte `json:"salt"`
}

// Signal is a step of the negotiation: an offer, an answer or a restart of the publish or the subscribe connection.
type Signal struct {
	Kind    string            `json:"kind"`
	PC      string            `json:"pc"`
	SDP     string            `json:"sdp,omitempty"`
	Offer   uint32            `json:"offer,omitempty"`
	Sources map[string]string `json:"sources,omitempty"` // of a publish offer: audio or camera, by mid
}

// Conn reads and writes messages. Any goroutine may write.
type Conn struct {
	rw  io.ReadWriteCloser
	dec *json.Decoder
	mu  sync.Mutex
	enc *json.Encoder
}

// NewConn speaks over rw.
func NewConn(rw io.ReadWriteCloser) *Conn {
	return &Conn{rw: rw, dec: json.NewDecoder(rw), enc: json.NewEncoder(rw)}
}

// Read returns the next message.
func (c *Conn) Read() (Message, error) {
	var m Message
	err := c.dec.Decode(&m)
	return m, err
}

// Write sends a message.
func (c *Conn) Write(m Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.enc.Encode(m)
}

// Close ends the connection.
func (c *Conn) Close() error { return c.rw.Close() }
