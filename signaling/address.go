package signaling

import (
	"net/http"
	"net/netip"
	"strings"
)

// forwarding says whether a reverse proxy before this server is believed. The zero value believes nobody.
type forwarding struct{ trusted bool }

// client returns the address from which a request came, as another node says if it came by that. Of X-Forwarded-For, which anybody can write, only what the
// proxy itself appended counts: the last address. A proxy is on this machine or in a private network.
func (f forwarding) client(r *http.Request) netip.Addr {
	if origin, ok := sentOn(r); ok {
		return origin.client
	}
	addr := peer(r)
	if !f.proxied(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	hop, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1]))
	if err != nil {
		return addr
	}
	return hop.Unmap().WithZone("")
}

// secure reports whether the browser speaks TLS: to the server, to the proxy before it, or to the node by which a request came.
func (f forwarding) secure(r *http.Request) bool {
	if origin, ok := sentOn(r); ok {
		return origin.secure
	}
	return r.TLS != nil || f.proxied(peer(r)) && r.Header.Get("X-Forwarded-Proto") == "https"
}

func (f forwarding) proxied(addr netip.Addr) bool {
	return f.trusted && (addr.IsLoopback() || addr.IsPrivate())
}

// peer returns the other end of the TCP connection, and the invalid address when there is none.
func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}
