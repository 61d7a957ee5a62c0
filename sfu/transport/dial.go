package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/stun/v4"
)

const (
	checkInterval   = 50 * time.Millisecond // until the other server has answered
	consentInterval = time.Second
	hostPriority    = typePreferenceU<<24 | 65535<<8 | (256 - componentRTP)
)

// dialing is the calling end of a connection between two servers. Both are ICE-lite, and neither would send checks: the one that
// calls does, and controls (RFC 8445 section 6.1.1). It has a socket of its own: between two sockets there is room for one
// connection only.
type dialing struct {
	conn   *Conn
	local  *local
	remote Remote
	addrs  []netip.AddrPort // that may be the other server's
	tie    []byte
	quit   chan struct{} // closed with the socket
}

// Dial connects to another server, instead of waiting for a member as Start does: to whichever of its addresses answers. It is called
// once. The errors are those of Start, and those of opening a socket.
func (c *Conn) Dial(r Remote, addrs []netip.AddrPort) error {
	if _, err := parseRemote(r); err != nil {
		return err
	}
	l, addrs, err := c.net.openCaller(c, addrs)
	if err != nil {
		return fmt.Errorf("transport: open a socket to another server: %w", err)
	}
	d := &dialing{
		conn: c, local: l, remote: r, addrs: addrs, quit: make(chan struct{}),
		tie: binary.BigEndian.AppendUint64(nil, rand.Uint64()),
	}
	if !c.call(d) {
		return errors.Join(ErrClosed, l.close())
	}
	return c.Start(r)
}

// openCaller opens a socket for one connection, and returns which of the addresses can be reached from it.
func (n *Network) openCaller(c *Conn, addrs []netip.AddrPort) (*local, []netip.AddrPort, error) {
	if len(addrs) == 0 {
		return nil, nil, errNoAddress
	}
	from := n.bound
	if !from.IsValid() {
		from = netip.IPv4Unspecified()
		if addrs[0].Addr().Is6() {
			from = netip.IPv6Unspecified()
		}
	}
	reachable := slices.DeleteFunc(slices.Clone(addrs), func(a netip.AddrPort) bool { return a.Addr().Is4() != from.Is4() })
	if len(reachable) == 0 {
		return nil, nil, errNoAddress
	}
	l, err := openLocal(n.machine, netip.AddrPortFrom(from, 0), 1)
	if err != nil {
		return nil, nil, err
	}
	l.caller = c
	return l, reachable, nil
}

// call begins to read and to check; it reports false if the connection is closed.
func (c *Conn) call(d *dialing) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.calling != nil {
		return false
	}
	c.calling = d
	c.reading.Go(func() { c.net.read(d.local, d.local.sockets[0], 0, d.quit) })
	c.done.Go(d.run)
	return true
}

// hangUp closes the socket of a connection that called.
func (c *Conn) hangUp() {
	c.mu.Lock()
	d := c.calling
	c.mu.Unlock()
	if d != nil {
		close(d.quit)
		_ = d.local.close() // nothing is sent any more
		c.reading.Wait()
	}
}

// run sends checks until the connection ends: to every address until one answers, and then to that one, which keeps the consent of the
// other server and shows that it is there (RFC 7675).
func (d *dialing) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-d.conn.life.Done():
			return
		}
		if p := d.conn.selected.Load(); p != nil {
			d.check(p)
			timer.Reset(consentInterval)
			continue
		}
		for _, a := range d.addrs {
			d.check(newPath(d.conn, source{local: d.local, remote: a}))
		}
		timer.Reset(checkInterval)
	}
}

// check sends a Binding request that nominates (RFC 8445 sections 7.1 and 7.2.2).
func (d *dialing) check(p *path) {
	ufrag, _ := d.conn.Credentials()
	m, err := stun.Build(
		stun.TransactionID, stun.BindingRequest, stun.NewUsername(d.remote.Ufrag+":"+ufrag),
		stun.RawAttribute{Type: stun.AttrPriority, Value: binary.BigEndian.AppendUint32(nil, hostPriority)},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: d.tie},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.NewShortTermIntegrity(d.remote.Pwd), stun.Fingerprint,
	)
	if err == nil {
		p.send(m.Raw)
	}
}

// answered takes the answer to a check; it reports false for anything else. It is authentic by the other server's password.
func (r *reader) answered(raw []byte, from source, arrival time.Time) bool {
	c := from.local.caller
	m := r.request
	m.Raw = append(m.Raw[:0], raw...)
	if m.Decode() != nil || m.Type != stun.BindingSuccess {
		return false
	}
	c.mu.Lock()
	d := c.calling
	if d == nil || c.closed || !slices.Contains(d.addrs, from.remote) || stun.NewShortTermIntegrity(d.remote.Pwd).Check(m) != nil {
		c.mu.Unlock()
		return false
	}
	now := r.net.instant(arrival)
	p := c.pathFrom(from, now)
	if p != nil && c.selected.Load() == nil {
		c.selected.Store(p)
	}
	c.mayHandshake()
	c.mu.Unlock()
	if p != nil {
		c.hear(p, now)
	}
	return p != nil
}
