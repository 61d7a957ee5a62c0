package sfu

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
	"golang.org/x/time/rate"
)

// A member that vanished is noticed after iceDisconnected, and given up iceFailed later.
const (
	iceDisconnected = 5 * time.Second
	iceFailed       = 7 * time.Second
	iceKeepalive    = 2 * time.Second
)

// Payload types that the server offers; a member's own offer may use others.
const (
	ptOpus = 111
	ptVP8  = 96
	ptRTX  = 97
)

// builder makes PeerConnections. It is immutable.
type builder struct {
	network *network
	policy  addressPolicy
	public  []netip.Addr
	loggers logging.LoggerFactory
}

// publish makes the connection on which a member sends. excess is called, at most once and from any goroutine, when the
// member uses more SSRCs than anyone needs.
func (b *builder) publish(excess func()) (*webrtc.PeerConnection, error) {
	return b.connection(true, func(r *interceptor.Registry) error {
		generator, err := nack.NewGeneratorInterceptor(nack.WithGeneratorLoggerFactory(b.loggers))
		if err != nil {
			return err
		}
		receiver, err := report.NewReceiverInterceptor()
		if err != nil {
			return err
		}
		feedback, err := twcc.NewSenderInterceptor()
		if err != nil {
			return err
		}
		r.Add(streamLimit{excess: excess})
		r.Add(generator)
		r.Add(receiver)
		r.Add(feedback)
		return nil
	})
}

// subscribe makes the connection on which a member receives. It has no interceptors: retransmission and sender reports are
// made in downTrack, from what all subscribers share. A bandwidth estimator would be added here.
func (b *builder) subscribe() (*webrtc.PeerConnection, error) {
	return b.connection(false, func(*interceptor.Registry) error { return nil })
}

func (b *builder) connection(publish bool, add func(*interceptor.Registry) error) (*webrtc.PeerConnection, error) {
	var media webrtc.MediaEngine
	if err := registerMedia(&media, publish); err != nil {
		return nil, wrap(ErrConnection, err)
	}
	var registry interceptor.Registry
	if err := add(&registry); err != nil {
		return nil, wrap(ErrConnection, err)
	}
	settings, err := b.settings()
	if err != nil {
		return nil, wrap(ErrConnection, err)
	}
	api := webrtc.NewAPI(
		webrtc.WithMediaEngine(&media), webrtc.WithInterceptorRegistry(&registry), webrtc.WithSettingEngine(settings),
	)
	pc, err := api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	if err != nil {
		return nil, wrap(ErrConnection, err)
	}
	return pc, nil
}

// settings are those of a server that is reached at known addresses: ICE-lite (RFC 8445 section 2.5), so it sends no checks to
// addresses that members name; no mDNS; AES-GCM before AES-CM, since it costs a third.
func (b *builder) settings() (webrtc.SettingEngine, error) {
	var e webrtc.SettingEngine
	e.LoggerFactory = b.loggers
	e.SetLite(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetICETimeouts(iceDisconnected, iceFailed, iceKeepalive)
	e.SetICEUDPMux(b.network.udp)
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if b.network.tcp != nil {
		e.SetICETCPMux(b.network.tcp)
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	e.SetNetworkTypes(types)
	e.DisableActiveTCP(true)
	e.SetIncludeLoopbackCandidate(b.network.loopback)
	e.SetIPFilter(b.localAddress)
	e.SetRemoteIPFilter(b.remoteAddress)
	if b.network.net != nil {
		e.SetNet(b.network.net)
	}
	e.SetSRTPProtectionProfiles(
		dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80,
	)
	// The DTLS server chooses the profile, and browsers would choose AES-CM: be the server on both connections.
	if err := e.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return e, err
	}
	return e, e.SetICEAddressRewriteRules(b.rewriteRules()...)
}

func (b *builder) localAddress(ip net.IP) bool {
	addr, ok := netip.AddrFromSlice(ip)
	if b.network.bound.IsValid() {
		return ok && addr.Unmap() == b.network.bound.Unmap()
	}
	return ok && !addr.IsLinkLocalUnicast()
}

// remoteAddress is the last line of the address policy. IPv4-mapped addresses were refused in text: here 4-in-6 is only
// how net.IP stores IPv4.
func (b *builder) remoteAddress(ip net.IP) bool {
	addr, ok := netip.AddrFromSlice(ip)
	return ok && b.policy.allows(addr.Unmap())
}

func (b *builder) rewriteRules() []webrtc.ICEAddressRewriteRule {
	var v4, v6 []string
	for _, a := range b.public {
		if a = a.Unmap(); a.Is4() {
			v4 = append(v4, a.String())
		} else {
			v6 = append(v6, a.String())
		}
	}
	var rules []webrtc.ICEAddressRewriteRule
	rule := func(external []string, networks ...webrtc.NetworkType) {
		if len(external) != 0 {
			rules = append(rules, webrtc.ICEAddressRewriteRule{
				External: external, AsCandidateType: webrtc.ICECandidateTypeHost,
				Mode: webrtc.ICEAddressRewriteReplace, Networks: networks,
			})
		}
	}
	rule(v4, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4)
	rule(v6, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP6)
	return rules
}

func registerMedia(m *webrtc.MediaEngine, publish bool) error {
	audio := []webrtc.RTCPFeedback{{Type: "nack"}}
	video := []webrtc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	extensions := []string{sdp.SDESMidURI}
	if publish {
		audio = append(audio, webrtc.RTCPFeedback{Type: "transport-cc"})
		video = append(video, webrtc.RTCPFeedback{Type: "transport-cc"})
		extensions = append(extensions, sdp.AudioLevelURI, sdp.TransportCCURI, sdp.ABSSendTimeURI)
	}
	err := m.RegisterCodec(codec(webrtc.MimeTypeOpus, 48000, 2, "minptime=10;useinbandfec=1", audio, ptOpus), webrtc.RTPCodecTypeAudio)
	if err != nil {
		return err
	}
	if err = m.RegisterCodec(codec(webrtc.MimeTypeVP8, 90000, 0, "", video, ptVP8), webrtc.RTPCodecTypeVideo); err != nil {
		return err
	}
	rtx := codec(webrtc.MimeTypeRTX, 90000, 0, fmt.Sprintf("apt=%d", ptVP8), nil, ptRTX)
	if err = m.RegisterCodec(rtx, webrtc.RTPCodecTypeVideo); err != nil {
		return err
	}
	for _, uri := range extensions {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			if uri == sdp.AudioLevelURI && kind == webrtc.RTPCodecTypeVideo {
				continue
			}
			if err = m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return err
			}
		}
	}
	return nil
}

func codec(
	mime string, clock uint32, channels uint16, fmtp string, feedback []webrtc.RTCPFeedback, pt webrtc.PayloadType,
) webrtc.RTPCodecParameters {
	return webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: mime, ClockRate: clock, Channels: channels, SDPFmtpLine: fmtp, RTCPFeedback: feedback,
		},
		PayloadType: pt,
	}
}

// loggerFactory hands pion's errors to slog as warnings, and its warnings, of which every connection that closes causes some, for
// debugging. There is a limit: hostile packets cause others.
type loggerFactory struct {
	log   *slog.Logger
	limit *rate.Limiter
}

func newLoggerFactory(log *slog.Logger) *loggerFactory {
	return &loggerFactory{log: log, limit: rate.NewLimiter(rate.Every(time.Second), 20)}
}

// NewLogger implements logging.LoggerFactory.
func (f *loggerFactory) NewLogger(scope string) logging.LeveledLogger {
	return &leveledLogger{factory: f, scope: scope}
}

type leveledLogger struct {
	factory *loggerFactory
	scope   string
}

func (l *leveledLogger) Trace(string)          {}
func (l *leveledLogger) Tracef(string, ...any) {}
func (l *leveledLogger) Debug(string)          {}
func (l *leveledLogger) Debugf(string, ...any) {}
func (l *leveledLogger) Info(string)           {}
func (l *leveledLogger) Infof(string, ...any)  {}

func (l *leveledLogger) Warn(msg string)                { l.write(slog.LevelDebug, "%s", msg) }
func (l *leveledLogger) Warnf(msg string, args ...any)  { l.write(slog.LevelDebug, msg, args...) }
func (l *leveledLogger) Error(msg string)               { l.write(slog.LevelWarn, "%s", msg) }
func (l *leveledLogger) Errorf(msg string, args ...any) { l.write(slog.LevelWarn, msg, args...) }

func (l *leveledLogger) write(level slog.Level, format string, args ...any) {
	ctx := context.Background()
	if l.factory.log.Enabled(ctx, level) && l.factory.limit.Allow() {
		l.factory.log.Log(ctx, level, "media stack", "scope", l.scope, "detail", fmt.Sprintf(format, args...))
	}
}
