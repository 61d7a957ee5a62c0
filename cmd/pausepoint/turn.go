package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"

	"github.com/pausepoint/pausepoint/relay"
	"github.com/pausepoint/pausepoint/room/event"
	"github.com/pausepoint/pausepoint/sfu"
)

// allocationsEach is how many allocations there may be in all, for each connection that there may be: a member's browser makes one for
// each of two connections and each way in, and gives up those that it does not need.
const allocationsEach = 4

// turnFlags are for networks that keep media out.
type turnFlags struct {
	TURNAddr    string   `name:"turn-addr" placeholder:"HOST:PORT" help:"Where to serve TURN (UDP and TCP), such as :3478, for networks that keep media out otherwise. Without it there is none. It relays to this server's media alone."`
	TURNTLSAddr string   `name:"turn-tls-addr" placeholder:"HOST:PORT" help:"Where to serve TURN over TLS, such as :5349, with the certificate of --tls-cert. It needs --turn-addr."`
	TURNPeer    []string `name:"turn-peer" placeholder:"RANGE" help:"Addresses that TURN relays to besides, such as 10.1.2.0/24. Private ones are relayed to only if they are named here."`
}

// check refuses what cannot be right.
func (f turnFlags) check(l listen) error {
	if f.TURNAddr != "" {
		if err := checkAddr("turn-addr", f.TURNAddr); err != nil {
			return err
		}
	}
	if f.TURNTLSAddr != "" {
		if err := checkAddr("turn-tls-addr", f.TURNTLSAddr); err != nil {
			return err
		}
		if f.TURNAddr == "" {
			return wrong("turn-tls-addr", f.TURNTLSAddr, "it comes besides --turn-addr, give that too")
		}
		if !l.secure() {
			return wrong("turn-tls-addr", f.TURNTLSAddr, "it needs a certificate, give --tls-cert and --tls-key, or --acme-domain")
		}
	}
	_, err := f.peers()
	return err
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
	if s.TURNAddr == "" {
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
	cfg := relay.Config{
		Addr: s.TURNAddr, TLSAddr: s.TURNTLSAddr, Media: media.Addrs(), Public: public, Peers: peers,
		MaxAllocations: s.MaxConnections * allocationsEach,
	}
	if s.TURNTLSAddr != "" {
		cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: h.tls.GetCertificate}
	}
	r, err := relay.Listen(cfg)
	if err != nil {
		return nil, explainListen("turn-addr", s.TURNAddr, err)
	}
	h.turn = r
	h.later(func(context.Context) error { return r.Close() })
	known := s.publicHost()
	if s.Redis != "" && len(public) > 0 {
		known = public[0].String() // the name may lead to any of several servers, whose relays do not know these credentials
	}
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
