package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"time"

	"github.com/pausepoint/pausepoint/relay"
)

// checkTURN serves TURN as the server will, and looks whether something passes through it to the media port and back, by each way that
// browsers are told. Certificates are not looked at: checkCertificate does that.
func checkTURN(ctx context.Context, host string, d doctorFlags) error {
	public, err := d.publicAddrs()
	if err != nil {
		return err
	}
	media, err := echoAt(d.MediaAddr)
	if err != nil {
		return busy("media")
	}
	defer func() { _ = media.Close() }()
	home := media.LocalAddr().(*net.UDPAddr).AddrPort() //nolint:forcetypeassert // it is UDP
	home = netip.AddrPortFrom(home.Addr().Unmap(), home.Port())
	cfg := relay.Config{Addr: d.TURNAddr, Media: []netip.AddrPort{home}, Public: public, MaxAllocations: allocationsEach}
	if at := d.secureAddr(d.listen); at != "" {
		if cfg.Secure, err = unknown(at); err != nil {
			return busy("TURN over TLS")
		}
	}
	r, err := relay.Listen(cfg)
	if err != nil {
		return busy("TURN")
	}
	defer func() { _ = r.Close() }()
	peer := home
	for _, addr := range public {
		if addr.Is4() == home.Addr().Is4() {
			peer = netip.AddrPortFrom(addr, home.Port())
			break
		}
	}
	username, password := r.Credentials("doctor")
	for _, uri := range r.URIs(host) {
		if err := passes(ctx, uri, username, password, peer); err != nil {
			return err
		}
	}
	return nil
}

// passes looks whether what is sent through TURN comes back.
func passes(ctx context.Context, uri, username, password string, peer netip.AddrPort) error {
	within, cancel := context.WithTimeout(ctx, answerWithin*askTimes)
	defer cancel()
	conf := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // of checkTURN's own making
	conn, err := relay.Reach(within, uri, username, password, conf, peer.Addr())
	switch {
	case errors.Is(err, relay.ErrUnreached):
		return unreached("the way that browsers are told", uri)
	case err != nil:
		return fmt.Errorf("TURN is reached at %s, and does not relay: another server answers there, or another program: look where that name and port lead: %w", uri, err)
	}
	defer func() { _ = conn.Close() }()
	token := []byte(rand.Text())
	through := packets{conn, net.UDPAddrFromAddrPort(peer)}
	b := make([]byte, 1500)
	if _, err := ask(through, func() error { _, err := through.Write(token); return err }, b, func(b []byte) bool { return bytes.Equal(b, token) }); err != nil {
		return fmt.Errorf("TURN is reached at %s, and nothing passes through it to the media port and back: let UDP through between %s and this machine itself, in its own firewall: %w", uri, peer, err)
	}
	return nil
}

// echoAt sends back what comes to a UDP address; without a host, that is one of this machine's.
func echoAt(addr string) (*net.UDPConn, error) {
	at, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, err
	}
	if at.IP == nil || at.IP.IsUnspecified() {
		at.IP = net.IPv4(127, 0, 0, 1)
		if own := machineAddrs(); len(own) > 0 {
			at.IP = net.ParseIP(own[0])
		}
	}
	conn, err := net.ListenUDP("udp", at)
	if err != nil {
		return nil, err
	}
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			_, _ = conn.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	return conn, nil
}

// unknown is where TLS ends with a certificate that nobody knows: doctor is not the server that has one.
func unknown(addr string) (net.Listener, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	pair := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return tls.Listen("tcp", addr, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}})
}
