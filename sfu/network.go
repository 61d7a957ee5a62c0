package sfu

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
)

const (
	socketBuffer   = 4 << 20 // bytes; the kernel may grant less
	tcpWriteBuffer = 1 << 20 // bytes; when full, packets to that member are dropped
	tcpReadBuffer  = 32      // packets
	listenAttempts = 8       // to find one number that is free for UDP and TCP
)

// network is the sockets of an SFU.
type network struct {
	net      transport.Net // the injected network, or nil
	udp      ice.UDPMux
	tcp      ice.TCPMux // nil without ICE-TCP
	bound    netip.Addr // the only address listened on; invalid if it is all of them
	port     int
	loopback bool
}

// listen opens the sockets. With port 0 it looks for a number that is free for both protocols.
func listen(cfg Config, loggers logging.LoggerFactory) (*network, error) {
	host, portText, err := net.SplitHostPort(cfg.UDPAddr)
	if err != nil {
		return nil, fmt.Errorf("sfu: media address %q: give it as host:port or :port: %w", cfg.UDPAddr, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("sfu: media address %q: the port is a number from 0 to 65535: %w", cfg.UDPAddr, err)
	}
	var bound netip.Addr
	if host != "" {
		if bound, err = netip.ParseAddr(host); err != nil {
			return nil, fmt.Errorf("sfu: media address %q: the host is an IP address: %w", cfg.UDPAddr, err)
		}
	}
	if bound.IsValid() && bound.IsUnspecified() {
		bound = netip.Addr{}
	}
	for attempt := 1; ; attempt++ {
		n := &network{net: cfg.Net, bound: bound, loopback: bound.IsLoopback()}
		err = n.open(cfg, int(port), loggers)
		if err == nil {
			return n, nil
		}
		err = errors.Join(err, n.close())
		if port != 0 || attempt == listenAttempts {
			return nil, fmt.Errorf("sfu: listen for media on %q: %w", cfg.UDPAddr, err)
		}
	}
}

func (n *network) open(cfg Config, port int, loggers logging.LoggerFactory) error {
	log := loggers.NewLogger("ice")
	if cfg.Net == nil && (!cfg.DisableTCP || !n.bound.IsValid()) {
		var err error
		if port, err = n.openTCP(cfg, port, log); err != nil {
			return err
		}
	}
	if n.bound.IsValid() {
		return n.openUDP(port, log)
	}
	return n.openEveryUDP(port, log)
}

// openTCP listens for ICE-TCP and returns the port. If that is turned off, it only finds a port for all the UDP sockets.
func (n *network) openTCP(cfg Config, port int, log logging.LeveledLogger) (int, error) {
	host := ""
	if n.bound.IsValid() {
		host = n.bound.String()
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return 0, err
	}
	if addr, ok := l.Addr().(*net.TCPAddr); ok {
		port = addr.Port
	}
	if cfg.DisableTCP {
		return port, l.Close()
	}
	n.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: l, Logger: log, ReadBufferSize: tcpReadBuffer, WriteBufferSize: tcpWriteBuffer,
	})
	return port, nil
}

func (n *network) openUDP(port int, log logging.LeveledLogger) error {
	transportNet := n.net
	if transportNet == nil {
		var err error
		if transportNet, err = stdnet.NewNet(); err != nil {
			return err
		}
	}
	conn, err := transportNet.ListenUDP("udp", &net.UDPAddr{IP: n.bound.AsSlice(), Port: port})
	if err != nil {
		return err
	}
	// Buffers are a wish: the kernel caps them.
	_, _ = conn.SetReadBuffer(socketBuffer), conn.SetWriteBuffer(socketBuffer)
	if addr, ok := conn.LocalAddr().(*net.UDPAddr); ok {
		n.port = addr.Port
	}
	n.udp = ice.NewUDPMuxDefault(ice.UDPMuxParams{Logger: log, UDPConn: conn, Net: transportNet})
	return nil
}

// openEveryUDP opens one socket per address of the machine, so that an answer always leaves from the address that was asked.
// Loopback is used only where there is nothing else.
func (n *network) openEveryUDP(port int, log logging.LeveledLogger) error {
	options := []ice.UDPMuxFromPortOption{
		ice.UDPMuxFromPortWithLogger(log),
		ice.UDPMuxFromPortWithReadBufferSize(socketBuffer),
		ice.UDPMuxFromPortWithWriteBufferSize(socketBuffer),
		ice.UDPMuxFromPortWithIPFilter(func(ip net.IP) bool { return !ip.IsLinkLocalUnicast() }),
	}
	if n.net != nil {
		options = append(options, ice.UDPMuxFromPortWithNet(n.net))
	}
	mux, err := ice.NewMultiUDPMuxFromPort(port, options...)
	if err == nil && len(mux.GetListenAddresses()) == 0 {
		n.loopback = true
		mux, err = ice.NewMultiUDPMuxFromPort(port, append(options, ice.UDPMuxFromPortWithLoopback())...)
	}
	if err != nil {
		return err
	}
	n.udp, n.port = mux, port
	return nil
}

func (n *network) close() error {
	var errs []error
	if n.udp != nil {
		errs = append(errs, n.udp.Close())
	}
	if n.tcp != nil {
		errs = append(errs, n.tcp.Close())
	}
	return errors.Join(errs...)
}
