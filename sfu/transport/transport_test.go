package transport

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
)

func TestConnects(t *testing.T) {
	cases := map[string]struct {
		options  memberOptions
		profiles []dtls.SRTPProtectionProfile
	}{
		"UDP":     {},
		"TCP":     {options: memberOptions{tcp: true}},
		"waits":   {options: memberOptions{waits: true}},
		"AES-CM":  {profiles: []dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80}},
		"AES-256": {profiles: []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_256_GCM}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			n := listen(t)
			e := newEvents()
			c := n.NewConn(e)
			m := newMember(t, tc.options)
			defer m.close()
			if tc.profiles != nil {
				m.profiles = tc.profiles
			}
			m.connect(n, c)
			e.await(t, Connected)
			exchange(t, n, c, e, m)
			if _, tcp := c.RemoteAddr(); tcp != tc.options.tcp {
				t.Errorf("over TCP: %v", tcp)
			}
			must(t, m.dtls.Close())
			e.await(t, Closed)
			c.Close()
		})
	}
}

// exchange sends packets of all kinds both ways.
func exchange(t *testing.T, n *Network, c *Conn, e *events, m *member) {
	t.Helper()
	sent := video(1, 1000)
	m.sendRTP(sent)
	want, err := sent.Marshal()
	must(t, err)
	if got := next(t, e.rtp); !bytes.Equal(got, want) {
		t.Error("RTP arrived changed")
	}
	report, err := rtcp.Marshal([]rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 2}})
	must(t, err)
	sealed, err := m.out.EncryptRTCP(nil, report, nil)
	must(t, err)
	_, err = m.ice.Write(sealed)
	must(t, err)
	if got := next(t, e.rtcp); !bytes.Equal(got, report) {
		t.Error("RTCP arrived changed")
	}
	b := n.NewBatch()
	for seq := range uint16(20) {
		p := video(seq, 900+int(seq%3)*100)
		if !c.SendRTP(b, &p.Header, p.Payload) {
			t.Fatal("not sent")
		}
	}
	if !c.SendRTCP(b, report) {
		t.Fatal("not sent")
	}
	b.Flush()
	for seq := range uint16(20) {
		got, want := m.nextRTP(), video(seq, 900+int(seq%3)*100)
		if got.SequenceNumber != seq || !bytes.Equal(got.Payload, want.Payload) {
			t.Fatalf("packet %d came as %d, or changed", seq, got.SequenceNumber)
		}
	}
	plain, err := m.in.DecryptRTCP(nil, next(t, m.rtcp), nil)
	must(t, err)
	if !bytes.Equal(plain, report) {
		t.Error("RTCP arrived changed")
	}
}

func TestWrongFingerprintFails(t *testing.T) {
	n := listen(t)
	e := newEvents()
	c := n.NewConn(e)
	m := newMember(t, memberOptions{})
	defer m.close()
	r := m.remote()
	r.Fingerprint = n.Fingerprint() // of another certificate
	must(t, c.Start(r))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must(t, m.reach(ctx, n, c))
	if err := m.secure(ctx); err == nil {
		t.Error("the member believes to be connected")
	}
	e.await(t, Failed)
	if b := n.NewBatch(); c.SendRTP(b, &video(1, 1).Header, nil) {
		t.Error("a packet is sent")
	}
	c.Close()
}

func TestStartRefuses(t *testing.T) {
	n := listen(t)
	c := n.NewConn(newEvents())
	good := Remote{Ufrag: "abcd", Pwd: "0123456789012345678901", Fingerprint: n.Fingerprint(), Setup: SetupActpass}
	change := func(f func(*Remote)) Remote {
		r := good
		f(&r)
		return r
	}
	cases := map[string]struct {
		remote Remote
		want   error
	}{
		"short ufrag":     {change(func(r *Remote) { r.Ufrag = "abc" }), ErrRemote},
		"short pwd":       {change(func(r *Remote) { r.Pwd = "0123" }), ErrRemote},
		"no fingerprint":  {change(func(r *Remote) { r.Fingerprint = "" }), ErrRemote},
		"sha-1":           {change(func(r *Remote) { r.Fingerprint = "sha-1 AA:BB" }), ErrRemote},
		"cut fingerprint": {change(func(r *Remote) { r.Fingerprint = r.Fingerprint[:90] }), ErrRemote},
		"not hexadecimal": {change(func(r *Remote) { r.Fingerprint = "sha-256 ZZ" + r.Fingerprint[10:] }), ErrRemote},
		"wrong separator": {change(func(r *Remote) { r.Fingerprint = r.Fingerprint[:10] + "-" + r.Fingerprint[11:] }), ErrRemote},
	}
	for name, tc := range cases {
		if err := c.Start(tc.remote); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	must(t, c.Start(good))
	must(t, c.Start(change(func(r *Remote) { r.Ufrag = "another" })))
	other, err := newIdentity()
	must(t, err)
	if err := c.Start(change(func(r *Remote) { r.Fingerprint = other.fingerprint })); !errors.Is(err, ErrFingerprint) {
		t.Errorf("another certificate: %v", err)
	}
	c.Close()
	if err := c.Start(good); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// What goes out twice under one number is the same packet: the same text, and the same nonce (RFC 7714 section 8.1). The number may have
// wrapped in between.
func TestAPacketSentTwiceIsTheSame(t *testing.T) {
	n := listen(t)
	m := newMember(t, memberOptions{})
	defer m.close()
	c, _ := meet(t, n, m)
	defer c.Close()
	b := n.NewBatch()
	send := func(seq uint16) {
		p := video(seq, 100)
		if !c.SendRTP(b, &p.Header, p.Payload) {
			t.Fatal("not sent")
		}
	}
	for seq := uint16(65530); seq != 6; seq++ {
		send(seq)
		send(seq - 2)
	}
	b.Flush()
	seen := make(map[uint16][]byte)
	twice := 0
	for range 24 {
		sealed := next(t, m.rtp)
		seq := uint16(sealed[2])<<8 | uint16(sealed[3])
		if before := seen[seq]; before != nil {
			twice++
			if !bytes.Equal(before, sealed) {
				t.Errorf("%d goes out as two packets", seq)
			}
		}
		seen[seq] = sealed
	}
	if twice != 10 {
		t.Errorf("%d packets came twice, want 10", twice)
	}
}
