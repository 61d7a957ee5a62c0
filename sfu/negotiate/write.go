package negotiate

import (
	"strconv"
	"strings"
)

// writer writes a session description (RFC 8866).
type writer struct{ strings.Builder }

func (w *writer) line(parts ...string) {
	for _, p := range parts {
		w.WriteString(p)
	}
	w.WriteString("\r\n")
}

func (w *writer) session(l Local, bundle []string, mixed bool) {
	w.line("v=0")
	w.line("o=- ", strconv.FormatUint(l.Session, 10), " ", strconv.FormatUint(l.Version, 10), " IN IP4 0.0.0.0")
	w.line("s=-")
	w.line("t=0 0")
	if len(bundle) != 0 {
		w.line("a=group:BUNDLE ", strings.Join(bundle, " "))
	}
	if !l.Calls {
		w.line("a=ice-lite")
	}
	if mixed {
		w.line("a=extmap-allow-mixed")
	}
	w.line("a=msid-semantic: WMS *")
}

// media begins a section. Its port stands for none: the candidates say where (RFC 8840 section 4.1.1).
func (w *writer) media(kind, protocol string, codecs []Codec) {
	w.WriteString("m=" + kind + " 9 " + protocol)
	for _, c := range codecs {
		w.WriteString(" " + number(c.PayloadType))
		if c.RTX != 0 {
			w.WriteString(" " + number(c.RTX))
		}
	}
	w.line()
	w.line("c=IN IP4 0.0.0.0")
}

func (w *writer) refuse(kind, protocol, format, mid string) {
	w.line("m=", kind, " 0 ", protocol, " ", format)
	w.line("c=IN IP4 0.0.0.0")
	w.line("a=mid:", mid)
	w.line("a=inactive")
}

// transport describes the server's end; the candidates are in the first section only, since all share them.
func (w *writer) transport(l Local, setup, mid string, candidates bool) {
	w.line("a=setup:", setup)
	w.line("a=mid:", mid)
	w.line("a=ice-ufrag:", l.Ufrag)
	w.line("a=ice-pwd:", l.Pwd)
	w.line("a=fingerprint:", l.Fingerprint)
	w.line("a=rtcp-mux")
	w.line("a=rtcp-rsize")
	if !candidates {
		return
	}
	for _, c := range l.Candidates {
		w.line("a=candidate:", strings.TrimPrefix(c, "candidate:"))
	}
	w.line("a=end-of-candidates")
}

func (w *writer) extensions(list []Extension) {
	for _, e := range list {
		w.line("a=extmap:", number(e.ID), " ", e.URI)
	}
}

func (w *writer) codecs(list []Codec) {
	for _, c := range list {
		pt := number(c.PayloadType)
		_, name, _ := strings.Cut(c.MimeType, "/")
		channels := ""
		if c.Channels > 1 {
			channels = "/" + strconv.Itoa(int(c.Channels))
		}
		clock := strconv.FormatUint(uint64(c.ClockRate), 10)
		w.line("a=rtpmap:", pt, " ", name, "/", clock, channels)
		if c.Parameters != "" {
			w.line("a=fmtp:", pt, " ", c.Parameters)
		}
		for _, f := range c.Feedback {
			w.line("a=rtcp-fb:", pt, " ", f)
		}
		if c.RTX != 0 {
			w.line("a=rtpmap:", number(c.RTX), " rtx/", clock)
			w.line("a=fmtp:", number(c.RTX), " apt=", pt)
		}
	}
}

func (w *writer) layers(rids []string) {
	if len(rids) == 0 {
		return
	}
	for _, r := range rids {
		w.line("a=rid:", r, " recv")
	}
	w.line("a=simulcast:recv ", strings.Join(rids, ";"))
}

func number(n uint8) string { return strconv.Itoa(int(n)) }
