package sfu

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Limits on what a member sends in signals.
const (
	maxSDPBytes        = 64 << 10
	maxMediaSections   = 64
	maxCandidates      = 64 // per connection and ICE generation
	maxCandidateBytes  = 1024
	maxSDPCandidates   = maxCandidates
	maxWaitingSignals  = 128
	maxRemoteSSRCs     = 64 // SSRCs that one publish connection may use in its life
	maxSubscribedMedia = maxMediaSections
)

// checkSDP refuses a session description that is not worth parsing, and parses it. Its cost is linear in the length.
func checkSDP(text string) (*sdp.SessionDescription, error) {
	if len(text) > maxSDPBytes {
		return nil, ErrSDPTooLarge
	}
	if strings.Count(text, "\nm=") > maxMediaSections {
		return nil, ErrTooManyMedia
	}
	if strings.Count(text, "a=candidate:") > maxSDPCandidates {
		return nil, ErrTooManySignals
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return nil, wrap(ErrBadSDP, err)
	}
	for _, key := range []string{"ice-ufrag", "ice-pwd", "fingerprint"} {
		if !hasAttribute(&d, key) {
			return nil, fmt.Errorf("%w: it has no %s", ErrBadSDP, key)
		}
	}
	return &d, nil
}

func hasAttribute(d *sdp.SessionDescription, key string) bool {
	if _, ok := d.Attribute(key); ok {
		return true
	}
	for _, m := range d.MediaDescriptions {
		if _, ok := m.Attribute(key); ok {
			return true
		}
	}
	return false
}

// checkPublish refuses a publish offer that does not match its sources.
func checkPublish(d *sdp.SessionDescription, sources map[string]Source) error {
	kinds := make(map[string]string, len(d.MediaDescriptions))
	for _, m := range d.MediaDescriptions {
		mid, _ := m.Attribute(sdp.AttrKeyMID)
		if _, twice := kinds[mid]; twice || mid == "" {
			return fmt.Errorf("%w: each media section needs a mid of its own", ErrBadSDP)
		}
		kind := m.MediaName.Media
		if kind != "audio" && kind != "video" {
			return fmt.Errorf("%w: a media section that is neither audio nor video", ErrUnsupported)
		}
		if _, ok := m.Attribute("simulcast"); ok {
			return fmt.Errorf("%w: simulcast", ErrUnsupported)
		}
		if _, ok := m.Attribute("rid"); ok {
			return fmt.Errorf("%w: simulcast", ErrUnsupported)
		}
		kinds[mid] = kind
	}
	return checkSources(kinds, sources)
}

func checkSources(kinds map[string]string, sources map[string]Source) error {
	used := make(map[Source]bool, len(sources))
	for mid, source := range sources {
		kind, ok := kinds[mid]
		switch {
		case !ok:
			return fmt.Errorf("%w: a source names a mid that is not there", ErrBadSources)
		case !source.Valid():
			return fmt.Errorf("%w: a source is not one of audio, camera, screen and screen-audio", ErrBadSources)
		case source.Video() != (kind == "video"):
			return fmt.Errorf("%w: a source is of the other kind of media", ErrBadSources)
		case used[source]:
			return fmt.Errorf("%w: a source is named twice", ErrBadSources)
		}
		used[source] = true
	}
	return nil
}

// addressPolicy says which addresses of members the server sends to.
type addressPolicy struct {
	allowLoopback bool
	denyPrivate   bool
}

// allows reports whether addr may be a remote candidate's address. Link-local, unspecified, multicast and IPv4-mapped addresses
// never may.
func (p addressPolicy) allows(addr netip.Addr) bool {
	switch {
	case !addr.IsValid(), addr.Is4In6(), addr.IsUnspecified(), addr.IsMulticast(), addr.IsLinkLocalUnicast():
		return false
	case addr.Is4() && (addr.As4() == [4]byte{255, 255, 255, 255} || addr.As4()[0] == 0):
		return false
	case addr.Is6() && hidesIPv4(addr):
		return false
	case addr.IsLoopback():
		return p.allowLoopback
	case addr.IsPrivate():
		return !p.denyPrivate
	}
	return true
}

// hidesIPv4 reports whether an IPv6 address stands for an IPv4 one: IPv4-compatible (RFC 4291 section 2.5.5.1), NAT64 (RFC 6052)
// and 6to4 (RFC 3056).
func hidesIPv4(addr netip.Addr) bool {
	for _, p := range embeddings {
		if p.Contains(addr) && !addr.IsLoopback() {
			return true
		}
	}
	return false
}

//nolint:gochecknoglobals // constant
var embeddings = []netip.Prefix{
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
}

// candidate is what is read of an ICE candidate line (RFC 8839 section 5.1).
type candidate struct {
	address string
	port    string
}

// parseCandidate reads the address of a candidate attribute, with or without "candidate:" before it.
func parseCandidate(line string) (candidate, bool) {
	fields := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(line, "a="), "candidate:"))
	if len(line) > maxCandidateBytes || len(fields) < 8 || fields[6] != "typ" {
		return candidate{}, false
	}
	return candidate{address: fields[4], port: fields[5]}, true
}

// admits reports whether a candidate is of use: names (mDNS) are not resolved, and addresses must satisfy the policy.
func (p addressPolicy) admits(c candidate) bool {
	addr, err := netip.ParseAddr(c.address)
	return err == nil && addr.Zone() == "" && p.allows(addr)
}

// readCandidate decodes a trickled candidate. It reports false, without an error, for one that policy drops and for the end of
// candidates.
func (p addressPolicy) readCandidate(text string) (webrtc.ICECandidateInit, bool, error) {
	var init webrtc.ICECandidateInit
	if len(text) > 2*maxCandidateBytes {
		return init, false, ErrBadCandidate
	}
	if err := json.Unmarshal([]byte(text), &init); err != nil {
		return init, false, wrap(ErrBadCandidate, err)
	}
	if init.Candidate == "" {
		return init, false, nil
	}
	c, ok := parseCandidate(init.Candidate)
	if !ok {
		return init, false, ErrBadCandidate
	}
	return init, p.admits(c), nil
}

// filterSDP removes the candidates that policy drops, and reports how many.
func (p addressPolicy) filterSDP(d *sdp.SessionDescription) (removed int) {
	for _, m := range d.MediaDescriptions {
		kept := m.Attributes[:0]
		for _, a := range m.Attributes {
			if a.Key == "candidate" {
				if c, ok := parseCandidate(a.Value); !ok || !p.admits(c) {
					removed++
					continue
				}
			}
			kept = append(kept, a)
		}
		m.Attributes = kept
	}
	return removed
}

// keepReceivers turns inactive sections of an offer, where known names the mid, into recvonly ones; the answer to both is
// inactive. pion closes a receiver for good when its section is inactive in two offers, and nothing would be heard
// when the member sends there again.
func keepReceivers(d *sdp.SessionDescription, known map[string]bool) (changed int) {
	for _, m := range d.MediaDescriptions {
		mid, _ := m.Attribute(sdp.AttrKeyMID)
		for i := range m.Attributes {
			if known[mid] && m.Attributes[i].Key == sdp.AttrKeyInactive {
				m.Attributes[i].Key = sdp.AttrKeyRecvOnly
				changed++
			}
		}
	}
	return changed
}

// textOf is the description's text: as it came, if nothing was changed.
func textOf(d *sdp.SessionDescription, came string, changes int) (string, error) {
	if changes == 0 {
		return came, nil
	}
	out, err := d.Marshal()
	if err != nil {
		return "", wrap(ErrBadSDP, err)
	}
	return string(out), nil
}
