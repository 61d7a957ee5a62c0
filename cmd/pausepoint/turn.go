package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"slices"

	"github.com/pausepoint/pausepoint/relay"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/sfu"
)

// allocationsEach is how many allocations there may be in all, for each connection that there may be: a member's browser makes one for
// each of two connections and each way in, and gives up those that it does not need.
const allocationsEach = 4

// turnFlags are for networks that keep media out.
type turnFlags struct {
	TURNAddr    string   `name:"turn-addr" placeholder:"HOST:PORT" help:"Where to serve TURN (UDP and TCP), such as :3478, for networks that keep media out otherwise. Without it and --turn-tls-addr there is none. It relays to this server's media alone."`
	TURNTLSAddr string   `name:"turn-tls-addr" placeholder:"HOST:PORT" help:"Where to serve TURN over TLS, such as :5349, with the certificate of the pages: --tls-cert or --acme-domain. It can be the port of --addr; and is, where pages and media share that."`
	TURNHost    string   `name:"turn-host" placeholder:"HOST" help:"Name or address by which browsers reach TURN at this server, where it is not the name of --public-url: each of several servers has its own. The certificate has to be good for it."`
	TURNPeer    []string `name:"turn-peer" placeholder:"RANGE" help:"Addresses that TURN relays to besides, such as 10.1.2.0/24. Private ones are relayed to only if they are named here."`
}

// host is where browsers are told to reach TURN; empty if it is the name by which they opened the page.
func (f turnFlags) host(l listen, c clusterFlags) string {
	switch {
	case f.TURNHost != "":
		return f.TURNHost
	case c.Redis != "" && len(l.PublicIP) > 0:
		return l.PublicIP[0] // the name may lead to any of several servers, whose relays do not know these credentials
	}
	return l.publicHost()
}

// secureAddr is where TURN is served over TLS, if it is: where pages and media share one port, there too.
func (f turnFlags) secureAddr(l listen) string {
	if f.TURNTLSAddr == "" && l.onePort() && l.secure() {
		return l.Addr
	}
	return f.TURNTLSAddr
}

// served reports whether there is TURN.
func (f turnFlags) served(l listen) bool { return f.TURNAddr != "" || f.secureAddr(l) != "" }

// check refuses what cannot be right.
func (f turnFlags) check(l listen, c clusterFlags) error {
	if f.TURNAddr != "" {
		if err := checkAddr("turn-addr", f.TURNAddr); err != nil {
			return err
		}
		if sameAddr(f.TURNAddr, l.Addr) || sameAddr(f.TURNAddr, l.MediaAddr) {
			return wrong("turn-addr", f.TURNAddr, "over UDP and TCP it needs a port of its own; over TLS it can have that of the pages, give --turn-tls-addr")
		}
	}
	if f.TURNTLSAddr != "" {
		if err := checkAddr("turn-tls-addr", f.TURNTLSAddr); err != nil {
			return err
		}
		if !l.secure() {
			return wrong("turn-tls-addr", f.TURNTLSAddr, "it needs a certificate, give --tls-cert and --tls-key, or --acme-domain")
		}
		if sameAddr(f.TURNTLSAddr, l.MediaAddr) && !l.onePort() || sameAddr(f.TURNTLSAddr, f.TURNAddr) {
			return wrong("turn-tls-addr", f.TURNTLSAddr, "it shares a port with the pages alone, or with pages and media: give that one, or one of its own")
		}
	}
	if err := f.checkHost(l, c); err != nil {
		return err
	}
	_, err := f.peers()
	return err
}

// checkHost refuses a name under which nobody comes in.
func (f turnFlags) checkHost(l listen, c clusterFlags) error {
	if _, err := netip.ParseAddr(f.TURNHost); err != nil && f.TURNHost != "" && !plainName.MatchString(f.TURNHost) {
		return wrong("turn-host", f.TURNHost, "give a name or an IP address, without a port")
	}
	if f.TURNHost != "" && !f.served(l) {
		return wrong("turn-host", f.TURNHost, "it is for TURN, give --turn-addr or --turn-tls-addr too")
	}
	host := f.host(l, c)
	if at := f.secureAddr(l); at != "" && len(l.ACMEDomain) > 0 && !slices.Contains(l.ACMEDomain, host) {
		return wrong("turn-tls-addr", at,
			"browsers would be told to reach it at "+host+", for which there is no certificate: give this server's own name with --turn-host, and with --acme-domain too")
	}
	return nil
}

func (f turnFlags) peers() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range f.TURNPeer {
		p, err := netip.ParsePrefix(text)
		if err != nil || p.Addr().Is4In6() {
			return nil, wrong("turn-peer", text, "give a range of addresses such as 10.1.2.0/24, or one such as 10.1.2.3/32")
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// openRelay serves TURN, if that is wanted, and returns what tells members of it; nil if it is not.
func (h *house) openRelay(s serveFlags, media *sfu.SFU) (func(member, host string) []event.RTCRelay, error) {
	if !s.served(s.listen) {
		return nil, nil
	}
	peers, err := s.peers()
	if err != nil {
		return nil, err
	}
	public, err := s.publicAddrs()
	if err != nil {
		return nil, err
	}
	secure, err := h.openSecure(s.secureAddr(s.listen), s.Addr)
	if err != nil {
		return nil, err
	}
	r, err := relay.Listen(relay.Config{
		Addr: s.TURNAddr, Secure: secure, Media: media.Addrs(), Public: public, Peers: peers, MaxAllocations: s.MaxConnections * allocationsEach,
	})
	if err != nil {
		return nil, explainListen("turn-addr", s.TURNAddr, err)
	}
	h.turn = r
	h.later(func(context.Context) error { return r.Close() })
	known := s.turnFlags.host(s.listen, s.clusterFlags)
	h.log.Info("serving TURN", slog.Any("uris", r.URIs("localhost")))
	return func(member, host string) []event.RTCRelay {
		if known != "" {
			host = known
		} else if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		username, password := r.Credentials(member)
		return []event.RTCRelay{{URLs: r.URIs(host), Username: username, Credential: password}}
	}, nil
}

// openSecure is where members come over TLS, if they do: at a port of its own, or at that of the pages.
func (h *house) openSecure(addr, pages string) (net.Listener, error) {
	switch {
	case addr == "":
		return nil, nil
	case sameAddr(addr, pages):
		return h.entrance.Relay(), nil
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, explainListen("turn-tls-addr", addr, err)
	}
	return tls.NewListener(ln, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: h.tls.GetCertificate}), nil
}
