package sfu

import (
	"maps"
	"time"
)

// View is how a member's client displays a publication.
type View struct {
	Visible bool
	// Width and Height are those of its place on the screen, in physical pixels; 0 stands for unknown.
	Width, Height int
	// Pinned puts it before others of its kind.
	Pinned bool
}

// SetViews says what the member's client displays, by publication; it replaces what was said before. What is not among them is taken for
// visible, and of unknown size. It may be called at any time, and never blocks.
func (p *Peer) SetViews(views map[string]View) {
	p.viewsMu.Lock()
	p.views = maps.Clone(views)
	p.viewsMu.Unlock()
	p.box.post(viewsChanged{})
}

func (p *Peer) currentViews() map[string]View {
	p.viewsMu.Lock()
	defer p.viewsMu.Unlock()
	return p.views
}

// setViews takes new views; the peer's goroutine calls it.
func (e *egress) setViews(views map[string]View) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.views = views
	e.decidedAt = time.Time{} // decide at the next beat
}
