package codec

// Selector chooses, packet by packet, what of one stream with layers one subscriber gets. It only ever takes what can be decoded:
// fewer layers from the next picture on, more from where the stream allows it. It belongs to one goroutine at a time; its
// zero value wants the base layer alone.
//
// It begins at a key frame only if the caller does: it is to be asked from a key frame on.
type Selector struct {
	want, current Layer
	// changed since the stream was described, or ever: see Reset.
	started bool
}

// Want sets the layer to strive for: it may be above what the stream has. Layer{7, 7} is all.
func (s *Selector) Want(l Layer) { s.want = l }

// Current is the layer that is sent, or the last wanted before anything was sent.
func (s *Selector) Current() Layer { return s.current }

// Next says whether the packet of f is sent, and with which marker: with upper spatial layers left out, another packet is the
// last of the picture. The packets that are not sent are for rtpmap.Sequence.Drop, and of VP8 for rtpmap.Picture.Drop.
func (s *Selector) Next(f *Frame, marker bool) (send, outMarker bool) { return true, marker }

// NeedsKeyframe reports whether only a key frame can bring more: a wanted spatial layer, or a way out of a layer that ended.
func (s *Selector) NeedsKeyframe() bool { return false }

// Reset forgets the stream: the source was changed, and the next frame is a key frame.
func (s *Selector) Reset() { *s = Selector{want: s.want} }
