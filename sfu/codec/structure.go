package codec

const (
	maxTemplates = 64
	maxTargets   = 32
)

// Decode target indications (AV1 RTP payload specification, appendix A.8.3.3): 0 and 1 are "not present" and "discardable",
// 3 is "required".
const indicationSwitch = 2

// structure is a template dependency structure.
type structure struct {
	offset    uint8 // id of the first template
	templates uint8
	targets   uint8
	chains    uint8
	spatials  uint8 // the highest spatial layer
	template  [maxTemplates]template
	target    [maxTargets]Layer // of decode targets
	all       Layers            // of all decode targets
	size      Size              // of the largest layer, zero if it is not said
}

// template is what many frames have in common.
type template struct {
	Layer
	references        uint8
	diffs             [maxReferences]uint16
	present, switches Layers
}

// indications holds 2 bits for each decode target, the first in the lowest bits.
type indications uint64

// read reads template_dependency_structure into a zero value.
func (s *structure) read(r *bits) error {
	s.offset, s.targets = uint8(r.read(6)), uint8(r.read(5))+1 //nolint:gosec // 6 and 5 bits
	if err := s.readLayers(r); err != nil {
		return err
	}
	var seen [maxTemplates]indications
	for i := range s.templates {
		seen[i] = s.readIndications(r)
	}
	for i := range s.templates {
		if err := s.template[i].readDiffs(r); err != nil {
			return err
		}
	}
	s.skipChains(r)
	s.deriveTargets(&seen)
	if r.flag() {
		for range s.spatials + 1 {
			s.size = largerSize(s.size, Size{Width: int(r.read(16)) + 1, Height: int(r.read(16)) + 1})
		}
	}
	if r.short {
		return ErrShort
	}
	return nil
}

// readLayers reads template_layers: each template is in the layer of the one before, or in the next.
func (s *structure) readLayers(r *bits) error {
	var at Layer
	for {
		if s.templates == maxTemplates || at.Temporal > topTemporal || at.Spatial > 3 {
			return ErrMalformed
		}
		s.template[s.templates].Layer = at
		s.templates++
		switch r.read(2) {
		case 1:
			at.Temporal++
		case 2:
			at = Layer{Spatial: at.Spatial + 1}
		case 3:
			s.spatials = at.Spatial
			return nil
		}
		if r.short {
			return ErrShort
		}
	}
}

func (s *structure) readIndications(r *bits) (seen indications) {
	for i := range s.targets {
		seen |= indications(r.read(2)) << (2 * i)
	}
	return seen
}

// readDiffs reads template_fdiffs of one template.
func (t *template) readDiffs(r *bits) error {
	for r.flag() {
		if t.references == maxReferences {
			return ErrMalformed
		}
		t.diffs[t.references] = uint16(r.read(4) + 1) //nolint:gosec // 4 bits
		t.references++
	}
	return nil
}

// skipChains skips template_chains: whether a frame can be decoded is told from its references.
func (s *structure) skipChains(r *bits) {
	s.chains = uint8(r.nonSymmetric(uint32(s.targets) + 1)) //nolint:gosec // at most 32
	if s.chains == 0 {
		return
	}
	for range s.targets {
		r.nonSymmetric(uint32(s.chains))
	}
	r.skip(4 * int(s.templates) * int(s.chains))
}

// deriveTargets finds the layer of each decode target: the highest of the frames that belong to it.
func (s *structure) deriveTargets(seen *[maxTemplates]indications) {
	for i := range s.targets {
		for j := range s.templates {
			if seen[j]>>(2*i)&3 != 0 {
				s.target[i].Spatial = max(s.target[i].Spatial, s.template[j].Spatial)
				s.target[i].Temporal = max(s.target[i].Temporal, s.template[j].Temporal)
			}
		}
		s.all = s.all.with(s.target[i])
	}
	for j := range s.templates {
		s.template[j].present, s.template[j].switches = s.masks(seen[j])
	}
}

// masks turns indications into the layers of the decode targets.
func (s *structure) masks(seen indications) (present, switches Layers) {
	for i := range s.targets {
		switch seen >> (2 * i) & 3 {
		case 0:
		case indicationSwitch:
			switches = switches.with(s.target[i])
			present = present.with(s.target[i])
		default:
			present = present.with(s.target[i])
		}
	}
	return present, switches
}

// readActive reads active_decode_targets_bitmask; the lowest bit is the first target.
func (s *structure) readActive(r *bits) (active Layers) {
	mask := r.read(int(s.targets))
	for i := range s.targets {
		if mask>>i&1 != 0 {
			active = active.with(s.target[i])
		}
	}
	return active
}
