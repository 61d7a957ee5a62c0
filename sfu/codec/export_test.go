package codec

// Visible returns f without what only the package sees, to compare.
func Visible(f Frame) Frame {
	f.pictureAt, f.tl0At, f.upFrom, f.upTo = 0, 0, 0, 0
	f.number, f.references, f.diffs = 0, 0, [maxReferences]uint16{}
	f.targets, f.present, f.switches = 0, 0, 0
	return f
}
