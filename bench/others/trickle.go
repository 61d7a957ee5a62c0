package main

import "github.com/pion/webrtc/v4"

// trickled is a connection whose server's candidates come one by one, perhaps before its description.
type trickled struct {
	pc    *webrtc.PeerConnection
	knows bool // the server's description
	early []webrtc.ICECandidateInit
}

// described takes the server's description by take, and then the candidates that came before.
func (t *trickled) described(take func(*webrtc.PeerConnection) error) error {
	if err := take(t.pc); err != nil {
		return err
	}
	t.knows = true
	for _, c := range t.early {
		if err := t.pc.AddICECandidate(c); err != nil {
			return err
		}
	}
	t.early = nil
	return nil
}

// candidate takes one; nil or an empty one ends them.
func (t *trickled) candidate(c *webrtc.ICECandidateInit) error {
	switch {
	case c == nil || c.Candidate == "":
		return nil
	case !t.knows:
		t.early = append(t.early, *c)
		return nil
	}
	return t.pc.AddICECandidate(*c)
}
