package event

// Hello is the client's first frame.
type Hello struct {
	Consent Consent `json:"consent"` // agreed or declined; empty when the session is not to be recorded
	Mic     bool    `json:"mic"`
	Camera  bool    `json:"camera"`

	// Page names one load of the client's page, at most 64 bytes, and Attempt counts its connections: what was held up on its way does
	// not take the place of a later one. A client without them is always let in.
	Page    string `json:"page,omitempty"`
	Attempt int64  `json:"attempt,omitempty"`
}

// Ping measures the clock and keeps the connection.
type Ping struct {
	T0  float64 `json:"t0"`            // the client's clock, ms
	RTT float64 `json:"rtt,omitempty"` // a long round trip of late, ms
}

// Welcome answers Hello: the whole state.
type Welcome struct {
	You  string   `json:"you"` // member
	May  []Action `json:"may"`
	Seq  int64    `json:"seq"` // of the last event in View
	Now  float64  `json:"now"` // session time, ms
	View View     `json:"view"`
}

// Pong answers Ping.
type Pong struct {
	T0 float64 `json:"t0"`
	T1 float64 `json:"t1"` // session time at receipt, ms
	T2 float64 `json:"t2"` // session time at sending, ms
}

// Answered answers the command that the frame's id names. Without an error, what it did is durable.
type Answered struct {
	Error *Problem `json:"error,omitempty"`
}

// Bye is the server's last frame before it closes.
type Bye struct {
	Reason  string `json:"reason"` // replaced, removed, signed_out, ended, left, restarting, unavailable, too_fast, too_slow, full, invalid
	Message string `json:"message"`
}

// PC names one of a member's two PeerConnections.
type PC string

// The two.
const (
	PublishPC   PC = "publish"
	SubscribePC PC = "subscribe"
)

// RTCTrack tells whose media an m-line of a subscribe offer carries.
type RTCTrack struct {
	Member      string `json:"member"`
	Source      string `json:"source"`
	Publication string `json:"publication"`
}

// RTCOffer is a session description offer, in either direction. Whoever offers counts its offers on that connection, and on those that
// follow it, from 1.
type RTCOffer struct {
	PC      PC                  `json:"pc"`
	Offer   uint32              `json:"offer"`
	SDP     string              `json:"sdp"`
	Sources map[string]string   `json:"sources,omitempty"` // publish: mid to source
	Tracks  map[string]RTCTrack `json:"tracks,omitempty"`  // subscribe: mid to track
}

// RTCAnswer answers the RTCOffer of that number.
type RTCAnswer struct {
	PC    PC     `json:"pc"`
	Offer uint32 `json:"offer"`
	SDP   string `json:"sdp"`
}

// RTCCandidate is one trickled ICE candidate; an empty candidate ends them.
type RTCCandidate struct {
	PC            PC     `json:"pc"`
	Candidate     string `json:"candidate"`
	SDPMid        string `json:"sdpMid"`
	SDPMLineIndex int    `json:"sdpMLineIndex"`
}

// RTCRestart asks for a new try of a connection that failed.
type RTCRestart struct {
	PC PC `json:"pc"`
}

// RTCViews says which publications the member's page shows, and how large. It names all of them each time.
type RTCViews struct {
	Views map[string]RTCPlace `json:"views"` // by publication; nothing is known of one that is left out
}

// RTCPlace is the place that a picture has on the member's screen, in the screen's pixels. 0 by 0 is not shown.
type RTCPlace struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

// RTCWanted says how tall the tallest place is in which anybody shows a picture of the member's, in pixels: 0 if nobody does,
// 16384 where the best is wanted.
type RTCWanted struct {
	Source string `json:"source"` // camera or screen
	Height int    `json:"height"`
}

// RTCRelays names TURN servers, for whose network keeps media out.
type RTCRelays struct {
	Servers []RTCRelay `json:"servers"`
}

// RTCRelay is an RTCIceServer: TURN servers that take the same credentials.
type RTCRelay struct {
	URLs       []string `json:"urls"` // RFC 7065
	Username   string   `json:"username"`
	Credential string   `json:"credential"`
}

// Frame is anything else than a command or an event that a connection carries.
type Frame interface{ frame() string }

func (Hello) frame() string        { return "hello" }
func (Ping) frame() string         { return "ping" }
func (Welcome) frame() string      { return "welcome" }
func (Pong) frame() string         { return "pong" }
func (Answered) frame() string     { return "reply" }
func (Bye) frame() string          { return "bye" }
func (RTCOffer) frame() string     { return "rtc.offer" }
func (RTCAnswer) frame() string    { return "rtc.answer" }
func (RTCCandidate) frame() string { return "rtc.candidate" }
func (RTCRestart) frame() string   { return "rtc.restart" }
func (RTCViews) frame() string     { return "rtc.views" }
func (RTCWanted) frame() string    { return "rtc.wanted" }
func (RTCRelays) frame() string    { return "rtc.relays" }

// Frames lists one value of every frame type.
func Frames() []Frame {
	return []Frame{
		Hello{},
		Ping{},
		Welcome{},
		Pong{},
		Answered{},
		Bye{},
		RTCOffer{},
		RTCAnswer{},
		RTCCandidate{},
		RTCRestart{},
		RTCViews{},
		RTCWanted{},
		RTCRelays{},
	}
}
