package codec

// maxReferences is how many frames one may refer to: AV1 has 7 references and those of other codecs are fewer.
const maxReferences = 8

// Descriptor is what the dependency descriptor of one packet says (AV1 RTP payload specification, appendix A).
type Descriptor struct {
	Begin, End  bool   // of the frame
	FrameNumber uint16 // of the frame in the stream
	Structure   bool   // the packet brings a new structure: it begins a coded video sequence
	Layer
	References int    // frames that this one refers to
	Active     Layers // decode targets that the sender produces now
	Present    Layers // those of which the frame is a part
	Switches   Layers // those that may be switched to here, if the frame can be decoded
	Size              // of the largest layer, if the structure says so

	diffs [maxReferences]uint16 // how many frames ago the referred ones were
}

// Dependency reads the dependency descriptors of one stream. It keeps the newest template structure and which decode targets are
// active; a value belongs to one goroutine at a time and its zero value is ready for use.
type Dependency struct {
	structure structure
	active    Layers
}

// Read reads the extension of one packet. It returns ErrNoStructure until a structure has come. Nothing changes if it fails.
func (d *Dependency) Read(ext []byte) (Descriptor, error) {
	if len(ext) < 3 {
		return Descriptor{}, ErrShort
	}
	desc := Descriptor{
		Begin: ext[0]&0x80 != 0, End: ext[0]&0x40 != 0, FrameNumber: uint16(ext[1])<<8 | uint16(ext[2]),
	}
	r := bits{b: ext, at: 24}
	var custom customFields
	s, active := &d.structure, d.active
	if len(ext) > 3 {
		structureFlag, activeFlag := r.flag(), r.flag()
		custom = customFields{targets: r.flag(), diffs: r.flag(), chains: r.flag()}
		if structureFlag {
			var fresh structure
			if err := fresh.read(&r); err != nil {
				return Descriptor{}, err
			}
			desc.Structure, s, active = true, &fresh, fresh.all
		}
		if activeFlag {
			active = s.readActive(&r)
		}
	}
	if s.templates == 0 {
		return Descriptor{}, ErrNoStructure
	}
	if err := desc.readFrame(&r, s, ext[0]&0x3f, custom); err != nil {
		return Descriptor{}, err
	}
	if desc.Structure {
		d.structure = *s
	}
	d.active, desc.Active, desc.Size = active, active, s.size
	return desc, nil
}

// customFields says what of a frame differs from its template.
type customFields struct{ targets, diffs, chains bool }

// readFrame reads frame_dependency_definition.
func (d *Descriptor) readFrame(r *bits, s *structure, id uint8, custom customFields) error {
	i := (id - s.offset) & 63
	if i >= s.templates {
		return ErrMalformed
	}
	t := &s.template[i]
	d.Layer, d.Present, d.Switches = t.Layer, t.present, t.switches
	d.References, d.diffs = int(t.references), t.diffs
	if custom.targets {
		d.Present, d.Switches = s.masks(s.readIndications(r))
	}
	if custom.diffs {
		if err := d.readDiffs(r); err != nil {
			return err
		}
	}
	if custom.chains {
		r.skip(8 * int(s.chains))
	}
	if r.short {
		return ErrShort
	}
	return nil
}

// readDiffs reads frame_fdiffs: numbers of 4, 8 or 12 bits.
func (d *Descriptor) readDiffs(r *bits) error {
	d.References, d.diffs = 0, [maxReferences]uint16{}
	for size := r.read(2); size != 0; size = r.read(2) {
		if d.References == maxReferences {
			return ErrMalformed
		}
		d.diffs[d.References] = uint16(r.read(4*int(size)) + 1) //nolint:gosec // 12 bits
		d.References++
	}
	return nil
}

// RewriteFrameNumber sets the frame number of an extension in place, after the source was changed: rtpmap.Picture maps it with 16
// bits. It must not close up after frames that were left out, for references are distances. It reports false for one that is cut short.
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
	f.number, f.references, f.diffs = dd.FrameNumber, uint8(dd.References), dd.diffs //nolint:gosec // at most 8
	f.SwitchUp = dd.Switches != 0
	f.Keyframe = dd.Begin && dd.Spatial == 0 && (f.Keyframe || dd.Structure && dd.References == 0)
	if dd.Structure && dd.Size != (Size{}) {
		f.Size = dd.Size
	}
	return f
}
