package sfu

// vp8Descriptor is what a forwarder needs of a VP8 payload descriptor and header (RFC 7741 sections 4.2 and 4.3).
type vp8Descriptor struct {
	size      int    // bytes of the descriptor; the rest is VP8 data
	start     bool   // the packet begins a frame
	keyframe  bool   // the packet begins a key frame
	pictureAt int    // offset of PictureID, 0 if absent
	pictureID uint16 // without the width bit
	bits      int    // 7 or 15
	tl0At     int    // offset of TL0PICIDX, 0 if absent
	tl0       uint8
}

// parseVP8 reads a payload; it reports false for one that is cut short.
func parseVP8(b []byte) (d vp8Descriptor, ok bool) {
	if len(b) < 2 {
		return d, false
	}
	extended, s, partition := b[0]&0x80 != 0, b[0]&0x10 != 0, b[0]&0x07
	d.size = 1
	if extended && !d.readExtensions(b) {
		return d, false
	}
	if d.size >= len(b) {
		return d, false
	}
	d.start = s && partition == 0
	d.keyframe = d.start && b[d.size]&0x01 == 0
	return d, true
}

func (d *vp8Descriptor) readExtensions(b []byte) bool {
	flags := b[1]
	d.size = 2
	if flags&0x80 != 0 && !d.readPictureID(b) {
		return false
	}
	if flags&0x40 != 0 {
		if d.size >= len(b) {
			return false
		}
		d.tl0At, d.tl0 = d.size, b[d.size]
		d.size++
	}
	if flags&0x30 != 0 {
		d.size++
	}
	return true
}

func (d *vp8Descriptor) readPictureID(b []byte) bool {
	if d.size >= len(b) {
		return false
	}
	d.pictureAt, d.bits, d.pictureID = d.size, 7, uint16(b[d.size]&0x7f)
	d.size++
	if b[d.pictureAt]&0x80 == 0 {
		return true
	}
	if d.size >= len(b) {
		return false
	}
	d.bits, d.pictureID = 15, d.pictureID<<8|uint16(b[d.size])
	d.size++
	return true
}

// rewrite sets the two counters in a payload that d was read from.
func (d *vp8Descriptor) rewrite(b []byte, pictureID uint16, tl0 uint8) {
	switch {
	case d.pictureAt == 0:
	case d.bits == 15:
		b[d.pictureAt], b[d.pictureAt+1] = 0x80|byte(pictureID>>8), byte(pictureID)
	default:
		b[d.pictureAt] = byte(pictureID & 0x7f)
	}
	if d.tl0At != 0 {
		b[d.tl0At] = tl0
	}
}

// audioLevel reads the RFC 6464 extension: 0 is the loudest and 127 silence, in -dBov.
func audioLevel(ext []byte) (level uint8, ok bool) {
	if len(ext) < 1 {
		return 0, false
	}
	return ext[0] & 0x7f, true
}
