package sfu

// PeerStats are what is known of every member's connections, in no order. It may be called at any time; its cost grows with the
// publications of each room times its members.
func (s *SFU) PeerStats() []PeerStats {
	s.mu.Lock()
	rooms := make([]*liveRoom, 0, len(s.rooms))
	for _, r := range s.rooms {
		rooms = append(rooms, r)
	}
	s.mu.Unlock()
	var all []PeerStats
	for _, r := range rooms {
		for _, p := range r.members() {
			all = append(all, p.Stats())
		}
	}
	return all
}
