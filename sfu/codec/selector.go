package codec

// Selector chooses, packet by packet, what of one stream with layers one subscriber gets. It takes only what can be decoded: fewer
// layers from the next picture on, more from where the stream allows it. A value belongs to one goroutine at a time; the zero value
// wants the base layer alone.
//
// It is to be asked from a key frame on: the first packet it sees begins one.
type Selector struct {
	want, current Layer
	goal          Layer // the highest of the stream that is not above want
	stuck         bool  // a frame at which to change came, but needs frames that were not sent
	sent          sentFrames
}

// Want sets the layer to strive for. It may be above what the stream has: Layer{7, 7} is all.
func (s *Selector) Want(l Layer) {
	if s.want != l {
		s.want, s.stuck = l, false
	}
}

// Current is the layer that is sent.
func (s *Selector) Current() Layer { return s.current }

// NeedsKeyframe reports whether only a key frame brings what is wanted: more spatial layers, or other ones that depend on nothing
// that was sent.
func (s *Selector) NeedsKeyframe() bool { return s.goal.Spatial > s.current.Spatial || s.stuck }

// Reset forgets the stream, when the source was changed: the next packet begins a key frame.
func (s *Selector) Reset() { *s = Selector{want: s.want} }

// Next says whether the packet of f is sent, and with which marker: without the upper spatial layers, another packet is the last of
// the picture. A packet that is not sent is for rtpmap.Sequence.Drop, and one of VP8 for rtpmap.Picture.Drop too.
func (s *Selector) Next(f *Frame, marker bool) (send, outMarker bool) {
	if f.Begin {
		s.adapt(f)
	}
	send = s.takes(f)
	if send && f.Begin {
		s.sent.add(f.number, f.Keyframe)
	}
	return send, send && (marker || f.End && f.Spatial == s.current.Spatial)
}

func (s *Selector) takes(f *Frame) bool {
	if f.targets == 0 {
		return f.Spatial <= s.current.Spatial && f.Temporal <= s.current.Temporal
	}
	return f.present.Has(s.current)
}

func (s *Selector) adapt(f *Frame) {
	switch {
	case f.targets != 0:
		s.adaptTarget(f)
	case f.Keyframe:
		s.goal, s.current = s.want, s.want
	case f.Spatial == 0:
		s.adaptLayers(f)
	}
}

// adaptLayers follows the payload descriptors of VP8 and VP9. Lower layers never depend on higher ones. A spatial layer is added
// at a key frame only: elsewhere the picture's marker has gone out already.
func (s *Selector) adaptLayers(f *Frame) {
	s.goal = s.want
	s.current.Spatial = min(s.current.Spatial, s.want.Spatial)
	s.current.Temporal = min(s.current.Temporal, s.want.Temporal)
	if f.SwitchUp && s.current.Temporal >= f.upFrom {
		s.current.Temporal = max(s.current.Temporal, min(s.want.Temporal, f.upTo))
	}
}

// adaptTarget follows the dependency descriptor: a decode target is changed at a frame that is marked as a switch to the new one and
// refers to frames that were sent only.
func (s *Selector) adaptTarget(f *Frame) {
	goal, ok := f.targets.Best(s.want)
	if !ok {
		return
	}
	s.goal = goal
	switch {
	case goal == s.current, f.Keyframe, f.switches.Has(goal) && s.sent.has(f):
		s.current, s.stuck = goal, false
	case f.switches.Has(goal):
		s.stuck = true
	}
}

// sentFrames remembers which of the newest 64 frames were sent, by their numbers.
type sentFrames struct {
	newest uint16
	bits   uint64 // bit i is frame newest - i
}

// add notes a frame; after a key frame nothing before it counts.
func (s *sentFrames) add(n uint16, keyframe bool) {
	ahead := n - s.newest
	switch {
	case keyframe || s.bits == 0:
		*s = sentFrames{newest: n, bits: 1}
	case ahead == 0:
	case ahead < 1<<15:
		s.newest, s.bits = n, s.bits<<ahead|1
	case -ahead < 64:
		s.bits |= 1 << -ahead
	}
}

// has reports whether all frames were sent that f refers to.
func (s *sentFrames) has(f *Frame) bool {
	for _, diff := range f.diffs[:f.references] {
		ago := s.newest - (f.number - diff)
		if ago >= 64 || s.bits>>ago&1 == 0 {
			return false
		}
	}
	return true
}
