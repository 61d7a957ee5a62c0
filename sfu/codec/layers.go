package codec

// topTemporal is the highest temporal layer that any format can name.
const topTemporal = 7

// Layers is a set of layers of the dependency descriptor: 4 spatial of 8 temporal ones each.
type Layers uint32

func (s Layers) with(l Layer) Layers { return s | 1<<(l.Spatial&3*8+l.Temporal&7) }

// Has reports whether l is in the set.
func (s Layers) Has(l Layer) bool {
	return l.Spatial < 4 && l.Temporal < 8 && s&(1<<(l.Spatial*8+l.Temporal)) != 0
}

// Best returns the highest layer of the set that is in no dimension above limit: the most pixels first, then the most frames.
func (s Layers) Best(limit Layer) (best Layer, ok bool) {
	for spatial := int(min(limit.Spatial, 3)); spatial >= 0; spatial-- {
		for temporal := int(min(limit.Temporal, topTemporal)); temporal >= 0; temporal-- {
			l := Layer{Spatial: uint8(spatial), Temporal: uint8(temporal)} //nolint:gosec // at most 7
			if s.Has(l) {
				return l, true
			}
		}
	}
	return Layer{}, false
}
