package transport

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"

	"github.com/pion/stun/v4"
)

const (
	maxPaths         = 16                 // per connection; the one not heard for longest goes
	steadyNomination = int64(1e9)         // ns: a nomination is not undone by one of lower rank for so long
	maxUsername      = 513                // bytes, RFC 8489 section 14.3
	required         = 0x8000             // attribute types below must be understood (RFC 8489 section 14)
	staleAfter       = int64(silentAfter) // ns: then any path that is alive is better
)

// generation is one set of ICE credentials of a connection.
type generation struct {
	conn       *Conn
	ufrag, pwd string
}

// newGeneration makes credentials of 40 and 130 random bits (RFC 8445 section 5.3).
func newGeneration(c *Conn) *generation {
	text := rand.Text()
	return &generation{conn: c, ufrag: text[:8], pwd: rand.Text()}
}

// check is what a connectivity check says (RFC 8445 section 7.1).
type check struct {
	ufrag     []byte
	priority  uint32
	nominates bool
	conflict  bool // it comes from an agent that is controlled, as this one is
	unknown   stun.UnknownAttributes
}

// parseCheck reads a Binding request, and reports false for anything else. Authentic it is only after stun.MessageIntegrity.Check.
// Attributes behind MESSAGE-INTEGRITY are not authentic: Decode leaves them out.
func parseCheck(m *stun.Message) (check, bool) {
	var c check
	if err := m.Decode(); err != nil || m.Type != stun.BindingRequest || int(m.Length)+20 != len(m.Raw) {
		return c, false
	}
	for _, a := range m.Attributes {
		switch a.Type {
		case stun.AttrUsername:
			local, _, ok := bytes.Cut(a.Value, []byte{':'})
			if !ok || len(a.Value) > maxUsername {
				return c, false
			}
			c.ufrag = local
		case stun.AttrPriority:
			if len(a.Value) != 4 {
				return c, false
			}
			c.priority = binary.BigEndian.Uint32(a.Value)
		case stun.AttrUseCandidate:
			c.nominates = true
		case stun.AttrICEControlled:
			c.conflict = true
		case stun.AttrMessageIntegrity:
		default:
			if a.Type < required {
				c.unknown = append(c.unknown, a.Type)
			}
		}
	}
	return c, c.ufrag != nil && stun.Fingerprint.Check(m) == nil
}

// check answers a connectivity check, if it is one for a live generation; otherwise it says nothing at all.
func (r *reader) check(raw []byte, from source, arrival time.Time) bool {
	r.request.Raw = append(r.request.Raw[:0], raw...)
	c, ok := parseCheck(r.request)
	if !ok {
		return false
	}
	g := r.net.generation(c.ufrag)
	if g == nil || stun.NewShortTermIntegrity(g.pwd).Check(r.request) != nil {
		return false
	}
	var p *path
	if c.conflict || len(c.unknown) != 0 {
		p = newPath(g.conn, from)
	} else if p = g.conn.checked(g, from, c, r.net.instant(arrival)); p == nil {
		return false
	}
	r.answer(p, g, c)
	return true
}

// answer puts the response into the batch (RFC 8445 section 7.3).
func (r *reader) answer(p *path, g *generation, c check) {
	m := r.response
	m.TransactionID = r.request.TransactionID
	kind := stun.BindingError
	var says []stun.Setter
	switch {
	case len(c.unknown) != 0:
		says = []stun.Setter{stun.CodeUnknownAttribute, c.unknown}
	case c.conflict:
		says = []stun.Setter{stun.CodeRoleConflict}
	default:
		kind = stun.BindingSuccess
		says = []stun.Setter{&stun.XORMappedAddress{IP: p.remote.Addr().AsSlice(), Port: int(p.remote.Port())}}
	}
	setters := append([]stun.Setter{stun.NewTransactionIDSetter(m.TransactionID), kind}, says...)
	setters = append(setters, stun.NewShortTermIntegrity(g.pwd), stun.Fingerprint)
	if err := m.Build(setters...); err != nil {
		return // too many unknown attributes, say
	}
	r.batch.commit(p, append(r.batch.room(len(m.Raw)), m.Raw...))
}

// checked notes an authentic check, and chooses the path that packets take.
func (c *Conn) checked(g *generation, from source, what check, now int64) *path {
	c.mu.Lock()
	if c.closed || g != c.current && g != c.next {
		c.mu.Unlock()
		return nil
	}
	p := c.pathFrom(from, now)
	if p != nil {
		p.rank = rankOf(from, what.priority)
		if c.prefers(p, g, what.nominates, now) {
			c.selected.Store(p)
		}
		if what.nominates {
			p.nominated = now
			c.adopt(g)
		}
		c.mayHandshake()
	}
	c.mu.Unlock()
	if p != nil {
		c.hear(p, now)
	}
	return p
}

// prefers reports whether p should be the selected path. A member that nominates aggressively does so for several: the highest rank
// wins (RFC 5245 section 8.1.1.2). One that nominates again means it, also a lower one; and its network may change without.
func (c *Conn) prefers(p *path, g *generation, nominates bool, now int64) bool {
	old := c.selected.Load()
	switch {
	case old == p:
		return false
	case old != nil && now-old.heard.Load() > staleAfter:
		return true
	case !nominates:
		return false
	case old == nil || g == c.next:
		return true
	}
	return p.rank >= old.rank || now-old.nominated > steadyNomination
}

// adopt makes the new generation the only one, once it nominated.
func (c *Conn) adopt(g *generation) {
	if g != c.next {
		return
	}
	c.net.unregister(c.current)
	c.current, c.next = c.next, nil
}

// pathFrom finds or makes the path from a source that passed a check. It is nil for one that another Conn uses, and that is alive: a
// member could otherwise take the others' addresses by checks with a forged source.
func (c *Conn) pathFrom(from source, now int64) *path {
	for _, p := range c.paths {
		if p.source == from && from.path() == p {
			return p
		}
	}
	other := from.path()
	if other != nil && other.conn != c && other.conn.selected.Load() == other && now-other.heard.Load() < staleAfter {
		return nil
	}
	p := newPath(c, from)
	p.heard.Store(now)
	if from.tcp != nil {
		if !from.tcp.authenticate(p) {
			return nil
		}
	} else {
		from.local.add(p)
	}
	c.paths = append(c.paths, p)
	c.evict()
	return p
}

func (c *Conn) evict() {
	if len(c.paths) <= maxPaths {
		return
	}
	oldest := -1
	for i, p := range c.paths {
		if p != c.selected.Load() && (oldest < 0 || p.heard.Load() < c.paths[oldest].heard.Load()) {
			oldest = i
		}
	}
	c.paths[oldest].close()
	c.paths = slices.Delete(c.paths, oldest, oldest+1)
}
