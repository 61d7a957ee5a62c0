package sfu

import (
	"github.com/pausepoint/pausepoint/sfu/codec"
	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// payloadType is what a packet with that payload type carries.
type payloadType struct {
	kind  codec.Kind
	codec *negotiate.Codec
	rtx   bool // the kind is sent again
}

// extensionIDs are those of the connection; 0 where one is not used.
type extensionIDs struct{ mid, rid, repaired, level, transportCC, orientation, dependency uint8 }

// slot is a media section on which the member may send.
type slot struct {
	mid     string
	rids    []string
	pub     *Publication // nil while it is not published
	arrived bool         // the peer knows that packets come
}

// configure takes what was negotiated. live are the publications by mid: a slot without one is not published.
func (c *publishConn) configure(o *negotiate.Offer, live map[string]*Publication) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.named)
	offered := make(map[string]bool, len(o.Sections))
	for i := range o.Sections {
		s := &o.Sections[i]
		offered[s.MID] = true
		if s.Accepted {
			c.section(s, live[s.MID])
		} else if old := c.slots[s.MID]; old != nil {
			old.pub = nil
		}
	}
	for mid, old := range c.slots {
		if !offered[mid] {
			old.pub = nil
			delete(c.slots, mid)
		}
	}
}

func (c *publishConn) section(s *negotiate.Section, pub *Publication) {
	for i := range s.Codecs {
		t := payloadType{kind: codec.KindOf(s.Codecs[i].MimeType), codec: &s.Codecs[i]}
		c.types[t.codec.PayloadType&127] = t
		if t.codec.RTX != 0 {
			t.rtx = true
			c.types[t.codec.RTX&127] = t
		}
	}
	for _, e := range s.Extensions {
		if id := c.ids.of(e.URI); id != nil {
			*id = e.ID
		}
	}
	at := c.slots[s.MID]
	if at == nil {
		at = &slot{mid: s.MID}
		c.slots[s.MID] = at
	}
	at.rids = s.RIDs
	c.fill(at, pub)
	for layer, ssrc := range s.SSRCs[:min(len(s.SSRCs), max(len(s.RIDs), 1))] {
		c.named[ssrc] = &inStream{slot: at, layer: layer}
		for repair, primary := range s.Repairs {
			if primary == ssrc {
				c.named[repair] = &inStream{slot: at, layer: layer, rtx: true}
			}
		}
	}
}

// of is where the id of an extension belongs; nil for one that is of no use here.
func (ids *extensionIDs) of(uri string) *uint8 {
	return map[string]*uint8{
		negotiate.ExtMID: &ids.mid, negotiate.ExtRID: &ids.rid, negotiate.ExtRepairedRID: &ids.repaired,
		negotiate.ExtAudioLevel: &ids.level, negotiate.ExtTransportCC: &ids.transportCC,
		negotiate.ExtOrientation: &ids.orientation, negotiate.ExtDependency: &ids.dependency,
	}[uri]
}

// fill puts a publication, or none, into a slot. Its streams are kept, since packets say where they belong only in the
// beginning; those whose place was taken may come back.
func (c *publishConn) fill(s *slot, pub *Publication) {
	if s.pub == pub {
		return
	}
	s.pub, s.arrived = pub, false
	if pub == nil {
		return
	}
	for ssrc, in := range c.streams {
		switch {
		case in.slot != s:
		case in.dead || in.layer >= len(pub.layers):
			delete(c.streams, ssrc)
		case !in.rtx:
			pub.layers[in.layer].takeover(ssrc)
		}
	}
}

// renew replaces the publication of a slot, if it is still old.
func (c *publishConn) renew(old, next *Publication) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.slots {
		if s.pub == old {
			c.fill(s, next)
		}
	}
}

// shut ends the way of packets; the connection is closed after it.
func (c *publishConn) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}
