package sfu

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	"github.com/pausepoint/pausepoint/sfu/negotiate"
)

// Limits on what a member sends in signals.
const (
	maxCandidates      = 64 // per connection and ICE generation
	maxCandidateBytes  = 1024
	maxWaitingSignals  = 128
	maxSubscribedMedia = negotiate.MaxSections
)

// checkSources refuses sources that do not match the offer.
func checkSources(o *negotiate.Offer, sources map[string]Source) error {
	audio := make(map[string]bool, len(o.Sections))
	for i := range o.Sections {
		audio[o.Sections[i].MID] = o.Sections[i].Audio
	}
	used := make(map[Source]bool, len(sources))
	for mid, source := range sources {
		sound, ok := audio[mid]
		switch {
		case !ok:
			return fmt.Errorf("%w: a source names a mid that is not there", ErrBadSources)
		case !source.Valid():
			return fmt.Errorf("%w: a source is not one of audio, camera, screen and screen-audio", ErrBadSources)
		case source.Video() == sound:
			return fmt.Errorf("%w: a source is of the other kind of media", ErrBadSources)
		case used[source]:
			return fmt.Errorf("%w: a source is named twice", ErrBadSources)
		}
		used[source] = true
	}
	return nil
}

// addressPolicy says which addresses of members the server sends to. The server never begins: it answers checks that come from
// there and know its secret.
type addressPolicy struct {
	denyPrivate bool
}

// allows reports whether anything may be sent to addr. Link-local, unspecified, multicast and IPv4-mapped addresses never may;
// loopback is for a server that is reached in no other way, which transport knows.
func (p addressPolicy) allows(addr netip.Addr) bool {
	switch {
	case !addr.IsValid(), addr.Is4In6(), addr.IsUnspecified(), addr.IsMulticast(), addr.IsLinkLocalUnicast(), addr.IsLoopback():
		return false
	case addr.Is4() && (addr.As4() == [4]byte{255, 255, 255, 255} || addr.As4()[0] == 0):
		return false
	case addr.Is6() && hidesIPv4(addr):
		return false
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

// iceCandidate is an RTCIceCandidateInit.
type iceCandidate struct {
	Candidate string `json:"candidate"`
}

// readCandidate checks a trickled candidate (RFC 8839 section 5.1). The end of candidates is one too.
func readCandidate(text string) error {
	var init iceCandidate
	if len(text) > 2*maxCandidateBytes {
		return ErrBadCandidate
	}
	if err := json.Unmarshal([]byte(text), &init); err != nil {
		return wrap(ErrBadCandidate, err)
	}
	line := init.Candidate
	if line == "" {
		return nil
	}
	fields := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(line, "a="), "candidate:"))
	if len(line) > maxCandidateBytes || len(fields) < 8 || fields[6] != "typ" {
		return ErrBadCandidate
	}
	return nil
}
